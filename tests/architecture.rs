//! The shape of the code, checked against the text of the sources: who may use whom, who may print, how long a file is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A file that is longer is about two things.
const LONGEST_FILE: usize = 530;

/// Everything that prints, besides `render`.
const MAY_NAME_STREAMS: &[(&str, &str)] = &[("src/client/trace.rs", "log lines of whoever uses the library alone")];

struct Source {
    path: String,
    /// The module of `lib.rs` that it belongs to.
    module: String,
    text: String,
    /// The text without comments.
    code: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    visit(&root().join("src"), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn visit(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root()).unwrap();
            let name = |part: &Path| part.file_stem().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap();
            found.push(Source {
                module: name(relative.components().nth(1).unwrap().as_os_str().as_ref()),
                path: relative
                    .components()
                    .map(|c| c.as_os_str().to_string_lossy())
                    .collect::<Vec<_>>()
                    .join("/"),
                code: without_comments(&text),
                text,
            });
        }
    }
}

fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| {
            line.find("//")
                .map_or(line, |at| if line[..at].contains('"') { line } else { &line[..at] })
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The modules in the order of `lib.rs`.
fn order() -> Vec<String> {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned))
        .collect()
}

/// The modules of this crate that `code` names: `crate::x` and the heads of `crate::{x::y, z}`.
fn used(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut head = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 && c == ',' {
                    used.insert(identifier(&head));
                    head.clear();
                } else if depth == 0 {
                    head.push(c);
                }
            }
            used.insert(identifier(&head));
        } else {
            used.insert(identifier(rest));
        }
    }
    used.remove("");
    used
}

fn identifier(text: &str) -> String {
    text.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn each_module_uses_only_those_above_it() {
    let order = order();
    let places = order
        .iter()
        .enumerate()
        .map(|(place, name)| (name.as_str(), place))
        .collect::<BTreeMap<_, _>>();
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(own) = places.get(source.module.as_str()) else {
            assert!(
                ["lib", "main"].contains(&source.module.as_str()),
                "{} is not in lib.rs",
                source.path
            );
            continue;
        };
        for name in used(&source.code) {
            match places.get(name.as_str()) {
                Some(place) if place > own => wrong.push(format!("{} uses {name}, which stands below it", source.path)),
                Some(_) => {}
                None => wrong.push(format!(
                    "{} uses crate::{name}, which is no module of lib.rs",
                    source.path
                )),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_edge_knows_the_sandbox() {
    for source in sources() {
        let may = ["sandbox", "lab", "commands", "main", "lib"].contains(&source.module.as_str());
        assert!(
            may || !used(&source.code).contains("sandbox"),
            "{} uses the sandbox",
            source.path
        );
    }
}

#[test]
fn only_render_prints() {
    for source in sources() {
        if source.module == "render" || MAY_NAME_STREAMS.iter().any(|(path, _)| *path == source.path) {
            continue;
        }
        for word in [
            "println!",
            "print!",
            "eprintln!",
            "eprint!",
            "dbg!",
            "io::stdout",
            "io::stderr",
        ] {
            assert!(
                !source.code.contains(word),
                "{} has `{word}`: only render prints",
                source.path
            );
        }
    }
}

#[test]
fn a_file_is_about_one_thing() {
    let long = sources().into_iter().filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > LONGEST_FILE).then(|| format!("{} has {lines} lines", source.path))
    });
    let long = long.collect::<Vec<_>>();
    assert!(long.is_empty(), "what two things are these about?\n{}", long.join("\n"));
}

#[test]
fn the_architecture_page_names_every_module_in_order() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut from = 0;
    for module in order() {
        let at = page[from..].find(&format!("`{module}`"));
        from += at.unwrap_or_else(|| panic!("docs/architecture.md does not name `{module}` after those above it"));
    }
}

#[test]
fn the_scanner_sees_nested_and_plain_uses() {
    let code = "use crate::{\n  model::{Crn, role::{Role}},\n  exit,\n};\nlet x = crate::env::var(\"A\"); use crate::hint::{self};";
    let expected = ["env", "exit", "hint", "model"].map(str::to_owned);
    assert_eq!(used(code), expected.into());
}
