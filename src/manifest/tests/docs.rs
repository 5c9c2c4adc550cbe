//! Tests that parse the examples in the documentation.

use super::{findings_text, load};
use crate::{
    access::{isolation::SHARED_NAMES, roles::all_operations},
    diag::SourceFile,
    manifest::{Workspace, admin::AdminScript, assertions},
    model::ResourceKind,
};

const ACCESS: &str = include_str!("../../../docs/access.md");
const FILES: &str = include_str!("../../../docs/files.md");
const PROVISIONER: &str = include_str!("../../../docs/provisioner.md");

/// Returns the TOML block of `docs/files.md` that begins with this comment.
pub(crate) fn example(title: &str) -> String {
    let begin = format!("```toml\n# {title}\n");
    let (_, rest) = FILES.split_once(&begin).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn every_example_in_the_docs_is_valid() {
    let (platform, department) = (example("ebs.toml"), example("departments/claims.toml"));
    let template = example("rbac-templates/hybrid.toml");
    let loaded = load(
        &platform,
        &[("claims", department.as_str())],
        &[("hybrid", template.as_str())],
    );
    assert_eq!(findings_text(&loaded.findings), "");
    let acls = example("a persona with ACLs");
    let loaded_acls = load(super::PLATFORM, &[], &[("own", acls.as_str())]);
    assert_eq!(findings_text(&loaded_acls.findings), "");
    assert_eq!(loaded_acls.workspace.template("own").unwrap().personas[0].acls.len(), 1);
    let written = loaded.workspace.templates.get("hybrid").unwrap();
    assert!(
        written.source.text.contains("the pipeline deploys them"),
        "the file replaces the built-in template"
    );
}

// Source: docs/reference/rbac.md#access-of-a-connectors-account and docs/reference/rbac.md#personas
#[test]
fn the_acl_example_is_the_hybrid_template_plus_acls() {
    let text = include_str!("../../../examples/templates/hybrid.toml");
    let loaded = load(super::PLATFORM, &[], &[("hybrid", text)]);
    assert_eq!(findings_text(&loaded.findings), "");
    let with = loaded.workspace.template("hybrid").unwrap();
    let plain = Workspace::embedded().workspace;
    let plain = plain.template("hybrid").unwrap();
    assert_ne!(with.hash, plain.hash);
    let mut without = with.clone();
    for persona in &mut without.personas {
        let acls: Vec<String> = std::mem::take(&mut persona.acls)
            .iter()
            .flat_map(|acl| {
                acl.operations
                    .iter()
                    .map(move |operation| format!("{operation} {}", acl.on))
            })
            .collect();
        let expected: &[&str] = match persona.name.as_str() {
            "runtime" => &[
                "CREATE topic:dlq-lcc*",
                "WRITE topic:dlq-lcc*",
                "CREATE topic:success-lcc*",
                "WRITE topic:success-lcc*",
                "CREATE topic:error-lcc*",
                "WRITE topic:error-lcc*",
                "CREATE topic:data-preview*",
                "WRITE topic:data-preview*",
            ],
            _ => &[],
        };
        assert_eq!(acls, expected, "{}", persona.name);
    }
    assert_eq!(without.personas, plain.personas);
}

#[test]
fn the_example_of_assertions_is_valid_and_every_key_is_documented() {
    let text = ACCESS.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    let workspace = Workspace::embedded().workspace;
    let found = |text: &str| {
        let (file, findings) = assertions::read(&SourceFile::new("tests/a.toml", text), &workspace);
        (file.assertions.len(), findings_text(&findings))
    };
    assert_eq!(found(text), (3, String::new()));
    for wrong in ["zzzzzz = 1\n", "[[can]]\nzzzzzz = 1\n"] {
        let (_, list) = found(wrong);
        let (_, list) = list.split_once("Known keys: ").unwrap();
        for key in list.lines().next().unwrap().split('`').skip(1).step_by(2) {
            assert!(ACCESS.contains(&format!("`{key}`")), "`{key}` is not in docs/access.md");
        }
    }
}

#[test]
fn the_access_page_lists_every_operation_of_every_kind() {
    for (kind, word) in ResourceKind::GRANTABLE {
        let row = format!("| `{word}` | {} |", all_operations(kind));
        assert!(ACCESS.contains(&row), "{row}");
    }
    for (shared, begins) in SHARED_NAMES {
        assert!(
            ACCESS.contains(&format!("`{} {begins}*`", shared.display_name())),
            "{begins}"
        );
    }
}

#[test]
fn every_key_is_documented() {
    // The parser lists all keys it reads in the finding for an unknown key.
    let known = |text: &str, of: fn(&str) -> String| -> Vec<String> {
        let found = of(text);
        let (_, list) = found.split_once("Known keys: ").unwrap();
        let list = list.lines().next().unwrap();
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let platform = |text: &str| findings_text(&load(text, &[], &[]).findings);
    let department = |text: &str| super::department_findings(&[("aaa", text)]);
    let template = |text: &str| findings_text(&load(super::PLATFORM, &[], &[("own", text)]).findings);
    let mut keys = known("zzzzzz = 1", platform);
    keys.extend(known("[naming]\nzzzzzz = 1", platform));
    keys.extend(known("[stages.a]\nzzzzzz = 1", platform));
    keys.extend(known("zzzzzz = 1", department));
    keys.extend(known("[quota]\nzzzzzz = 1", department));
    keys.extend(known("zzzzzz = 1", template));
    keys.extend(known("[[persona]]\nzzzzzz = 1\ngrant = []", template));
    keys.extend(known("[[persona]]\nkeys = []\ngrant = [{ zzzzzz = 1 }]", template));
    keys.extend(known("[[persona]]\nkeys = []\nacl = [{ zzzzzz = 1 }]", template));
    assert!(keys.len() > 25, "{keys:?}");
    for key in keys {
        let mentioned = [
            format!("`{key}`"),
            format!(".{key}`"),
            format!("`{key}."),
            format!(".{key}."),
        ];
        assert!(
            mentioned.iter().any(|form| FILES.contains(form)),
            "`{key}` is not in docs/files.md"
        );
    }
}

#[test]
fn the_provisioner_page_shows_what_init_prints() {
    let workspace = Workspace::embedded().workspace;
    for step in AdminScript::new(&workspace.platform, &["prod"]).steps {
        assert!(
            PROVISIONER.contains(&format!("\n{}\n", step.command)),
            "{}",
            step.command
        );
    }
}
