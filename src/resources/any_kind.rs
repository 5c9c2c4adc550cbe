//! Provisioned kinds and their objects with erased types.

use std::{any::Any, fmt, marker::PhantomData, ops::Deref, sync::Arc};

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{
    KindInfo, ObjectMatch, ObservationClients, PrefixRelation, ProvisionedKind, ResourceContext, ResourceError,
    UnknownObjects,
};
use crate::{
    access::Evaluator,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{Prefix, Principal, ServiceAccountId, Snapshot, StageAddress},
};

/// Object of any kind. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ProvisionedObject(Arc<ErasedObject>);

/// Contents of a [`ProvisionedObject`].
#[derive(Debug)]
pub struct ErasedObject {
    /// Kind.
    pub kind: &'static KindInfo,
    /// Principal that the object belongs to.
    pub holder: Principal,
    /// Description in the columns of a plan, without the holder: the operation or property, and its target.
    pub summary: [String; 2],
    /// Description in a sentence, without the holder.
    pub sentence: String,
    /// The object as JSON.
    pub json: Value,
    /// Fields of a creation in the JSON of a plan.
    pub planned_json: Value,
    /// Operations on the object.
    pub operations: Box<dyn ObjectOperations>,
}

impl ProvisionedObject {
    /// Erases the type of an object.
    pub fn new<K: ProvisionedKind>(object: K) -> Self {
        Self(Arc::new(ErasedObject {
            kind: K::INFO,
            holder: object.holder().clone(),
            summary: object.describe(),
            sentence: object.to_sentence(),
            json: serde_json::json!(object),
            planned_json: object.planned_json(),
            operations: Box::new(object),
        }))
    }

    /// Returns the object if it is of kind `K`.
    #[must_use]
    pub fn downcast_ref<K: ProvisionedKind>(&self) -> Option<&K> {
        (&*self.operations as &dyn Any).downcast_ref()
    }
}

impl Deref for ProvisionedObject {
    type Target = ErasedObject;

    fn deref(&self) -> &ErasedObject {
        &self.0
    }
}

impl PartialEq for ProvisionedObject {
    fn eq(&self, other: &Self) -> bool {
        self.kind.id == other.kind.id && self.json == other.json
    }
}

/// Operations on an object of any kind.
pub trait ObjectOperations: Any + fmt::Debug + Send + Sync {
    /// Returns the object for another holder.
    fn for_holder(&self, holder: Principal) -> ProvisionedObject;
    /// Adds the access that the object grants.
    fn grant_access(&self, evaluator: &mut Evaluator, address: &StageAddress);
    /// Creates the object and returns its id.
    fn create_in<'a>(&'a self, context: &'a ResourceContext) -> BoxFuture<'a, Result<String, ResourceError>>;
    /// Updates the object to the content of `desired` and returns its id.
    fn update_to<'a>(
        &'a self,
        desired: &'a ProvisionedObject,
        context: &'a ResourceContext,
    ) -> BoxFuture<'a, Result<String, ResourceError>>;
    /// Deletes the object and returns its id.
    fn delete_in<'a>(&'a self, context: &'a ResourceContext) -> BoxFuture<'a, Result<String, ResourceError>>;
}

impl<K: ProvisionedKind> ObjectOperations for K {
    fn for_holder(&self, holder: Principal) -> ProvisionedObject {
        ProvisionedObject::new(self.with_holder(holder))
    }

    fn grant_access(&self, evaluator: &mut Evaluator, address: &StageAddress) {
        self.add_access(evaluator, address);
    }

    fn create_in<'a>(&'a self, context: &'a ResourceContext) -> BoxFuture<'a, Result<String, ResourceError>> {
        Box::pin(self.create(context))
    }

    fn update_to<'a>(
        &'a self,
        desired: &'a ProvisionedObject,
        context: &'a ResourceContext,
    ) -> BoxFuture<'a, Result<String, ResourceError>> {
        match desired.downcast_ref() {
            Some(desired) => Box::pin(self.update(desired, context)),
            None => Box::pin(std::future::ready(Err(ResourceError::Conflict(
                "an object cannot become one of another kind".to_owned(),
            )))),
        }
    }

    fn delete_in<'a>(&'a self, context: &'a ResourceContext) -> BoxFuture<'a, Result<String, ResourceError>> {
        Box::pin(self.delete(context))
    }
}

/// Difference between the observed and the desired objects of one persona.
#[derive(Debug, Default)]
pub struct ObjectDiff {
    /// Objects to create, each with its reason.
    pub missing: Vec<(ProvisionedObject, String)>,
    /// Observed objects, the desired objects that they must become, and the reasons.
    pub outdated: Vec<(ProvisionedObject, ProvisionedObject, String)>,
    /// Observed objects that are not desired.
    pub surplus: Vec<ProvisionedObject>,
}

