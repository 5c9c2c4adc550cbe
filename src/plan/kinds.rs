//! Comparison, teardown and reports of the objects of all provisioned kinds (`KINDS` in `resources`).
//!
//! A kind whose list is unknown is neither compared nor reported. A department that desires such objects is refused.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};

use super::{
    change::{Action, ChangeSubject, ObjectOperation, PlannedOperation},
    diff::{Plan, PlanInput, PlanRefusal, SurplusGrant, account_ref, new_change},
};
use crate::{
    manifest::{DesiredDepartment, DesiredPersona},
    model::{ObservedAccount, Prefix, Principal, Snapshot},
    resources::{AnyKind, KINDS, PrefixRelation, ProvisionedObject},
};

/// Object on the department's prefix that belongs to another principal.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignObject {
    /// Principal, for display.
    pub holder: String,
    /// The object.
    pub object: ProvisionedObject,
}

impl ForeignObject {
    /// Describes the object with its holder: `claims-legacy (sa-1): ALLOW READ on topic claims-*`.
    #[must_use]
    pub fn to_sentence(&self) -> String {
        format!("{}: {}", self.holder, self.object.sentence)
    }
}

/// Objects on the department's prefix that belong to other principals. In JSON, one list per kind: `foreign_acls`.
#[derive(Clone, Debug, Default)]
pub struct ForeignObjects(pub Vec<ForeignObject>);

impl Serialize for ForeignObjects {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for ForeignObject { holder, object } in &self.0 {
            let mut fields = serde_json::Map::from_iter([("holder".to_owned(), json!(holder))]);
            if let Value::Object(more) = &object.json {
                fields.extend(more.clone());
            }
            let key = format!("foreign_{}", object.kind.list_key);
            lists.entry(key).or_default().push(Value::Object(fields));
        }
        let mut map = serializer.serialize_map(Some(lists.len()))?;
        for (key, list) in lists {
            map.serialize_entry(&key, &list)?;
        }
        map.end()
    }
}

/// Refuses a department that desires objects of a kind that is unknown.
pub(super) fn refuse_unknown_objects(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
) -> Vec<PlanRefusal> {
    let refuse = |kind: &&dyn AnyKind| {
        let reason = snapshot.unknown_reason(&kind.info().listing)?;
        if !kind.is_desired(desired) {
            return None;
        }
        let explained = kind.explain_unknown(desired, input.provisioner, reason);
        Some(PlanRefusal {
            department: desired.department.code.clone(),
            rule: explained.rule,
            message: explained.message,
            hints: explained.hints,
        })
    };
    KINDS.iter().filter_map(refuse).collect()
}

/// Persona whose objects are compared, with its account if that exists and the indexes of the changes that create it.
pub(super) struct ComparedPersona<'a> {
    pub(super) desired: &'a DesiredDepartment,
    pub(super) persona: &'a DesiredPersona,
    pub(super) account: Option<&'a ObservedAccount>,
    pub(super) account_creation: &'a [usize],
}

/// Appends the changes of the objects of `kind` for a persona and returns their indexes.
pub(super) fn diff_objects(
    kind: &dyn AnyKind,
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    compared: &ComparedPersona<'_>,
    plan: &mut Plan,
) -> Vec<usize> {
    let ComparedPersona {
        desired,
        persona,
        account,
        account_creation,
    } = *compared;
    let code = &desired.department.code;
    let subject = |object: &ProvisionedObject| object_subject(format!("{code}-{}", persona.persona), object);
    let diff = kind.diff(snapshot, desired, persona, account.map(|account| &account.id));
    let mut changes = Vec::new();
    let mut push = |plan: &mut Plan, action, what, why: String, needs: &[usize], operation| {
        let operation = PlannedOperation::Object(operation);
        let change = new_change(desired, &persona.persona, action, what, why, needs.to_vec(), operation);
        changes.push(plan.push(change));
    };
    for (object, why) in diff.missing {
        let what = subject(&object);
        let principal = account_ref(snapshot, &persona.account_name);
        let create = ObjectOperation::Create { principal, object };
        push(plan, Action::Create, what, why, account_creation, create);
    }
    for (from, to, why) in diff.outdated {
        let what = subject(&to);
        push(
            plan,
            Action::Update,
            what,
            why,
            &[],
            ObjectOperation::Update { from, to },
        );
    }
    for object in diff.surplus {
        let what = subject(&object);
        if input.prune {
            let why = "not granted by the template".to_owned();
            push(plan, Action::Delete, what, why, &[], ObjectOperation::Delete { object });
        } else {
            plan.surplus.push(SurplusGrant {
                department: code.clone(),
                account: persona.account_name.clone(),
                what: what.to_string(),
            });
        }
    }
    changes
}

/// Returns the subject of a change of `object`: holder, operation and target.
pub(super) fn object_subject(holder: String, object: &ProvisionedObject) -> ChangeSubject {
    let [operation, target] = object.summary.clone();
    [holder, operation, target].into()
}

/// Lists objects on the department's names that belong neither to the department nor to the provisioner.
fn objects_of_others<'a>(
    input: &'a PlanInput<'_>,
    snapshot: &'a Snapshot,
    prefix: &'a Prefix,
    department_principals: &'a BTreeSet<Principal>,
) -> impl Iterator<Item = (ForeignObject, PrefixRelation)> {
    let all = KINDS.iter().flat_map(|kind| kind.on_prefix(snapshot, prefix));
    let foreign = all.filter(|(object, _)| {
        let holder = &object.holder;
        !department_principals.contains(holder) && holder.service_account() != Some(input.provisioner)
    });
    foreign.map(|(object, relation)| {
        let holder = holder_name(snapshot, &object.holder);
        (ForeignObject { holder, object }, relation)
    })
}

/// Describes the objects on the department's names that belong to other principals.
pub(super) fn list_unmanaged_objects(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    department_principals: &BTreeSet<Principal>,
) -> Vec<String> {
    let code = &desired.department.code;
    objects_of_others(input, snapshot, &desired.department.prefix, department_principals)
        .map(|(foreign, _)| format!("{code}: {}", foreign.to_sentence()))
        .collect()
}

/// Lists the objects below the prefix that belong to other principals. An object that covers more than the prefix is
/// excluded; [`find_residual_access`](super::find_residual_access) reports its access.
pub(super) fn list_foreign_objects(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    prefix: &Prefix,
    department_principals: &BTreeSet<Principal>,
) -> ForeignObjects {
    let below = objects_of_others(input, snapshot, prefix, department_principals)
        .filter(|(_, relation)| *relation == PrefixRelation::Within);
    ForeignObjects(below.map(|(foreign, _)| foreign).collect())
}

/// Returns the name of a principal for display; ACLs may belong to all principals.
pub(super) fn holder_name(snapshot: &Snapshot, holder: &Principal) -> String {
    if holder.is_all_principals() {
        "all principals".to_owned()
    } else {
        snapshot.display_name(holder)
    }
}
