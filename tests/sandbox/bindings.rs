//! Role bindings: who may bind which roles, and who may list them.

use confluent_ebs::sandbox::{ListVisibility, SandboxAssumptions, SandboxSettings};
use serde_json::{Value, json};

use crate::common::{Caller, JsonAccess as _, SandboxResponse, SandboxServer, encode_query_value};

const BINDINGS_PATH: &str = "/iam/v2/role-bindings";

async fn create_binding(
    api: &SandboxServer,
    login: &Caller,
    account: &str,
    role: &str,
    pattern: &str,
) -> SandboxResponse {
    let body = json!({ "principal": format!("User:{account}"), "role_name": role, "crn_pattern": pattern });
    api.post(login, BINDINGS_PATH, body).await
}

async fn list_bindings(api: &SandboxServer, login: &Caller, pattern: &str, more: &str) -> Vec<Value> {
    api.list_all(
        login,
        &format!("{BINDINGS_PATH}?crn_pattern={}{more}", encode_query_value(pattern)),
    )
    .await
}

fn api_with_assumptions(change: impl FnOnce(&mut SandboxAssumptions)) -> SandboxServer {
    let mut settings = SandboxSettings::instant();
    change(&mut settings.assumptions);
    SandboxServer::with_settings(settings)
}

/// Roles that the provisioner may bind: all in its clusters and on subjects, and roles on its own accounts
/// (docs/reference/rbac.md#roles-of-the-provisioner).
#[tokio::test]
async fn the_provisioner_can_grant_roles_only_in_its_own_scopes() {
    let api = SandboxServer::new();
    let (account, cluster) = (api.create_account("claims").await, api.cluster_crn());
    let organization = api.seed.stages[0].address.organization_crn().to_string();
    let environment = api.seed.stages[0].address.environment_crn().to_string();
    let foreign = api
        .post(
            &api.admin,
            "/iam/v2/service-accounts",
            json!({ "display_name": "foreign" }),
        )
        .await
        .string_at("/id");
    for (role, pattern, status) in [
        ("ResourceOwner", format!("{cluster}/connector=claims-*"), 201),
        (
            "DeveloperRead",
            format!("{cluster}/kafka=lkc-prod1/topic=claims-*"),
            201,
        ),
        (
            "DeveloperRead",
            format!("{cluster}/kafka=lkc-prod1/group=connect-lcc*"),
            201,
        ),
        (
            "DeveloperWrite",
            format!("{cluster}/kafka=lkc-prod1/transactional-id=claims-*"),
            201,
        ),
        (
            "DeveloperRead",
            format!("{environment}/schema-registry=lsrc-prod1/subject=claims-*"),
            201,
        ),
        ("Assigner", format!("{organization}/service-account={account}"), 201),
        ("Assigner", format!("{organization}/service-account={foreign}"), 403),
        ("EnvironmentAdmin", environment.clone(), 403),
        ("MetricsViewer", environment.clone(), 403),
        ("OrganizationAdmin", organization.clone(), 403),
        (
            "DeveloperRead",
            format!("{organization}/environment=env-prod1/cloud-cluster=lkc-other1/connector=x-*"),
            403,
        ),
    ] {
        let answer = create_binding(&api, &api.provisioner, &account, role, &pattern).await;
        assert_eq!(answer.status.as_u16(), status, "{role} on {pattern}: {:?}", answer.body);
    }
}

