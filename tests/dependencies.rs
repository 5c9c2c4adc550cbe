//! Dependencies obey `deny.toml`: licences, sources and bans, for the platform of this machine. `.ci/full` checks all
//! platforms, and advisories, with cargo-deny.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use toml_edit::{DocumentMut, Item};

/// Name and licence of each package that a build on this platform uses, with all features. (`cargo metadata` would also
/// list optional packages that no feature enables.)
fn used_packages() -> Vec<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--all-features",
            "--prefix",
            "none",
            "--format",
            "{p}\t{l}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let packages = text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(package, licence)| {
            let name = package.split(' ').next().unwrap_or_default();
            (name.to_owned(), licence.trim_end_matches(" (*)").to_owned())
        });
    let packages: BTreeSet<_> = packages.collect();
    assert!(packages.len() > 100, "{} packages", packages.len());
    packages.into_iter().collect()
}

fn rules() -> DocumentMut {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    fs::read_to_string(path).unwrap().parse().unwrap()
}

fn strings(list: &Item) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_str().unwrap())
        .collect()
}

/// The field `field` of each table in `list`.
fn tables<'a>(list: &'a Item, field: &'a str) -> impl Iterator<Item = (&'a str, &'a toml_edit::InlineTable)> {
    let tables = list
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_inline_table().unwrap());
    tables.map(move |table| (table.get(field).unwrap().as_str().unwrap(), table))
}

#[test]
fn every_licence_is_allowed() {
    let rules = rules();
    let allowed = strings(&rules["licenses"]["allow"]);
    let exceptions: BTreeMap<&str, Vec<&str>> = tables(&rules["licenses"]["exceptions"], "crate")
        .map(|(name, table)| {
            let allow = table.get("allow").unwrap().as_array().unwrap();
            (name, allow.iter().map(|id| id.as_str().unwrap()).collect())
        })
        .collect();
    let mut wrong = Vec::new();
    for (name, licence) in used_packages() {
        let (name, licence) = (name.as_str(), licence.as_str());
        let is_allowed =
            |id: &str| allowed.contains(&id) || exceptions.get(name).is_some_and(|more| more.contains(&id));
        let expression = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX);
        let satisfied = expression.is_ok_and(|expression| {
            expression.evaluate(|requirement| requirement.license.id().is_some_and(|id| is_allowed(id.name)))
        });
        if !satisfied {
            wrong.push(format!("{name}: {licence}"));
        }
    }
    assert!(wrong.is_empty(), "not allowed by deny.toml:\n{}", wrong.join("\n"));
}

#[test]
fn every_package_comes_from_the_public_registry_and_none_is_banned() {
    let rules = rules();
    let banned: Vec<&str> = tables(&rules["bans"]["deny"], "crate").map(|(name, _)| name).collect();
    let mut wrong: Vec<String> = used_packages()
        .into_iter()
        .filter(|(name, _)| banned.contains(&name.as_str()))
        .map(|(name, _)| format!("{name} is banned"))
        .collect();
    let registries = strings(&rules["sources"]["allow-registry"]);
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    for source in lock.lines().filter_map(|line| line.strip_prefix("source = ")) {
        let source = source.trim_matches('"').trim_start_matches("registry+");
        if !registries.contains(&source) {
            wrong.push(format!("a package comes from {source}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The versions are those of `Cargo.lock`, so that a test run cannot change them.
#[test]
fn the_documented_test_command_uses_the_lock_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["README.md", "CONTRIBUTING.md", ".ci/run"] {
        let text = fs::read_to_string(root.join(file)).unwrap();
        for line in text.lines().filter(|line| line.contains("cargo test")) {
            assert!(line.contains("--locked"), "{file}: {line}");
        }
    }
}
