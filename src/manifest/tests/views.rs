use super::{PLATFORM, findings_text, load};
use crate::{
    manifest::{Workspace, admin::AdminScript, new_department::NewDepartment, views::WorkspaceValidation},
    model::DepartmentCode,
};

fn code(text: &str) -> DepartmentCode {
    text.parse().unwrap()
}

#[test]
fn the_department_list_has_one_row_per_department_in_order() {
    let rows = Workspace::embedded().workspace.department_rows(None);
    assert_eq!(rows.len(), 24);
    assert!(rows.is_sorted_by(|a, b| a.code < b.code));
    insta::assert_snapshot!(serde_json::to_string_pretty(&rows[3]).unwrap(), @r#"
    {
      "code": "claims",
      "name": "Claims",
      "prefix": "claims-",
      "template": "hybrid",
      "connectors": 12,
      "tasks": 20,
      "stages": null,
      "cost_center": "CC-4711",
      "retired": ""
    }
    "#);
}

#[test]
fn a_description_names_accounts_grants_and_reasons() {
    let workspace = Workspace::embedded().workspace;
    let (name, stage) = workspace.platform.stage(Some("test")).unwrap();
    let mut address = stage.address(workspace.platform.organization.as_ref().unwrap());
    address.schema_registry = None;
    let legal = workspace.department(&code("legal")).unwrap();
    let view = workspace.describe_department(&workspace.desired_department(legal, name, &address).unwrap());
    insta::assert_snapshot!(serde_json::to_string_pretty(&view).unwrap(), @r#"
    {
      "code": "legal",
      "name": "Legal",
      "prefix": "legal-",
      "cost_center": "CC-4150",
      "contacts": [
        "legal-data@example.com"
      ],
      "template": "read-only",
      "template_description": "The department can view its connectors; the platform team creates and runs them.",
      "stages": null,
      "stage": "test",
      "environment": "env-test01",
      "cluster": "lkc-test01",
      "quota": {
        "connectors": 1,
        "tasks": 2,
        "tasks_per_connector": 1,
        "plugins": [
          "S3_SINK"
        ]
      },
      "encrypted": false,
      "lint_exceptions": [],
      "personas": [
        {
          "persona": "viewer",
          "description": "Read-only access.",
          "account": "ebs-test-legal-viewer",
          "keys": [
            "cloud"
          ],
          "profile": "test/legal-viewer.toml",
          "grants": [
            {
              "role": "DeveloperRead",
              "on": "connector legal-*",
              "why": "configuration without secrets, state and metrics of own connectors; no logs, because they can contain data",
              "shared": false,
              "left_out": false
            }
          ]
        },
        {
          "persona": "runtime",
          "description": "The identity of the connectors. It has no API key, so only connectors can act as it.",
          "account": "ebs-test-legal-runtime",
          "keys": [],
          "grants": [
            {
              "role": "DeveloperRead",
              "on": "topic legal-*",
              "why": "sinks read the department's topics",
              "shared": false,
              "left_out": false
            },
            {
              "role": "DeveloperWrite",
              "on": "topic legal-*",
              "why": "sources write the department's topics",
              "shared": false,
              "left_out": false
            },
            {
              "role": "DeveloperManage",
              "on": "topic legal-*",
              "why": "sources that capture changes create one topic per table",
              "shared": false,
              "left_out": false
            },
            {
              "role": "DeveloperRead",
              "on": "group connect-lcc*",
              "why": "sinks consume in a group named after the connector's id, which is not known in advance, so all departments share the prefix",
              "shared": true,
              "left_out": false
            },
            {
              "role": "DeveloperRead",
              "on": "subject legal-*",
              "why": "converters read the schemas of the department's topics",
              "shared": false,
              "left_out": true
            },
            {
              "role": "DeveloperWrite",
              "on": "subject legal-*",
              "why": "sources register the schemas of what they write",
              "shared": false,
              "left_out": true
            }
          ]
        }
      ]
    }
    "#);
}

#[test]
fn a_validation_counts_errors_and_warnings() {
    let loaded = load(
        PLATFORM,
        &[(
            "aaa",
            "name = \"A\"\nprefix = \"aaa-\"\ncontacts = [\"x\"]\ncolor = 1\n",
        )],
        &[],
    );
    let validation = WorkspaceValidation::new(&loaded.workspace, loaded.findings, None);
    assert_eq!(
        (validation.errors, validation.warnings, validation.is_valid()),
        (1, 1, false)
    );
    assert_eq!(
        (validation.stages, validation.departments, validation.templates),
        (1, 1, 4)
    );
}

#[test]
fn a_rendered_department_file_is_commented_and_valid() {
    let workspace = Workspace::embedded().workspace;
    let mut new = NewDepartment::propose(code("pet-care"));
    let text = new.render(&workspace);
    insta::assert_snapshot!(text, @r#"
    # Department pet-care. The name of this file is its code and never changes.

    # Display name.
    name = "Pet Care"

    # Prefix of all its topics, groups, schemas and connectors. It never changes after onboarding.
    prefix = "pet-care-"

    # Template with its grants: hybrid, hybrid-reader, read-only, self-service.
    # template = "hybrid"

    # Cost center and contacts.
    # cost_center = "CC-0000"
    # contacts = ["pet-care@example.com"]

    # Public `age` keys; its profiles are encrypted to them.
    # recipients = ["age1…"]

    # Stages in which it may be onboarded; without the key, all of them.
    # stages = ["prod", "test"]

    # Quota: a limit that `connector create` follows and `quota audit` checks; Confluent Cloud does not know it.
    # A missing key has the value shown.
    [quota]
    # connectors = 3
    # tasks = 4
    # tasks_per_connector = 2
    # plugins = ["PostgresSource", "S3_SINK"]

    # Quota of one stage, which wins over `[quota]` key by key.
    # [quota.stages.prod]
    # connectors = 3
    "#);
    assert_eq!(findings_text(&workspace.check_department(&new.code, &text)), "");
    new.template = Some("read-only".to_owned());
    new.cost_center = Some("CC \"1\"".to_owned());
    new.contacts = vec!["pets@example.com".to_owned()];
    new.quota = Some(workspace.platform.quota.clone());
    let text = new.render(&workspace);
    assert_eq!(findings_text(&workspace.check_department(&new.code, &text)), "");
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
    insta::assert_snapshot!(findings_text(&found), @r"
    departments/claims-legal.toml:7:10 error prefix-conflict: prefix `claims-legal-` is covered by `claims-`, the prefix of department `claims`
        Choose a prefix that does not begin with another one; the other prefix is at examples/platform/departments/claims.toml:2:10.
    ");
}

#[test]
fn the_administrator_script_uses_confluent_cli_commands() {
    let workspace = Workspace::embedded().workspace;
    let script = AdminScript::new(&workspace.platform, &["prod", "test"]);
    insta::assert_snapshot!(script.to_text(), @r#"
    # log in to the organization
    confluent login --organization 11111111-2222-3333-4444-555555555555

    # create the provisioner's account; use its id in the commands below
    confluent iam service-account create ebs-provisioner --description "onboards departments, see docs/provisioner.md"

    # prod: create service accounts, and bind roles on topics, groups and connectors of the cluster
    confluent iam rbac role-binding create --principal User:sa-PROVISIONER --role CloudClusterAdmin --environment env-prod01 --cloud-cluster lkc-prod01

    # prod: bind roles on subjects
    confluent iam rbac role-binding create --principal User:sa-PROVISIONER --role ResourceOwner --environment env-prod01 --schema-registry-cluster lsrc-prod01 --resource "Subject:*"

    # test: create service accounts, and bind roles on topics, groups and connectors of the cluster
    confluent iam rbac role-binding create --principal User:sa-PROVISIONER --role CloudClusterAdmin --environment env-test01 --cloud-cluster lkc-test01

    # test: bind roles on subjects
    confluent iam rbac role-binding create --principal User:sa-PROVISIONER --role ResourceOwner --environment env-test01 --schema-registry-cluster lsrc-test01 --resource "Subject:*"

    # create the provisioner's key; the secret is shown only once
    confluent api-key create --resource cloud --service-account sa-PROVISIONER --description ebs-provisioner

    # Replace `sa-PROVISIONER` with the id that `iam service-account create` prints, and add it to `ebs.toml` as `provisioner = "sa-…"`.
    # Give the key to the platform team as `CONFLUENT_CLOUD_API_KEY` and `CONFLUENT_CLOUD_API_SECRET`, through a vault.
    # The provisioner can read and write all data of these clusters: protect its key like an administrator's.
    # Role bindings take effect within minutes; `confluent ebs doctor` checks them.
    "#);
    let bare = load(PLATFORM, &[], &[]).workspace;
    let mut platform = bare.platform;
    platform.provisioner = Some("sa-abc123".parse().unwrap());
    insta::assert_snapshot!(AdminScript::new(&platform, &["prod", "nowhere"]).to_text(), @r#"
    # log in as an administrator of the organization
    confluent login

    # prod: create service accounts, and bind roles on topics, groups and connectors of the cluster
    confluent iam rbac role-binding create --principal User:sa-abc123 --role CloudClusterAdmin --environment env-1 --cloud-cluster lkc-1

    # prod: bind roles on subjects
    confluent iam rbac role-binding create --principal User:sa-abc123 --role ResourceOwner --environment env-1 --schema-registry-cluster lsrc-REGISTRY --resource "Subject:*"

    # create the provisioner's key; the secret is shown only once
    confluent api-key create --resource cloud --service-account sa-abc123 --description ebs-provisioner

    # Replace `lsrc-REGISTRY` with the id that `confluent schema-registry cluster describe` shows for the environment; without a Schema Registry, skip that command.
    # Give the key to the platform team as `CONFLUENT_CLOUD_API_KEY` and `CONFLUENT_CLOUD_API_SECRET`, through a vault.
    # The provisioner can read and write all data of these clusters: protect its key like an administrator's.
    # Role bindings take effect within minutes; `confluent ebs doctor` checks them.
    "#);
}
