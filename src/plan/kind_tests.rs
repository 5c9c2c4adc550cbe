//! A second kind, written only for these tests: throughput limits of runtime accounts, as Kafka client quotas are. An
//! implementation of `ProvisionedKind` suffices for plans.

use std::cell::Cell;

use serde::Serialize;
use serde_json::{Value, json};

use super::*;
use crate::{
    manifest::DesiredPersona,
    plan::{
        Action, PlannedChange,
        kinds::{ComparedPersona, diff_objects},
    },
    resources::{
        Kind, KindInfo, ObjectLimit, ObjectMatch, ObservationClients, ProvisionedKind, ResourceContext, ResourceError,
        UnknownObjects,
    },
};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct ThroughputLimit {
    principal: Principal,
    /// Assigned by the service; `None` in the desired state.
    id: Option<String>,
    bytes_per_second: u64,
}

thread_local! {
    /// Stands in for the field of `Snapshot`.
    static OBSERVED: Cell<&'static [ThroughputLimit]> = const { Cell::new(&[]) };
}

impl ProvisionedKind for ThroughputLimit {
    const INFO: &'static KindInfo = &KindInfo {
        id: "throughput-limit",
        list_key: "throughput_limits",
        singular: "throughput limit",
        plural: "throughput limits",
        listing: Listing::ClusterQuotas,
        needs_kafka_key: false,
        limit: |_| ObjectLimit::Unlimited,
    };

    async fn observe(_: &ObservationClients<'_>, _: &StageAddress) -> Result<Vec<Self>, String> {
        Ok(OBSERVED.get().to_vec())
    }

    fn observed(_: &Snapshot) -> &[Self] {
        OBSERVED.get()
    }

    fn observed_mut(_: &mut Snapshot) -> &mut Vec<Self> {
        unreachable!("the tests set the observed objects")
    }

    fn desired(_: &DesiredDepartment, persona: &DesiredPersona, holder: &Principal) -> Vec<(Self, String)> {
        let limit = Self {
            principal: holder.clone(),
            id: None,
            bytes_per_second: 1_000,
        };
        let is_runtime = persona.persona == "runtime";
        is_runtime
            .then(|| (limit, "fair share".to_owned()))
            .into_iter()
            .collect()
    }

    fn desired_evidence(persona: &DesiredPersona) -> Value {
        json!(persona.persona)
    }

    fn explain_unknown(_: &DesiredDepartment, _: &ServiceAccountId, reason: &str) -> UnknownObjects {
        UnknownObjects {
            rule: "throughput-limits-unknown",
            message: reason.to_owned(),
            hints: Vec::new(),
        }
    }

    fn holder(&self) -> &Principal {
        &self.principal
    }

    fn with_holder(&self, holder: Principal) -> Self {
        Self {
            principal: holder,
            ..self.clone()
        }
    }

    fn compare(&self, desired: &Self) -> ObjectMatch {
        match self.bytes_per_second == desired.bytes_per_second {
            _ if self.principal != desired.principal => ObjectMatch::Other,
            true => ObjectMatch::UpToDate,
            false => ObjectMatch::Outdated,
        }
    }

    fn describe(&self) -> [String; 2] {
        ["rate".to_owned(), format!("{} B/s", self.bytes_per_second)]
    }

    fn planned_json(&self) -> Value {
        json!({ "bytes_per_second": self.bytes_per_second })
    }

    async fn create(&self, _: &ResourceContext) -> Result<String, ResourceError> {
        unreachable!("plans are not applied here")
    }

    async fn delete(&self, _: &ResourceContext) -> Result<String, ResourceError> {
        unreachable!("plans are not applied here")
    }
}

fn observed_limit(principal: &str, bytes_per_second: u64) -> ThroughputLimit {
    ThroughputLimit {
        principal: Principal::from_id(principal),
        id: Some("cq-1".to_owned()),
        bytes_per_second,
    }
}

/// Plans the limits of `persona` for the observed ones.
fn plan_limits(world: &OrganizationFixture, persona: &str, observed: Vec<ThroughputLimit>) -> Plan {
    OBSERVED.set(observed.leak());
    let desired = desired("claims");
    let persona = desired.persona(persona).unwrap();
    let compared = ComparedPersona {
        desired: &desired,
        persona,
        account: world.seen.account_by_name(&persona.account_name),
        account_creation: &[],
    };
    let input = PlanInput {
        stage: "prod",
        address: &address(),
        provisioner: &provisioner(),
        departments: std::slice::from_ref(&desired),
        known_departments: &BTreeSet::new(),
        adopt: &world.adopt,
        known_keys: &world.known_keys,
        prune: true,
    };
    let mut plan = Plan::default();
    let kind = Kind::<ThroughputLimit>::ERASED;
    diff_objects(&kind, &input, &world.seen, &compared, &mut plan);
    plan
}

#[test]
fn a_missing_object_is_created_for_an_account_that_does_not_exist_yet() {
    // An object of a principal with the name of the account is not the account's.
    let account = desired("claims").persona("runtime").unwrap().account_name.clone();
    let plan = plan_limits(
        &OrganizationFixture::empty(),
        "runtime",
        vec![observed_limit(&account, 1_000)],
    );
    let [create] = &plan.changes[..] else {
        panic!("{:?}", plan.changes)
    };
    assert_eq!(create.label(), "create throughput-limit claims-runtime  rate  1000 B/s");
    let value = serde_json::to_value(create).unwrap();
    assert_eq!(value["operation"], "create_throughput_limit");
    assert_eq!(value["principal"], account);
    assert_eq!(value["throughput_limit"], json!({ "bytes_per_second": 1_000 }));
    assert_eq!(
        (create.action, create.operation.noun()),
        (Action::Create, "throughput limit")
    );
}

#[test]
fn an_existing_object_is_kept_updated_or_deleted() {
    let world = OrganizationFixture::onboarded(&desired("claims"));
    let others = || observed_limit("sa-other", 5);
    let plan = plan_limits(&world, "runtime", vec![observed_limit("sa-runtime", 1_000), others()]);
    assert!(plan.is_empty(), "{:?}", plan.changes);

    let plan = plan_limits(&world, "runtime", vec![observed_limit("sa-runtime", 10), others()]);
    let [PlannedChange { action, .. }] = plan.changes[..] else {
        panic!("{:?}", plan.changes)
    };
    assert_eq!(action, Action::Update);
    let value = serde_json::to_value(&plan.changes[0]).unwrap();
    assert_eq!(value["operation"], "update_throughput_limit");
    assert_eq!(
        (&value["from"]["id"], &value["to"]["bytes_per_second"]),
        (&json!("cq-1"), &json!(1_000))
    );

    let plan = plan_limits(&world, "operator", vec![observed_limit("sa-operator", 10), others()]);
    let labels: Vec<_> = plan.changes.iter().map(PlannedChange::label).collect();
    assert_eq!(labels, ["delete throughput-limit claims-operator  rate  10 B/s"]);
}