/// [`ProvisionedKind`] with its object's type erased; the functions of the kind.
pub trait AnyKind: Sync {
    /// Returns the properties of the kind.
    fn info(&self) -> &'static KindInfo;
    /// Adds the objects to `snapshot`, or the reason why they are unknown.
    fn observe<'a>(&'a self, snapshot: &'a mut Snapshot, clients: &'a ObservationClients<'a>) -> BoxFuture<'a, ()>;
    /// Counts the objects of a snapshot.
    fn count(&self, snapshot: &Snapshot) -> usize;
    /// Returns the objects of `holder`, sorted.
    fn held_by(&self, snapshot: &Snapshot, holder: &Principal) -> Vec<ProvisionedObject>;
    /// Returns the objects on names with a prefix.
    fn on_prefix(&self, snapshot: &Snapshot, prefix: &Prefix) -> Vec<(ProvisionedObject, PrefixRelation)>;
    /// Compares the observed with the desired objects of a persona. Without an account, all desired objects are missing
    /// and have a placeholder as holder.
    fn diff(
        &self,
        snapshot: &Snapshot,
        department: &DesiredDepartment,
        persona: &DesiredPersona,
        account: Option<&ServiceAccountId>,
    ) -> ObjectDiff;
    /// Returns whether `department` desires such objects.
    fn is_desired(&self, department: &DesiredDepartment) -> bool;
    /// Returns the desired state of a persona as it is recorded in the evidence.
    fn desired_evidence(&self, persona: &DesiredPersona) -> Value;
    /// Explains why `department`, which desires such objects, cannot be planned while they are unknown for `reason`.
    fn explain_unknown(
        &self,
        department: &DesiredDepartment,
        provisioner: &ServiceAccountId,
        reason: &str,
    ) -> UnknownObjects;
}

/// Erased form of the kind `K`.
pub struct Kind<K>(PhantomData<fn() -> K>);

impl<K> Kind<K> {
    /// The kind.
    pub const ERASED: Self = Self(PhantomData);
}

impl<K: ProvisionedKind> AnyKind for Kind<K> {
    fn info(&self) -> &'static KindInfo {
        K::INFO
    }

    fn observe<'a>(&'a self, snapshot: &'a mut Snapshot, clients: &'a ObservationClients<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            match K::observe(clients, &snapshot.address).await {
                Ok(objects) => {
                    *K::observed_mut(snapshot) = objects;
                    snapshot.unknown.remove(&K::INFO.listing);
                }
                Err(reason) => drop(snapshot.unknown.insert(K::INFO.listing.clone(), reason)),
            }
        })
    }

    fn count(&self, snapshot: &Snapshot) -> usize {
        K::observed(snapshot).len()
    }

    fn held_by(&self, snapshot: &Snapshot, holder: &Principal) -> Vec<ProvisionedObject> {
        let held = observed_of::<K>(snapshot, holder).into_iter();
        held.cloned().map(ProvisionedObject::new).collect()
    }

    fn on_prefix(&self, snapshot: &Snapshot, prefix: &Prefix) -> Vec<(ProvisionedObject, PrefixRelation)> {
        K::observed(snapshot)
            .iter()
            .map(|object| (object, object.relation_to(prefix)))
            .filter(|(_, relation)| *relation != PrefixRelation::Disjoint)
            .map(|(object, relation)| (ProvisionedObject::new(object.clone()), relation))
            .collect()
    }

    fn diff(
        &self,
        snapshot: &Snapshot,
        department: &DesiredDepartment,
        persona: &DesiredPersona,
        account: Option<&ServiceAccountId>,
    ) -> ObjectDiff {
        let mut diff = ObjectDiff::default();
        let placeholder = || Principal::from_id(&persona.account_name);
        let holder = account.map_or_else(placeholder, |account| account.clone().into());
        let mut rest = match account {
            Some(_) => observed_of::<K>(snapshot, &holder),
            None => Vec::new(),
        };
        for (desired, why) in K::desired(department, persona, &holder) {
            let matches = |object: &&K| object.compare(&desired) != ObjectMatch::Other;
            let Some(place) = rest.iter().position(matches) else {
                diff.missing.push((ProvisionedObject::new(desired), why));
                continue;
            };
            let existing = rest.remove(place);
            if existing.compare(&desired) == ObjectMatch::Outdated {
                let existing = ProvisionedObject::new(existing.clone());
                diff.outdated.push((existing, ProvisionedObject::new(desired), why));
            }
        }
        diff.surplus = rest.into_iter().cloned().map(ProvisionedObject::new).collect();
        diff
    }

    fn is_desired(&self, department: &DesiredDepartment) -> bool {
        let desired = |persona: &DesiredPersona| {
            let placeholder = Principal::from_id(&persona.account_name);
            K::desired(department, persona, &placeholder)
        };
        department.personas.iter().any(|persona| !desired(persona).is_empty())
    }

    fn desired_evidence(&self, persona: &DesiredPersona) -> Value {
        K::desired_evidence(persona)
    }

    fn explain_unknown(
        &self,
        department: &DesiredDepartment,
        provisioner: &ServiceAccountId,
        reason: &str,
    ) -> UnknownObjects {
        K::explain_unknown(department, provisioner, reason)
    }
}

/// Returns the objects of `holder`, sorted and without duplicates.
fn observed_of<'a, K: ProvisionedKind>(snapshot: &'a Snapshot, holder: &Principal) -> Vec<&'a K> {
    let all = K::observed(snapshot).iter();
    let mut held: Vec<&K> = all.filter(|object| object.holder() == holder).collect();
    held.sort();
    held.dedup();
    held
}
