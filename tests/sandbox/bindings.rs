//! Role bindings: who may give what where, and who sees it.

use confluent_ebs::sandbox::{Assumptions, Listing, Settings};
use serde_json::{Value, json};

use crate::harness::{Answer, Harness, Login, escape};

const BINDINGS: &str = "/iam/v2/role-bindings";

async fn create(world: &Harness, login: &Login, account: &str, role: &str, pattern: &str) -> Answer {
    let body = json!({ "principal": format!("User:{account}"), "role_name": role, "crn_pattern": pattern });
    world.post(login, BINDINGS, body).await
}

async fn list(world: &Harness, login: &Login, pattern: &str, more: &str) -> Vec<Value> {
    world
        .all(login, &format!("{BINDINGS}?crn_pattern={}{more}", escape(pattern)))
        .await
}

fn assuming(change: impl FnOnce(&mut Assumptions)) -> Harness {
    let mut settings = Settings::instant();
    change(&mut settings.assumptions);
    Harness::with(settings)
}

/// What the provisioner may give: everything in its clusters and on subjects, and roles on its own accounts (§8.6).
#[tokio::test]
async fn the_provisioner_gives_roles_where_it_holds_them_and_nowhere_else() {
    let world = Harness::new();
    let (account, cluster) = (world.account("claims").await, world.cluster_crn());
    let organization = world.seed.stages[0].address.organization_crn().to_string();
    let environment = world.seed.stages[0].address.environment_crn().to_string();
    let foreign = world
        .post(
            &world.admin,
            "/iam/v2/service-accounts",
            json!({ "display_name": "foreign" }),
        )
        .await
        .text("/id");
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
        let answer = create(&world, &world.provisioner, &account, role, &pattern).await;
        assert_eq!(answer.status.as_u16(), status, "{role} on {pattern}: {:?}", answer.body);
    }
}

/// Dossier `rbac.md` §1.2, §1.3, §3: 400 for what the service does not offer.
#[tokio::test]
async fn the_service_refuses_roles_where_they_cannot_be_bound() {
    let world = Harness::new();
    let (account, cluster) = (world.account("claims").await, world.cluster_crn());
    let organization = world.seed.stages[0].address.organization_crn().to_string();
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
        // Basic clusters know administrators only.
        ("ConnectManager", format!("{basic}/connector=claims-*"), 400),
        ("DeveloperRead", format!("{basic}/kafka=lkc-basic1/topic=claims-*"), 400),
        ("CloudClusterAdmin", basic.clone(), 201),
        ("ConnectManager", format!("{dedicated}/connector=claims-*"), 201),
    ] {
        let answer = create(&world, &world.admin, &account, role, &pattern).await;
        assert_eq!(answer.status.as_u16(), status, "{role} on {pattern}: {:?}", answer.body);
    }
    for missing in ["principal", "role_name", "crn_pattern"] {
        let mut body = json!({
            "principal": format!("User:{account}"), "role_name": "DeveloperRead",
            "crn_pattern": format!("{cluster}/connector=x"),
        });
        body[missing] = Value::Null;
        let status = world.post(&world.admin, BINDINGS, body.clone()).await.status;
        assert!(status == 400, "{missing}");
        body.as_object_mut().unwrap().remove(missing);
        world.post(&world.admin, BINDINGS, body).await.expect(400);
    }
}

#[tokio::test]
async fn the_right_is_looked_at_before_the_role() {
    let world = Harness::new();
    let account = world.account("claims").await;
    let own = format!("{}/connector=claims-*", world.cluster_crn());
    world.bind(&account, "ResourceOwner", &own).await;
    let owner = world.make_key(&account, "cloud").await;
    let other = format!("{}/connector=fraud-*", world.cluster_crn());
    create(&world, &owner, &account, "Wizard", &other).await.expect(403);
    create(&world, &owner, &account, "Wizard", &own).await.expect(400);
    // T3: ResourceOwner grants onward, within its own pattern only.
    let inside = format!("{}/connector=claims-sub-*", world.cluster_crn());
    let above = format!("{}/connector=claims*", world.cluster_crn());
    create(&world, &owner, &account, "DeveloperRead", &inside)
        .await
        .expect(201);
    create(&world, &owner, &account, "DeveloperRead", &above)
        .await
        .expect(403);
}