/// Source: docs/reference/rbac.md#scopes-of-role-bindings, docs/reference/rbac.md#cluster-types-with-rbac and
/// docs/reference/rbac.md#crn-patterns. 400 for unsupported combinations.
#[tokio::test]
async fn roles_in_unsupported_scopes_are_refused() {
    let api = SandboxServer::new();
    let (account, cluster) = (api.create_account("claims").await, api.cluster_crn());
    let organization = api.seed.stages[0].address.organization_crn().to_string();
    let basic = format!("{organization}/environment=env-test1/cloud-cluster=lkc-basic1");
    let dedicated = format!("{organization}/environment=env-test1/cloud-cluster=lkc-dedicated1");
    for (role, pattern, status) in [
        // TFI-111: resource roles on a bare cluster.
        ("DeveloperRead", cluster.clone(), 400),
        // TFI-93: a connector below `kafka=`.
        (
            "DeveloperRead",
            format!("{cluster}/kafka=lkc-prod1/connector=claims-*"),
            400,
        ),
        ("CloudClusterAdmin", organization.clone(), 400),
        ("EnvironmentAdmin", cluster.clone(), 400),
        ("DeveloperManage", format!("{cluster}/connector=claims-*"), 400),
        ("Wizard", format!("{cluster}/connector=claims-*"), 400),
        (
            "DeveloperRead",
            format!("{cluster}/kafka=lkc-test1/topic=claims-*"),
            400,
        ),
        (
            "DeveloperRead",
            format!("{organization}/environment=env-prod1/cloud-cluster=lkc-nope/connector=x"),
            400,
        ),
        (
            "DeveloperRead",
            format!("{organization}/environment=env-test1/cloud-cluster=lkc-prod1/connector=x"),
            400,
        ),
        ("EnvironmentAdmin", format!("{organization}/environment=env-nope"), 400),
        ("Assigner", format!("{organization}/service-account=sa-nope99"), 400),
        ("Assigner", format!("{organization}/service-account=*"), 400),
        ("DeveloperRead", format!("{cluster}/connector=cla*ms"), 400),
        ("DeveloperRead", "not a crn".to_owned(), 400),
        // Basic clusters only have administrator roles.
        ("ConnectManager", format!("{basic}/connector=claims-*"), 400),
        ("DeveloperRead", format!("{basic}/kafka=lkc-basic1/topic=claims-*"), 400),
        ("CloudClusterAdmin", basic.clone(), 201),
        ("ConnectManager", format!("{dedicated}/connector=claims-*"), 201),
    ] {
        let answer = create_binding(&api, &api.admin, &account, role, &pattern).await;
        assert_eq!(answer.status.as_u16(), status, "{role} on {pattern}: {:?}", answer.body);
    }
    for missing in ["principal", "role_name", "crn_pattern"] {
        let mut body = json!({
            "principal": format!("User:{account}"), "role_name": "DeveloperRead",
            "crn_pattern": format!("{cluster}/connector=x"),
        });
        body[missing] = Value::Null;
        let status = api.post(&api.admin, BINDINGS_PATH, body.clone()).await.status;
        assert!(status == 400, "{missing}");
        body.as_object_mut().unwrap().remove(missing);
        api.post(&api.admin, BINDINGS_PATH, body).await.expect_status(400);
    }
}

#[tokio::test]
async fn permission_is_checked_before_the_role_name() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    let own = format!("{}/connector=claims-*", api.cluster_crn());
    api.bind(&account, "ResourceOwner", &own).await;
    let owner = api.create_key(&account, "cloud").await;
    let other = format!("{}/connector=fraud-*", api.cluster_crn());
    create_binding(&api, &owner, &account, "Wizard", &other)
        .await
        .expect_status(403);
    create_binding(&api, &owner, &account, "Wizard", &own)
        .await
        .expect_status(400);
    // T3: ResourceOwner may bind roles, but only within its own pattern.
    let inside = format!("{}/connector=claims-sub-*", api.cluster_crn());
    let above = format!("{}/connector=claims*", api.cluster_crn());
    create_binding(&api, &owner, &account, "DeveloperRead", &inside)
        .await
        .expect_status(201);
    create_binding(&api, &owner, &account, "DeveloperRead", &above)
        .await
        .expect_status(403);
}

#[tokio::test]
async fn connect_manager_on_a_prefix_is_refused_when_assumed() {
    let api = api_with_assumptions(|assumptions| assumptions.bindable.connect_manager_on_connector = false);
    let account = api.create_account("claims").await;
    let pattern = format!("{}/connector=claims-*", api.cluster_crn());
    let answer = create_binding(&api, &api.provisioner, &account, "ConnectManager", &pattern).await;
    assert!(
        answer
            .expect_status(400)
            .first_error()
            .1
            .contains("ConnectManager cannot be bound")
    );
    create_binding(&api, &api.provisioner, &account, "DeveloperRead", &pattern)
        .await
        .expect_status(201);
}

#[tokio::test]
async fn a_duplicate_binding_conflicts_or_returns_the_existing_one() {
    for conflicts in [true, false] {
        let api = api_with_assumptions(|assumptions| assumptions.duplicate_binding_conflicts = conflicts);
        let account = api.create_account("claims").await;
        let pattern = format!("{}/connector=claims-*", api.cluster_crn());
        let first = api.bind(&account, "DeveloperRead", &pattern).await;
        let again = create_binding(&api, &api.admin, &account, "DeveloperRead", &pattern).await;
        if conflicts {
            assert_eq!(again.expect_status(409).first_error().0, "resource_already_exists");
        } else {
            assert_eq!(again.expect_status(201).string_at("/id"), first);
        }
        let mine = list_bindings(&api, &api.admin, &pattern, "").await;
        assert_eq!(mine.len(), 1);
    }
}

