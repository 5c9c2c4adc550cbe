use super::{PLATFORM, findings_text, load};
use crate::model::{GrantTarget, ResourceKind, Role, ownership};

fn template_findings(text: &str) -> String {
    findings_text(&load(PLATFORM, &[], &[("own", text)]).findings)
}

/// Returns a template with one persona and one grant.
fn grant(keys: &str, lines: &str) -> String {
    template_findings(&format!(
        "[[persona]]\nname = \"operator\"\nkeys = [{keys}]\n\n[[persona.grant]]\n{lines}\n\n[[persona]]\nname = \"runtime\"\nkeys = []\n\n[[persona.grant]]\nrole = \"DeveloperRead\"\non = \"topic:{{prefix}}*\"\nwhy = \"w\"\n"
    ))
}

fn on(target: &str) -> String {
    grant(
        "\"cloud\", \"kafka\", \"schema-registry\"",
        &format!("role = \"ResourceOwner\"\non = \"{target}\"\nwhy = \"w\""),
    )
}

// Source: docs/reference/rbac.md#personas as narrowed in the design, transcribed by hand.
#[test]
fn the_shipped_templates_grant_exactly_the_documented_roles() {
    let viewer = "viewer [cloud] DeveloperRead@connector:{prefix}*";
    let runtime = "runtime [] DeveloperRead@topic:{prefix}* DeveloperWrite@topic:{prefix}* DeveloperManage@topic:{prefix}* \
                   DeveloperRead@group:connect-lcc* DeveloperRead@subject:{prefix}* DeveloperWrite@subject:{prefix}*";
    let deploy = "[cloud] ResourceOwner@connector:{prefix}* Assigner@service-account:{runtime}";
    let (deployer, self_operator) = (format!("deployer {deploy}"), format!("operator {deploy}"));
    let reader = "reader [kafka] DeveloperRead@topic:{prefix}dlq-* DeveloperRead@group:{prefix}dlq-*";
    let operator = "operator [cloud] ConnectManager|DeveloperRead@connector:{prefix}*";
    let expected: [(&str, Vec<&str>); 4] = [
        ("hybrid", vec![operator, &deployer, viewer, runtime]),
        ("hybrid-reader", vec![operator, &deployer, viewer, reader, runtime]),
        ("read-only", vec![viewer, runtime]),
        ("self-service", vec![&self_operator, &deployer, viewer, runtime]),
    ];
    let workspace = load(PLATFORM, &[], &[]).workspace;
    let written: Vec<(String, Vec<String>)> = workspace
        .templates()
        .map(|template| {
            let personas = template.personas.iter().map(|persona| {
                let keys: Vec<_> = persona
                    .keys
                    .iter()
                    .map(|key| crate::manifest::template::key_kind_name(*key))
                    .collect();
                let grants = persona.grants.iter().map(|grant| {
                    assert!(!grant.why.is_empty());
                    let fallback = grant.fallback.as_ref().map_or(String::new(), |role| format!("|{role}"));
                    format!(" {}{fallback}@{}", grant.role, grant.on)
                });
                format!("{} [{}]{}", persona.name, keys.join(","), grants.collect::<String>())
            });
            (template.name.clone(), personas.collect())
        })
        .collect();
    assert_eq!(written.len(), 4);
    for ((name, personas), (expected_name, expected_personas)) in written.iter().zip(&expected) {
        assert_eq!(
            (name.as_str(), personas),
            (
                *expected_name,
                &expected_personas.iter().map(|p| (*p).to_owned()).collect()
            )
        );
    }
}

