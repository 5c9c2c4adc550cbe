//! Tests of CRN text forms and of pattern coverage.

use proptest::prelude::*;

use super::*;

fn address() -> StageAddress {
    StageAddress {
        organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
        environment: "env-abc123".parse().unwrap(),
        cluster: "lkc-abc123".parse().unwrap(),
        schema_registry: Some("lsrc-abc123".parse().unwrap()),
    }
}

// Recorded requests of the Confluent CLI (`traces/confluent-cli.jsonl`, `iam rbac role-binding create`).
#[test]
fn patterns_equal_those_of_the_confluent_cli() {
    let prefix = || NamePattern::Prefixed("claims-".into());
    let org = "crn://confluent.cloud/organization=11111111-2222-3333-4444-555555555555";
    let cluster = format!("{org}/environment=env-abc123/cloud-cluster=lkc-abc123");
    let expected = [
        (ResourceKind::Connector, format!("{cluster}/connector=claims-*")),
        (
            ResourceKind::Topic,
            format!("{cluster}/kafka=lkc-abc123/topic=claims-*"),
        ),
        (
            ResourceKind::Group,
            format!("{cluster}/kafka=lkc-abc123/group=claims-*"),
        ),
        (
            ResourceKind::TransactionalId,
            format!("{cluster}/kafka=lkc-abc123/transactional-id=claims-*"),
        ),
        (
            ResourceKind::Subject,
            format!("{org}/environment=env-abc123/schema-registry=lsrc-abc123/subject=claims-*"),
        ),
        (ResourceKind::Cluster, cluster.clone()),
        (ResourceKind::Organization, org.to_owned()),
    ];
    for (kind, text) in expected {
        let pattern = address().pattern(kind, prefix()).unwrap();
        assert_eq!(pattern.to_string(), text);
        assert_eq!(text.parse::<CrnPattern>().unwrap(), pattern);
    }
}

#[test]
fn a_cluster_covers_its_descendants_and_nothing_else() {
    let cluster = CrnPattern::from(address().cluster_crn());
    assert!(cluster.covers(&address().resource(ResourceKind::Topic, "x").unwrap()));
    assert!(cluster.covers(&address().resource(ResourceKind::Connector, "x").unwrap()));
    assert!(!cluster.covers(&address().resource(ResourceKind::Subject, "x").unwrap()));
    assert!(!cluster.covers(&address().environment_crn()));
}

#[test]
fn misplaced_wildcards_are_rejected_and_escapes_are_decoded() {
    let org = "crn://confluent.cloud/organization=o";
    assert!(
        format!("{org}/environment=*/cloud-cluster=lkc-1")
            .parse::<CrnPattern>()
            .is_err()
    );
    assert!(format!("{org}/service-account=a*b").parse::<CrnPattern>().is_err());
    let escaped: CrnPattern = format!("{org}/subject=%3A.ctx%3A*").parse().unwrap();
    assert_eq!(escaped.name(), &NamePattern::Prefixed(":.ctx:".into()));
}

fn name_pattern() -> impl Strategy<Value = NamePattern> {
    ("[ab]{0,4}", any::<bool>()).prop_map(|(stem, prefixed)| match prefixed {
        true => NamePattern::Prefixed(stem),
        false => NamePattern::Literal(format!("x{stem}")),
    })
}

proptest! {
    #[test]
    fn covers_is_consistent_with_matches(a in name_pattern(), b in name_pattern(), name in "x?[ab]{0,5}") {
        if a.covers(&b) && b.matches(&name) { prop_assert!(a.matches(&name)); }
        if a.matches(&name) && b.matches(&name) { prop_assert!(a.overlaps(&b)); }
    }

    #[test]
    fn a_pattern_round_trips_through_text(name in "[a-z0-9._-]{1,12}", star in any::<bool>()) {
        let text = if star { format!("{name}*") } else { name };
        let pattern = address().pattern(ResourceKind::Topic, NamePattern::parse(&text).unwrap()).unwrap();
        prop_assert_eq!(pattern.to_string().parse::<CrnPattern>().unwrap(), pattern);
    }
}