#[tokio::test]
async fn a_binding_for_an_unknown_principal_is_refused() {
    for forbidden in [true, false] {
        let api = api_with_assumptions(|assumptions| assumptions.unknown_principal_is_forbidden = forbidden);
        let pattern = format!("{}/connector=claims-*", api.cluster_crn());
        for principal in ["sa-nope99", "u-nope99", "i-invitation1", "pool-abc1"] {
            let answer = create_binding(&api, &api.provisioner, principal, "DeveloperRead", &pattern).await;
            answer.expect_status(if forbidden { 403 } else { 400 });
        }
        let body = json!({ "principal": "sa-1", "role_name": "DeveloperRead", "crn_pattern": pattern });
        api.post(&api.provisioner, BINDINGS_PATH, body).await.expect_status(400);
    }
}

#[tokio::test]
async fn binding_lists_match_a_scope_exactly_or_below_it() {
    let api = SandboxServer::new();
    let (account, cluster) = (api.create_account("claims").await, api.cluster_crn());
    api.bind(&account, "DeveloperRead", &format!("{cluster}/connector=claims-*"))
        .await;
    api.bind(&account, "DeveloperRead", &format!("{cluster}/connector=claims-x"))
        .await;
    api.bind(
        &account,
        "DeveloperRead",
        &format!("{cluster}/kafka=lkc-prod1/topic=claims-*"),
    )
    .await;
    api.get(&api.admin, BINDINGS_PATH).await.expect_status(400);
    api.get(&api.admin, &format!("{BINDINGS_PATH}?crn_pattern="))
        .await
        .expect_status(400);
    api.get(&api.admin, &format!("{BINDINGS_PATH}?crn_pattern=nonsense"))
        .await
        .expect_status(400);
    let count = async |pattern: &str, more: &str| list_bindings(&api, &api.admin, pattern, more).await.len();
    // The provisioner's CloudClusterAdmin is on the cluster itself.
    assert_eq!(count(&cluster, "").await, 1);
    assert_eq!(count(&format!("{cluster}/*"), "").await, 3);
    assert_eq!(count(&format!("{cluster}/kafka=lkc-prod1/*"), "").await, 1);
    assert_eq!(count(&format!("{cluster}/connector=claims-*"), "").await, 1);
    assert_eq!(count(&format!("{cluster}/connector=claims-x"), "").await, 1);
    assert_eq!(count(&format!("{cluster}/connector=claims"), "").await, 0);
    assert_eq!(count(&format!("{cluster}/*"), "&principal=&role_name=").await, 3);
    assert_eq!(count(&format!("{cluster}/*"), "&principal=User:sa-other1").await, 0);
    assert_eq!(count(&format!("{cluster}/*"), "&role_name=DeveloperWrite").await, 0);
    let organization = api.seed.stages[0].address.organization_crn().to_string();
    assert_eq!(count(&organization, "").await, 1, "the administrator");
    // All: 3 created here, 4 of the provisioner, its ownership of the account.
    assert_eq!(count(&format!("{organization}/*"), "").await, 8);
    let other = organization.replace("1111", "2222");
    assert_eq!(count(&format!("{other}/*"), "").await, 0);
}

#[tokio::test]
async fn binding_lists_depend_on_the_rights_of_the_caller() {
    for mode in [
        ListVisibility::Filtered,
        ListVisibility::Refused,
        ListVisibility::Everything,
    ] {
        let api = api_with_assumptions(|assumptions| assumptions.binding_list = mode);
        let cluster = api.cluster_crn();
        let claims = api.create_account("claims").await;
        let fraud = api.create_account("fraud").await;
        api.bind(&claims, "ResourceOwner", &format!("{cluster}/connector=claims-*"))
            .await;
        api.bind(&fraud, "ResourceOwner", &format!("{cluster}/connector=fraud-*"))
            .await;
        api.bind(&fraud, "DeveloperRead", &format!("{cluster}/connector=claims-*"))
            .await;
        let login = api.create_key(&claims, "cloud").await;
        let below = format!(
            "{BINDINGS_PATH}?crn_pattern={}",
            encode_query_value(&format!("{cluster}/*"))
        );
        let answer = api.get(&login, &below).await;
        match mode {
            // Its own binding, and the one on its own prefix.
            ListVisibility::Filtered => assert_eq!(answer.expect_status(200).items().len(), 2),
            ListVisibility::Refused => drop(answer.expect_status(403)),
            ListVisibility::Everything => assert_eq!(answer.expect_status(200).items().len(), 3),
        }
        // On its own prefix the owner can list all bindings with every setting, and so can the provisioner in its
        // cluster.
        let own = format!("{cluster}/connector=claims-*");
        assert_eq!(list_bindings(&api, &login, &own, "").await.len(), 2);
        assert_eq!(
            list_bindings(&api, &api.provisioner, &format!("{cluster}/*"), "")
                .await
                .len(),
            3
        );
        assert_eq!(
            list_bindings(
                &api,
                &login,
                &format!("{cluster}/*"),
                &format!("&principal=User:{claims}")
            )
            .await
            .len(),
            1,
            "the caller's own bindings"
        );
    }
}