#[tokio::test]
async fn connect_manager_on_a_prefix_is_an_assumption() {
    let world = assuming(|assumptions| assumptions.bindable.connect_manager_on_connector = false);
    let account = world.account("claims").await;
    let pattern = format!("{}/connector=claims-*", world.cluster_crn());
    let answer = create(&world, &world.provisioner, &account, "ConnectManager", &pattern).await;
    assert!(answer.expect(400).error().1.contains("ConnectManager cannot be bound"));
    create(&world, &world.provisioner, &account, "DeveloperRead", &pattern)
        .await
        .expect(201);
}

#[tokio::test]
async fn a_second_time_is_a_conflict_or_the_same_object() {
    for conflicts in [true, false] {
        let world = assuming(|assumptions| assumptions.duplicate_binding_conflicts = conflicts);
        let account = world.account("claims").await;
        let pattern = format!("{}/connector=claims-*", world.cluster_crn());
        let first = world.bind(&account, "DeveloperRead", &pattern).await;
        let again = create(&world, &world.admin, &account, "DeveloperRead", &pattern).await;
        if conflicts {
            assert_eq!(again.expect(409).error().0, "resource_already_exists");
        } else {
            assert_eq!(again.expect(201).text("/id"), first);
        }
        let mine = list(&world, &world.admin, &pattern, "").await;
        assert_eq!(mine.len(), 1);
    }
}

#[tokio::test]
async fn principals_must_exist() {
    for forbidden in [true, false] {
        let world = assuming(|assumptions| assumptions.unknown_principal_is_forbidden = forbidden);
        let pattern = format!("{}/connector=claims-*", world.cluster_crn());
        for stranger in ["sa-nope99", "u-nope99", "i-invitation1", "pool-abc1"] {
            let answer = create(&world, &world.provisioner, stranger, "DeveloperRead", &pattern).await;
            answer.expect(if forbidden { 403 } else { 400 });
        }
        let body = json!({ "principal": "sa-1", "role_name": "DeveloperRead", "crn_pattern": pattern });
        world.post(&world.provisioner, BINDINGS, body).await.expect(400);
    }
}

#[tokio::test]
async fn lists_look_at_a_scope_exactly_or_strictly_below() {
    let world = Harness::new();
    let (account, cluster) = (world.account("claims").await, world.cluster_crn());
    world
        .bind(&account, "DeveloperRead", &format!("{cluster}/connector=claims-*"))
        .await;
    world
        .bind(&account, "DeveloperRead", &format!("{cluster}/connector=claims-x"))
        .await;
    world
        .bind(
            &account,
            "DeveloperRead",
            &format!("{cluster}/kafka=lkc-prod1/topic=claims-*"),
        )
        .await;
    world.get(&world.admin, BINDINGS).await.expect(400);
    world
        .get(&world.admin, &format!("{BINDINGS}?crn_pattern="))
        .await
        .expect(400);
    world
        .get(&world.admin, &format!("{BINDINGS}?crn_pattern=nonsense"))
        .await
        .expect(400);
    let count = async |pattern: &str, more: &str| list(&world, &world.admin, pattern, more).await.len();
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
    let organization = world.seed.stages[0].address.organization_crn().to_string();
    assert_eq!(count(&organization, "").await, 1, "the administrator");
    // Everything: 3 here, 4 of the provisioner, its ownership of the account.
    assert_eq!(count(&format!("{organization}/*"), "").await, 8);
    let other = organization.replace("1111", "2222");
    assert_eq!(count(&format!("{other}/*"), "").await, 0);
}

