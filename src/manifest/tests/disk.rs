use std::{fs, path::Path};

use super::{PLATFORM, findings_text};
use crate::manifest::Workspace;

fn write(folder: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn load_findings(folder: &Path) -> String {
    findings_text(&Workspace::load(folder).findings)
        .replace(&folder.display().to_string(), "…")
        .replace('\\', "/")
}

#[test]
fn a_platform_is_found_in_a_parent_folder_or_through_the_variable() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a").join("b");
    fs::create_dir_all(&deep).unwrap();
    write(folder.path(), "ebs.toml", PLATFORM);
    assert_eq!(Workspace::find(&deep, None).unwrap().as_deref(), Some(folder.path()));
    let named = |path: &Path| Workspace::find(Path::new("/"), Some(path));
    assert_eq!(named(folder.path()).unwrap().as_deref(), Some(folder.path()));
    assert_eq!(
        named(&folder.path().join("ebs.toml")).unwrap().as_deref(),
        Some(folder.path())
    );
    let error = named(&deep).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the folder that `CONFLUENT_EBS_PLATFORM` names"),
        "{error}"
    );
}

#[test]
fn an_unreadable_file_is_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(load_findings(folder.path()), @"…/ebs.toml:1:1 error unreadable-file: cannot read the file: it does not exist");
    write(folder.path(), "ebs.toml", PLATFORM);
    write(folder.path(), "departments/latin.toml", b"name = \"Sch\xe4den\"\n");
    insta::assert_snapshot!(load_findings(folder.path()), @"…/departments/latin.toml:1:1 error unreadable-file: cannot read the file: it is not UTF-8 text");
}

#[test]
fn only_toml_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "ebs.toml", PLATFORM);
    for stray in [
        "README.md",
        "claims.toml~",
        "claims.toml.bak",
        ".claims.toml",
        "nested/claims.toml",
    ] {
        write(folder.path(), &format!("departments/{stray}"), "this is not TOML");
    }
    write(
        folder.path(),
        "departments/claims.toml",
        "name = \"Claims\"\nprefix = \"claims-\"\n",
    );
    assert_eq!(load_findings(folder.path()), "");
    assert_eq!(Workspace::load(folder.path()).workspace.departments().count(), 1);
}