#[tokio::test]
async fn own_bindings_are_visible_when_assumed() {
    for visible in [true, false] {
        let api = api_with_assumptions(|assumptions| assumptions.own_bindings_visible = visible);
        let account = api.create_account("claims").await;
        let pattern = format!("{}/connector=claims-*", api.cluster_crn());
        let id = api.bind(&account, "DeveloperRead", &pattern).await;
        let login = api.create_key(&account, "cloud").await;
        assert_eq!(
            list_bindings(&api, &login, &pattern, "").await.len(),
            usize::from(visible)
        );
        let answer = api.get(&login, &format!("{BINDINGS_PATH}/{id}")).await;
        answer.expect_status(if visible { 200 } else { 403 });
    }
}

#[tokio::test]
async fn a_deleted_binding_is_indistinguishable_from_a_foreign_one() {
    let api = SandboxServer::new();
    let account = api.create_account("claims").await;
    let pattern = format!("{}/connector=claims-*", api.cluster_crn());
    let id = api.bind(&account, "DeveloperRead", &pattern).await;
    let login = api.create_key(&account, "cloud").await;
    let path = format!("{BINDINGS_PATH}/{id}");
    api.get(&api.provisioner, &path).await.expect_status(200);
    // It can read its own binding, but not delete it.
    api.delete(&login, &path).await.expect_status(403);
    let deleted = api.delete(&api.provisioner, &path).await.expect_status(200);
    assert_eq!(deleted.string_at("/id"), id);
    for answer in [
        api.get(&api.provisioner, &path).await,
        api.delete(&api.provisioner, &path).await,
        api.get(&api.admin, &format!("{BINDINGS_PATH}/rb-nope")).await,
    ] {
        let answer = answer.expect_status(403);
        assert_eq!(answer.json()["error_code"], 40_301);
        assert!(answer.first_error().1.contains("does not exist"));
    }
    // The role is revoked immediately.
    let connector = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors/claims-x/status";
    api.get(&login, connector).await.expect_status(403);
}

/// Large scopes are listed by another algorithm than small ones; both give the same result.
#[tokio::test]
async fn large_and_small_scopes_are_paged_alike() {
    let api = SandboxServer::new();
    let (account, cluster) = (api.create_account("claims").await, api.cluster_crn());
    for number in 0..600 {
        let pattern = format!("{cluster}/kafka=lkc-prod1/topic=claims-{number}");
        api.bind(&account, "DeveloperRead", &pattern).await;
    }
    api.bind(&account, "DeveloperRead", &format!("{cluster}/connector=claims-*"))
        .await;
    let all = list_bindings(&api, &api.admin, &format!("{cluster}/*"), "&page_size=100").await;
    let mut ids: Vec<_> = all.iter().map(|found| found.text("/id")).collect();
    assert_eq!(ids.len(), 601);
    assert!(ids.is_sorted());
    ids.dedup();
    assert_eq!(ids.len(), 601);
    let topics = list_bindings(
        &api,
        &api.admin,
        &format!("{cluster}/kafka=lkc-prod1/*"),
        "&page_size=1000",
    )
    .await;
    assert_eq!(topics.len(), 600);
    let connectors = list_bindings(&api, &api.admin, &format!("{cluster}/connector=claims-*"), "").await;
    assert_eq!(connectors.len(), 1);
    let mine = format!("&page_size=1000&principal=User:{account}");
    let organization = api.seed.stages[0].address.organization_crn();
    assert_eq!(
        list_bindings(&api, &api.admin, &format!("{organization}/*"), &mine)
            .await
            .len(),
        601
    );
}