#[tokio::test]
async fn lists_show_what_the_caller_may_know() {
    for mode in [Listing::Filtered, Listing::Refused, Listing::Everything] {
        let world = assuming(|assumptions| assumptions.binding_list = mode);
        let cluster = world.cluster_crn();
        let claims = world.account("claims").await;
        let fraud = world.account("fraud").await;
        world
            .bind(&claims, "ResourceOwner", &format!("{cluster}/connector=claims-*"))
            .await;
        world
            .bind(&fraud, "ResourceOwner", &format!("{cluster}/connector=fraud-*"))
            .await;
        world
            .bind(&fraud, "DeveloperRead", &format!("{cluster}/connector=claims-*"))
            .await;
        let login = world.make_key(&claims, "cloud").await;
        let below = format!("{BINDINGS}?crn_pattern={}", escape(&format!("{cluster}/*")));
        let answer = world.get(&login, &below).await;
        match mode {
            // Its own, and the one on its own prefix.
            Listing::Filtered => assert_eq!(answer.expect(200).data().len(), 2),
            Listing::Refused => drop(answer.expect(403)),
            Listing::Everything => assert_eq!(answer.expect(200).data().len(), 3),
        }
        // On its own prefix the owner sees all in any mode, and so does the provisioner in its cluster.
        let own = format!("{cluster}/connector=claims-*");
        assert_eq!(list(&world, &login, &own, "").await.len(), 2);
        assert_eq!(
            list(&world, &world.provisioner, &format!("{cluster}/*"), "")
                .await
                .len(),
            3
        );
        assert_eq!(
            list(
                &world,
                &login,
                &format!("{cluster}/*"),
                &format!("&principal=User:{claims}")
            )
            .await
            .len(),
            1,
            "what somebody holds itself"
        );
    }
}

#[tokio::test]
async fn own_bindings_are_visible_unless_the_assumption_is_off() {
    for visible in [true, false] {
        let world = assuming(|assumptions| assumptions.own_bindings_visible = visible);
        let account = world.account("claims").await;
        let pattern = format!("{}/connector=claims-*", world.cluster_crn());
        let id = world.bind(&account, "DeveloperRead", &pattern).await;
        let login = world.make_key(&account, "cloud").await;
        assert_eq!(list(&world, &login, &pattern, "").await.len(), usize::from(visible));
        let answer = world.get(&login, &format!("{BINDINGS}/{id}")).await;
        answer.expect(if visible { 200 } else { 403 });
    }
}

#[tokio::test]
async fn a_binding_that_is_gone_answers_like_one_of_others() {
    let world = Harness::new();
    let account = world.account("claims").await;
    let pattern = format!("{}/connector=claims-*", world.cluster_crn());
    let id = world.bind(&account, "DeveloperRead", &pattern).await;
    let login = world.make_key(&account, "cloud").await;
    let path = format!("{BINDINGS}/{id}");
    world.get(&world.provisioner, &path).await.expect(200);
    // It sees its own binding, but may not take it away.
    world.delete(&login, &path).await.expect(403);
    let deleted = world.delete(&world.provisioner, &path).await.expect(200);
    assert_eq!(deleted.text("/id"), id);
    for answer in [
        world.get(&world.provisioner, &path).await,
        world.delete(&world.provisioner, &path).await,
        world.get(&world.admin, &format!("{BINDINGS}/rb-nope")).await,
    ] {
        let answer = answer.expect(403);
        assert_eq!(answer.json()["error_code"], 40_301);
        assert!(answer.error().1.contains("does not exist"));
    }
    // The role is gone at once.
    let connector = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors/claims-x/status";
    world.get(&login, connector).await.expect(403);
}

/// Large scopes are listed another way than small ones; both say the same.
#[tokio::test]
async fn thousands_of_bindings_come_in_the_same_pages() {
    let world = Harness::new();
    let (account, cluster) = (world.account("claims").await, world.cluster_crn());
    for number in 0..600 {
        let pattern = format!("{cluster}/kafka=lkc-prod1/topic=claims-{number}");
        world.bind(&account, "DeveloperRead", &pattern).await;
    }
    world
        .bind(&account, "DeveloperRead", &format!("{cluster}/connector=claims-*"))
        .await;
    let all = list(&world, &world.admin, &format!("{cluster}/*"), "&page_size=100").await;
    let mut ids: Vec<_> = all.iter().map(|found| found["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 601);
    assert!(ids.is_sorted());
    ids.dedup();
    assert_eq!(ids.len(), 601);
    let topics = list(
        &world,
        &world.admin,
        &format!("{cluster}/kafka=lkc-prod1/*"),
        "&page_size=1000",
    )
    .await;
    assert_eq!(topics.len(), 600);
    let connectors = list(&world, &world.admin, &format!("{cluster}/connector=claims-*"), "").await;
    assert_eq!(connectors.len(), 1);
    let mine = format!("&page_size=1000&principal=User:{account}");
    let organization = world.seed.stages[0].address.organization_crn();
    assert_eq!(
        list(&world, &world.admin, &format!("{organization}/*"), &mine)
            .await
            .len(),
        601
    );
}