#[test]
fn all_mistakes_in_a_template_are_reported_together() {
    let text = r#"descripton = "x"

[[persona]]
name = "operator"
keys = ["cloud", "clod", "cloud"]

[[persona.grant]]
role = "ConectManager"
on = "conector:{prefix}*"
why = " "
fallback = "DeveloperRead"

[[persona.grant]]
role = "Assigner"
on = "service-account:{rutime}"

[[persona.grant]]
role = "DeveloperRead"
on = "connector:{prefix}*"
fallback = "DeveloperRead"
why = "w"
reason = "w"

[[persona.grant]]
role = "DeveloperRead"
on = "connector:{prefix}*"
why = "w"

[[persona]]
name = "operator"

[[persona]]
name = "run-time"
keys = []
grant = 3
"#;
    insta::assert_snapshot!(template_findings(text), @r"
    rbac-templates/own.toml:1:1 error unknown-key: unknown key `descripton`
        Did you mean `description`?
    rbac-templates/own.toml:5:18 error unknown-key-kind: `clod` is not a kind of API key
        Did you mean `cloud`?
    rbac-templates/own.toml:5:26 warning duplicate-value: duplicate value `cloud`
    rbac-templates/own.toml:8:8 error unknown-role: unknown role `ConectManager`
        Did you mean `ConnectManager`?
    rbac-templates/own.toml:9:6 error unknown-kind: grants on kind `conector` are not supported
        Did you mean `connector`?
    rbac-templates/own.toml:10:7 error invalid-value: the grant has no reason
        Set `why` to the purpose of the grant.
    rbac-templates/own.toml:13:1 error missing-key: `persona.grant.why` is missing
    rbac-templates/own.toml:15:6 error unknown-persona: no persona `rutime` in this template
        Did you mean `run-time`?
    rbac-templates/own.toml:20:12 warning fallback-same: the fallback of DeveloperRead is the same role
    rbac-templates/own.toml:22:1 error unknown-key: unknown key `persona.grant.reason`
        Known keys: `fallback`, `on`, `role`, `why`.
    rbac-templates/own.toml:26:6 warning duplicate-value: DeveloperRead on `connector:{prefix}*` is already granted above
    rbac-templates/own.toml:29:1 error missing-key: `persona.keys` is missing
    rbac-templates/own.toml:29:1 error missing-key: `persona.grant` is missing
    rbac-templates/own.toml:30:8 error duplicate-name: duplicate persona `operator`
    rbac-templates/own.toml:33:8 error persona-name: `run-time` is not a persona name: expected 1 to 12 characters of a-z and 0-9, starting with a letter
        Use a name without dashes, because dashes separate the parts of account names (`ebs-prod-claims-operator`).
    rbac-templates/own.toml:35:9 error wrong-type: `persona.grant` is an integer, expected a list of tables
        Write one `[[persona.grant]]` table for each.
    ");
}

#[test]
fn invalid_grant_targets_are_rejected() {
    insta::assert_snapshot!(on("connector"), @r#"
    rbac-templates/own.toml:7:6 error grant-target: `connector` needs a name after a colon
        Write `on = "connector:{prefix}*"`.
    "#);
    insta::assert_snapshot!(on("service-account:"), @r#"
    rbac-templates/own.toml:7:6 error grant-target: `service-account` needs a name after a colon
        Write `on = "service-account:{runtime}"`.
    "#);
    insta::assert_snapshot!(on("topic:{prefix}"), @r"
    rbac-templates/own.toml:7:6 error grant-target: `{prefix}` alone would match only a topic named exactly like the prefix
        Write `topic:{prefix}*` for all names with the prefix.
    ");
    insta::assert_snapshot!(on("topic:{prefix}a*b"), @r"
    rbac-templates/own.toml:7:6 error grant-target: `a*b` after `{prefix}` is neither a name nor a beginning of names
        Write `{prefix}*` for all names with the prefix, `{prefix}audit-*` for some of them, or `{prefix}` and the rest of one name.
    ");
    insta::assert_snapshot!(on("topic:{prefx}*"), @r"
    rbac-templates/own.toml:7:6 error grant-target: `{prefx}` is not supported for a topic
        Use `{prefix}`, as in `topic:{prefix}*`.
    ");
    insta::assert_snapshot!(on("topic:x-{prefix}*"), @r"
    rbac-templates/own.toml:7:6 error grant-target: the placeholder in `x-{prefix}*` is not at the beginning
        Put `{prefix}` first, because names of a department begin with its prefix.
    ");
    insta::assert_snapshot!(on("topic:a*b"), @r"
    rbac-templates/own.toml:7:6 error grant-target: invalid pattern `a*b`: `*` is allowed only as the last character of the last value
        Write a complete name, or a prefix followed by `*`.
    ");
    insta::assert_snapshot!(on("topic:a/connector=b"), @r"
    rbac-templates/own.toml:7:6 error grant-target: '/' is not allowed in the name of a grant target
        Use letters, digits, `.`, `-`, `_`, and `:` for schema contexts.
    ");
    insta::assert_snapshot!(on("cluster:lkc-1"), @r#"
    rbac-templates/own.toml:7:6 error grant-target: `cluster` takes no name, but has `lkc-1`
        Write `on = "cluster"`.
    "#);
    insta::assert_snapshot!(on("service-account:*"), @r"
    rbac-templates/own.toml:7:6 error grant-target: a prefix of service account ids would cover accounts of all departments
        Name the persona of the account, as in `service-account:{runtime}`.
    ");
    insta::assert_snapshot!(on("service-account:{prefix}*"), @r"
    rbac-templates/own.toml:7:6 error grant-target: `{prefix}` is not allowed for service accounts, because their ids have no prefix
        Name the persona of the account, as in `service-account:{runtime}`.
    ");
    insta::assert_snapshot!(on("service-account:{runtime}*"), @r#"
    rbac-templates/own.toml:7:6 error grant-target: unexpected `*` after `{runtime}`
        Write `on = "service-account:{runtime}"`.
    "#);
    insta::assert_snapshot!(on("service-account:{runtme}"), @r"
    rbac-templates/own.toml:7:6 error unknown-persona: no persona `runtme` in this template
        Did you mean `runtime`?
    ");
    assert_eq!(on("topic:{prefix}audit"), "");
    assert_eq!(on("group:{prefix}*"), "");
}

// Source: docs/reference/rbac.md#roles-of-a-connectors-account; docs/reference/rbac.md#threats, T7
#[test]
fn a_role_on_shared_names_that_exceeds_the_tolerated_operations_is_a_warning() {
    insta::assert_snapshot!(on("topic:dlq-lcc*"), @r"
    rbac-templates/own.toml:7:6 warning grant-beyond-prefix: ResourceOwner on `topic:dlq-lcc*` also allows delete, read, alter, describe-configs, alter-configs, describe-access, alter-access on resources of all departments
        Use `[[persona.acl]]`, which can allow less than a role; otherwise the isolation check after onboarding reports it.
    ");
    insta::assert_snapshot!(on("group:connect-lcc*"), @r"
    rbac-templates/own.toml:7:6 warning grant-beyond-prefix: ResourceOwner on `group:connect-lcc*` also allows delete, describe-access, alter-access on resources of all departments
        Use `[[persona.acl]]`, which can allow less than a role; otherwise the isolation check after onboarding reports it.
    ");
    let role = |role: &str, on: &str| grant("\"kafka\"", &format!("role = \"{role}\"\non = \"{on}\"\nwhy = \"w\""));
    assert_eq!(role("DeveloperWrite", "topic:dlq-lcc*"), "");
    assert_eq!(role("DeveloperRead", "group:connect-lcc*"), "");
    assert_eq!(role("DeveloperRead", "topic:dlq-lcc-abc123"), "");
}

/// Returns a template with one persona and ACLs.
fn acl(keys: &str, lines: &str) -> String {
    template_findings(&format!(
        "[[persona]]\nname = \"runtime\"\nkeys = [{keys}]\n\n[[persona.grant]]\nrole = \"DeveloperRead\"\n\
         on = \"group:{{prefix}}*\"\nwhy = \"w\"\n\n[[persona.acl]]\n{lines}\n"
    ))
}

fn acl_on(operations: &str, target: &str) -> String {
    acl(
        "",
        &format!("operations = [{operations}]\non = \"{target}\"\nwhy = \"w\""),
    )
}

#[test]
fn mistakes_in_acls_are_reported_with_location_and_suggestion() {
    insta::assert_snapshot!(acl("", "operatons = [\"CREATE\"]\non = \"topic:{prefix}*\""), @r"
    rbac-templates/own.toml:10:1 error missing-key: `persona.acl.operations` is missing
    rbac-templates/own.toml:10:1 error missing-key: `persona.acl.why` is missing
    rbac-templates/own.toml:11:1 error unknown-key: unknown key `persona.acl.operatons`
        Did you mean `operations`?
    ");
    insta::assert_snapshot!(acl("", "operations = \"CREATE\"\non = \"topc:{prefix}*\"\nwhy = \" \""), @r#"
    rbac-templates/own.toml:11:14 error wrong-type: `persona.acl.operations` is a string, expected a list of strings
        Write `operations = ["…"]`.
    rbac-templates/own.toml:12:6 error unknown-kind: grants on kind `topc` are not supported
        Did you mean `topic`?
    rbac-templates/own.toml:13:7 error invalid-value: the grant has no reason
        Set `why` to the purpose of the grant.
    "#);
    insta::assert_snapshot!(acl_on("\"WRTE\", \"write\", \"GRANT\", \"ALL\"", "topic:{prefix}*"), @r"
    rbac-templates/own.toml:11:15 error unknown-operation: `WRTE` is not a Kafka ACL operation
        Did you mean `WRITE`?
    rbac-templates/own.toml:11:23 error unknown-operation: `write` is not a Kafka ACL operation
        Did you mean `WRITE`?
    rbac-templates/own.toml:11:32 error unknown-operation: `GRANT` is not a Kafka ACL operation
        Known operations: CREATE, READ, WRITE, DELETE, ALTER, DESCRIBE, ALTER_CONFIGS, DESCRIBE_CONFIGS, CLUSTER_ACTION, IDEMPOTENT_WRITE.
    rbac-templates/own.toml:11:41 error acl-misplaced: `ALL` is not allowed in templates: it includes future operations
        List the operations.
    ");
    insta::assert_snapshot!(acl_on("", "topic:{prefix}*"), @r#"
    rbac-templates/own.toml:12:6 error invalid-value: `operations` is empty
        Write `operations = ["CREATE", "WRITE"]`.
    "#);
    insta::assert_snapshot!(acl_on("\"READ\", \"READ\"", "topic:{prefix}*"), @r"
    rbac-templates/own.toml:11:23 warning duplicate-value: READ on `topic:{prefix}*` is already granted above
    ");
    insta::assert_snapshot!(acl_on("\"READ\"", "topic:{prefix}"), @r"
    rbac-templates/own.toml:12:6 error grant-target: `{prefix}` alone would match only a topic named exactly like the prefix
        Write `topic:{prefix}*` for all names with the prefix.
    ");
}

#[test]
fn acls_are_accepted_only_on_kinds_that_kafka_supports() {
    insta::assert_snapshot!(acl_on("\"CREATE\"", "connector:{prefix}*"), @r"
    rbac-templates/own.toml:12:6 error acl-misplaced: Kafka has no ACLs on a connector
        Use `[[persona.grant]]` with a role.
    ");
    insta::assert_snapshot!(acl_on("\"READ\"", "subject:{prefix}*"), @r"
    rbac-templates/own.toml:12:6 error acl-misplaced: Kafka has no ACLs on a subject
        Use `[[persona.grant]]` with a role.
    ");
    insta::assert_snapshot!(acl_on("\"DESCRIBE\"", "service-account:{runtime}"), @r"
    rbac-templates/own.toml:12:6 error acl-misplaced: Kafka has no ACLs on a service-account
        Use `[[persona.grant]]` with a role.
    ");
    insta::assert_snapshot!(acl_on("\"ALTER\"", "cluster"), @r"
    rbac-templates/own.toml:12:6 error acl-misplaced: ACLs on the whole cluster are not allowed for departments
        Grant on topics, groups or transactional ids, as in `topic:{prefix}*`.
    ");
    insta::assert_snapshot!(acl_on("\"CREATE\"", "group:{prefix}*"), @r"
    rbac-templates/own.toml:11:15 error acl-misplaced: operation CREATE does not exist on a group
        Known operations: READ, DELETE, DESCRIBE.
    ");
    insta::assert_snapshot!(acl_on("\"READ\"", "transactional-id:{prefix}*"), @r"
    rbac-templates/own.toml:11:15 error acl-misplaced: operation READ does not exist on a transactional-id
        Known operations: WRITE, DESCRIBE.
    ");
}

// Source: docs/reference/rbac.md#roles-of-a-connectors-account. ACLs on shared names allow to create and write, and
// neither to read nor to delete nor to alter.
#[test]
fn acls_are_accepted_only_on_own_and_shared_names() {
    for own in ["topic:{prefix}*", "topic:{prefix}audit"] {
        let all = "\"CREATE\", \"READ\", \"WRITE\", \"DELETE\", \"ALTER\", \"DESCRIBE\", \"ALTER_CONFIGS\", \"DESCRIBE_CONFIGS\"";
        assert_eq!(acl_on(all, own), "", "{own}");
    }
    for shared in [
        "topic:dlq-lcc*",
        "topic:success-lcc*",
        "topic:error-lcc*",
        "topic:data-preview*",
    ] {
        assert_eq!(acl_on("\"CREATE\", \"WRITE\", \"DESCRIBE\"", shared), "", "{shared}");
        for operation in ["READ", "DELETE", "ALTER", "ALTER_CONFIGS"] {
            let said = acl_on(&format!("\"{operation}\""), shared);
            assert!(
                said.contains("error grant-beyond-prefix"),
                "{operation} {shared}: {said}"
            );
        }
    }
    assert_eq!(acl_on("\"READ\"", "group:connect-lcc*"), "");
    insta::assert_snapshot!(acl_on("\"READ\", \"WRITE\"", "topic:dlq-lcc*"), @r"
    rbac-templates/own.toml:11:15 error grant-beyond-prefix: READ on `topic:dlq-lcc*` gives access to resources of other departments
        Allowed operations: CREATE, WRITE, DESCRIBE.
    ");
    insta::assert_snapshot!(acl_on("\"DELETE\"", "group:connect-lcc*"), @r"
    rbac-templates/own.toml:11:15 error grant-beyond-prefix: DELETE on `group:connect-lcc*` gives access to resources of other departments
        Allowed operations: READ, DESCRIBE.
    ");
    insta::assert_snapshot!(acl_on("\"WRITE\"", "topic:shared-in"), @r"
    rbac-templates/own.toml:12:6 error grant-beyond-prefix: `topic:shared-in` is neither within the department's prefix nor a shared name
        Write `topic:{prefix}*`, or one of `topic:dlq-lcc*`, `topic:success-lcc*`, `topic:error-lcc*`, `topic:data-preview*`.
    ");
    insta::assert_snapshot!(acl_on("\"WRITE\"", "topic:dlq-*"), @r"
    rbac-templates/own.toml:12:6 error grant-beyond-prefix: `topic:dlq-*` is neither within the department's prefix nor a shared name
        Write `topic:{prefix}*`, or one of `topic:dlq-lcc*`, `topic:success-lcc*`, `topic:error-lcc*`, `topic:data-preview*`.
    ");
    insta::assert_snapshot!(acl_on("\"READ\"", "topic:*"), @r"
    rbac-templates/own.toml:12:6 error grant-beyond-prefix: `topic:*` is neither within the department's prefix nor a shared name
        Write `topic:{prefix}*`, or one of `topic:dlq-lcc*`, `topic:success-lcc*`, `topic:error-lcc*`, `topic:data-preview*`.
    ");
    insta::assert_snapshot!(acl_on("\"WRITE\"", "transactional-id:x*"), @r"
    rbac-templates/own.toml:12:6 error grant-beyond-prefix: `transactional-id:x*` is neither within the department's prefix nor a shared name
        Write `transactional-id:{prefix}*`.
    ");
}

#[test]
fn an_acl_that_no_key_can_use_is_a_warning() {
    let with = |keys: &str| {
        template_findings(&format!(
            "[[persona]]\nname = \"operator\"\nkeys = [{keys}]\n\n[[persona.grant]]\nrole = \"DeveloperRead\"\n\
             on = \"connector:{{prefix}}*\"\nwhy = \"w\"\n\n[[persona.acl]]\noperations = [\"READ\"]\n\
             on = \"topic:{{prefix}}*\"\nwhy = \"w\"\n"
        ))
    };
    assert_eq!(with("\"cloud\", \"kafka\""), "");
    insta::assert_snapshot!(with("\"cloud\""), @r#"
    rbac-templates/own.toml:12:6 warning grant-unusable: no key of `operator` can use an ACL on a topic
        Add `keys = ["kafka"]`, or remove the grant.
    "#);
}

#[test]
fn roles_are_accepted_only_on_kinds_where_they_can_be_bound() {
    let role = |role: &str, on: &str| {
        grant(
            "\"cloud\", \"kafka\"",
            &format!("role = \"{role}\"\non = \"{on}\"\nwhy = \"w\""),
        )
    };
    insta::assert_snapshot!(role("DeveloperManage", "connector:{prefix}*"), @r"
    rbac-templates/own.toml:6:8 error role-misplaced: DeveloperManage does not exist on connectors in Confluent Cloud
        Grant ConnectManager to operate connectors, or ResourceOwner to create and delete them.
    ");
    insta::assert_snapshot!(role("Assigner", "connector:{prefix}*"), @r#"
    rbac-templates/own.toml:6:8 error role-misplaced: Assigner cannot be granted on kind `connector`, because it can only be bound on service accounts
        Write `on = "service-account:{runtime}"`.
    "#);
    insta::assert_snapshot!(role("ResourceOwner", "service-account:{runtime}"), @r"
    rbac-templates/own.toml:6:8 error role-misplaced: the owner of a service account can create keys for it and act as it outside of Connect
        Grant Assigner, which is sufficient to run connectors under the account.
    ");
    insta::assert_snapshot!(role("DeveloperRead", "service-account:{runtime}"), @r"
    rbac-templates/own.toml:6:8 error role-misplaced: DeveloperRead cannot be granted on kind `service-account`, because it cannot be bound on this kind of resource
        Grant Assigner, which is sufficient to run connectors under the account.
    ");
    insta::assert_snapshot!(role("ConnectManager", "topic:{prefix}*"), @"rbac-templates/own.toml:6:8 error role-misplaced: ConnectManager cannot be granted on kind `topic`, because it can only be bound on connectors and on a whole cluster");
    insta::assert_snapshot!(role("DeveloperRead", "cluster"), @"rbac-templates/own.toml:6:8 error role-misplaced: DeveloperRead cannot be granted on kind `cluster`, because it can only be bound on resources below the scope, by name or prefix");
    insta::assert_snapshot!(role("MetricsViewer", "cluster"), @r"
    rbac-templates/own.toml:7:6 warning grant-beyond-prefix: MetricsViewer on the whole cluster shows resources of other departments
        The isolation check after onboarding will report it as an overlap.
    ");
    insta::assert_snapshot!(role("ResourceOwner", "topic:*"), @r"
    rbac-templates/own.toml:7:6 error grant-beyond-prefix: `topic:*` covers every topic of all departments
        Write `topic:{prefix}*`.
    ");
}

#[test]
fn a_grant_that_no_key_can_use_is_a_warning() {
    let with = |keys: &str, on: &str| grant(keys, &format!("role = \"DeveloperRead\"\non = \"{on}\"\nwhy = \"w\""));
    insta::assert_snapshot!(with("\"cloud\"", "topic:{prefix}*"), @r#"
    rbac-templates/own.toml:7:6 warning grant-unusable: no key of `operator` can use a role on a topic
        Add `keys = ["kafka"]`, or remove the grant.
    "#);
    insta::assert_snapshot!(with("\"kafka\"", "subject:{prefix}*"), @r#"
    rbac-templates/own.toml:7:6 warning grant-unusable: no key of `operator` can use a role on a subject
        Add `keys = ["schema-registry"]`, or remove the grant.
    "#);
    insta::assert_snapshot!(with("", "connector:{prefix}*"), @r#"
    rbac-templates/own.toml:7:6 warning grant-unusable: persona `operator` has no key, and connectors need no role on a connector
        Grant the role to a persona with `keys = ["cloud"]`.
    "#);
    assert_eq!(with("\"cloud\"", "connector:{prefix}*"), "");
    assert_eq!(with("", "subject:{prefix}*"), "");
}

#[test]
fn a_template_of_the_platform_replaces_the_shipped_one_of_the_same_name() {
    let text = "[[persona]]\nname = \"watcher\"\nkeys = [\"cloud\"]\n\n[[persona.grant]]\nrole = \"DeveloperRead\"\non = \"connector:{prefix}*\"\nwhy = \"w\"\n";
    let loaded = load(PLATFORM, &[], &[("read-only", text)]);
    assert!(loaded.findings.is_empty(), "{}", findings_text(&loaded.findings));
    let template = loaded.workspace.template("read-only").unwrap();
    assert_eq!(template.personas[0].name, "watcher");
    assert_eq!(template.personas[0].grants[0].role, Role::DeveloperRead);
    assert_eq!(
        template.personas[0].grants[0].on,
        GrantTarget::Prefix(ResourceKind::Connector)
    );
}

#[test]
fn the_template_hash_depends_on_grants_only() {
    let text = |why: &str, role: &str| {
        format!(
            "[[persona]]\nname = \"a\"\nkeys = [\"cloud\"]\n[[persona.grant]]\nrole = \"{role}\"\non = \"connector:{{prefix}}*\"\nwhy = \"{why}\"\n"
        )
    };
    let hash = |text: &str| {
        load(PLATFORM, &[], &[("own", text)])
            .workspace
            .template("own")
            .unwrap()
            .hash
            .clone()
    };
    let first = hash(&text("one", "DeveloperRead"));
    assert_eq!(hash(&text("another", "DeveloperRead")), first);
    assert_eq!(hash(&text("one", "DeveloperRead").replace('\n', "\r\n")), first);
    assert_ne!(hash(&text("one", "DeveloperWrite")), first);
    let acl = |operation: &str, why: &str| {
        let acl =
            format!("[[persona.acl]]\noperations = [\"{operation}\"]\non = \"topic:{{prefix}}*\"\nwhy = \"{why}\"\n");
        hash(&format!(
            "{}{acl}",
            text("one", "DeveloperRead").replace("cloud", "cloud\", \"kafka")
        ))
    };
    assert_ne!(acl("READ", "one"), first);
    assert_ne!(acl("READ", "one"), acl("WRITE", "one"));
    assert_eq!(acl("READ", "one"), acl("READ", "another"));
}

#[test]
fn invalid_template_and_persona_names_are_rejected() {
    let name = |stem: &str| findings_text(&load(PLATFORM, &[], &[(stem, &grant_text())]).findings);
    insta::assert_snapshot!(name("My Template"), @r"
    rbac-templates/My Template.toml:1:1 error template-name: `My Template` is not a template name: expected 1 to 20 characters of a-z, 0-9 and `-`, starting with a letter
        Rename the file. Its name without `.toml` is the template's name.
    rbac-templates/My Template.toml:2:8 error persona-name: `prefix` is not allowed as a persona name, because `{prefix}` means the department's prefix
    ");
}

// The limits on stages, codes, personas and template names ensure that account names fit, without a separate check.
#[test]
fn the_longest_names_that_are_allowed_fit_the_service() {
    let stage = "s".repeat(13);
    let platform = format!("[stages.{stage}]\nenvironment = \"env-1\"\ncluster = \"lkc-1\"\n");
    let (code, persona, template) = ("c".repeat(24), "p".repeat(12), "t".repeat(20));
    let department = format!("name = \"A\"\nprefix = \"aaa-\"\ntemplate = \"{template}\"\n");
    let text = grant_text().replace("\"prefix\"", &format!("\"{persona}\""));
    let loaded = load(
        &platform,
        &[(code.as_str(), department.as_str())],
        &[(template.as_str(), text.as_str())],
    );
    assert!(loaded.findings.is_empty(), "{}", findings_text(&loaded.findings));
    let workspace = loaded.workspace;
    let (stage, described) = workspace.platform.stage(None).unwrap();
    let address = described.address(&"11111111-2222-3333-4444-555555555555".parse().unwrap());
    let desired = workspace
        .desired_department(workspace.departments().next().unwrap(), stage, &address)
        .unwrap();
    let tag = &desired.personas[0].tag;
    assert!(tag.account_name().len() <= ownership::NAME_LENGTH);
    let mut tag = tag.clone();
    tag.profile_hash = "0".repeat(8);
    assert!(
        tag.to_string().len() <= ownership::DESCRIPTION_LENGTH,
        "{}",
        tag.to_string().len()
    );
}

fn grant_text() -> String {
    "[[persona]]\nname = \"prefix\"\nkeys = []\n[[persona.grant]]\nrole = \"DeveloperRead\"\non = \"topic:{prefix}*\"\nwhy = \"w\"\n".to_owned()
}
