use super::{PLATFORM, load, shown};
use crate::{
    manifest::{Workspace, admin::AdminScript, new::NewDepartment, views::Validation},
    model::DepartmentCode,
};

fn code(text: &str) -> DepartmentCode {
    text.parse().unwrap()
}

#[test]
fn a_list_has_one_row_for_each_department_in_order() {
    let rows = Workspace::embedded().workspace.rows();
    assert_eq!(rows.len(), 24);
    assert!(rows.is_sorted_by(|a, b| a.code < b.code));
    insta::assert_snapshot!(serde_json::to_string_pretty(&rows[3]).unwrap(), @"");
}

#[test]
fn a_description_names_accounts_grants_and_reasons() {
    let workspace = Workspace::embedded().workspace;
    let (name, stage) = workspace.platform.stage(Some("test")).unwrap();
    let mut address = stage.address(workspace.platform.organization.as_ref().unwrap());
    address.schema_registry = None;
    let legal = workspace.department(&code("legal")).unwrap();
    let view = workspace.describe(&workspace.desired(legal, name, &address).unwrap());
    insta::assert_snapshot!(serde_json::to_string_pretty(&view).unwrap(), @"");
}

#[test]
fn a_validation_counts() {
    let loaded = load(PLATFORM, &[("aaa", "name = \"A\"\nprefix = \"aaa-\"\ncontacts = [\"x\"]\ncolor = 1\n")], &[]);
    let validation = Validation::new(&loaded.workspace, loaded.findings);
    assert_eq!((validation.errors, validation.warnings, validation.is_valid()), (1, 1, false));
    assert_eq!((validation.stages, validation.departments, validation.templates), (1, 1, 3));
}

#[test]
fn a_new_departments_file_explains_itself_and_is_clean() {
    let workspace = Workspace::embedded().workspace;
    let mut new = NewDepartment::propose(code("pet-care"));
    let text = new.render(&workspace);
    insta::assert_snapshot!(text, @"");
    assert_eq!(shown(&workspace.check_department(&new.code, &text)), "");
    new.template = Some("read-only".to_owned());
    new.cost_center = Some("CC \"1\"".to_owned());
    new.contacts = vec!["pets@example.com".to_owned()];
    new.quota = Some(workspace.platform.quota.clone());
    let text = new.render(&workspace);
    assert_eq!(shown(&workspace.check_department(&new.code, &text)), "");
    let loaded = load(PLATFORM, &[("pet-care", text.as_str())], &[]);
    let read = loaded.workspace.departments().next().unwrap();
    assert_eq!((read.name.as_str(), read.template.as_str()), ("Pet Care", "read-only"));
    assert_eq!(read.cost_center.as_deref(), Some("CC \"1\""));
}

#[test]
fn a_new_department_is_checked_against_the_others() {
    let workspace = Workspace::embedded().workspace;
    let mut new = NewDepartment::propose(code("claims-legal"));
    new.prefix = "claims-legal-".to_owned();
    let found = workspace.check_department(&new.code, &new.render(&workspace));
    insta::assert_snapshot!(shown(&found), @"");
}

#[test]
fn the_administrators_commands_are_the_stock_ones() {
    let workspace = Workspace::embedded().workspace;
    let script = AdminScript::new(&workspace.platform, &["prod", "test"]);
    insta::assert_snapshot!(script.text(), @"");
    let bare = load(PLATFORM, &[], &[]).workspace;
    let mut platform = bare.platform;
    platform.provisioner = Some("sa-abc123".parse().unwrap());
    insta::assert_snapshot!(AdminScript::new(&platform, &["prod", "nowhere"]).text(), @"");
}
