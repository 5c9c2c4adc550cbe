//! Kinds of objects that a plan provisions for the accounts of departments.
//!
//! A kind implements [`ProvisionedKind`] with its own type and is registered in [`KINDS`](super::KINDS). `plan`,
//! `apply`, `provisioning`, `checks` and the views handle objects of all kinds with erased types
//! ([`AnyKind`](super::AnyKind), [`ProvisionedObject`](super::ProvisionedObject)), so a new kind changes none of them.

use std::{fmt, future::Future};

use serde::Serialize;
use serde_json::Value;

use super::{ResourceContext, ResourceError};
use crate::{
    access::Evaluator,
    client::Client,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{Listing, Prefix, Principal, ServiceAccountId, Snapshot, StageAddress},
};

/// Properties of a kind.
#[derive(Debug)]
pub struct KindInfo {
    /// Name in plans and journals: `acl`.
    pub id: &'static str,
    /// Key of a list in JSON and evidence: `acls`.
    pub list_key: &'static str,
    /// Name in sentences: `ACL`.
    pub singular: &'static str,
    /// Plural in sentences: `ACLs`.
    pub plural: &'static str,
    /// List in which the service returns the objects.
    pub listing: Listing,
    /// Whether requests need an API key of the Kafka cluster.
    pub needs_kafka_key: bool,
    /// Returns the maximum number of objects in a cluster of a type; the service does not report it.
    pub limit: fn(&str) -> ObjectLimit,
}

/// Clients for observing objects.
pub struct ObservationClients<'a> {
    /// Client of the Confluent Cloud API.
    pub cloud: &'a Client,
    /// Client of Kafka REST, or why none is available.
    pub kafka: Result<&'a Client, String>,
}

/// Result of comparing an observed object with a desired one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectMatch {
    /// Another object.
    Other,
    /// The same object with other content: it must be updated.
    Outdated,
    /// The same object, up to date.
    UpToDate,
}

/// Relation of an object to the names that begin with a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrefixRelation {
    /// The object applies to none of these names.
    Disjoint,
    /// The object applies to some of these names, and to others.
    Overlaps,
    /// The object applies only to these names.
    Within,
}

/// Maximum number of objects in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectLimit {
    /// No documented limit.
    Unlimited,
    /// The limit of this type of cluster is unknown.
    Unknown,
    /// A fixed number.
    AtMost(usize),
}

/// Reason why a department cannot be planned while objects of a kind are unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownObjects {
    /// Rule id, kebab-case and stable.
    pub rule: &'static str,
    /// The missing list, and why it is missing.
    pub message: String,
    /// Suggestions.
    pub hints: Vec<String>,
}

/// Kind of object that a plan provisions for the accounts of a department. The implementing type is one such object, as
/// observed at the service or as desired.
pub trait ProvisionedKind: Clone + fmt::Debug + Ord + Serialize + Send + Sync + 'static {
    /// Properties of the kind.
    const INFO: &'static KindInfo;

    /// Lists the objects of the stage, or returns why they are unknown.
    fn observe(
        clients: &ObservationClients<'_>,
        address: &StageAddress,
    ) -> impl Future<Output = Result<Vec<Self>, String>> + Send;

    /// Returns the objects of a snapshot.
    fn observed(snapshot: &Snapshot) -> &[Self];

    /// Returns the objects of a snapshot, to set them after an observation.
    fn observed_mut(snapshot: &mut Snapshot) -> &mut Vec<Self>;

    /// Returns the desired objects of a persona, each with its reason. `holder` is the account of the persona.
    fn desired(department: &DesiredDepartment, persona: &DesiredPersona, holder: &Principal) -> Vec<(Self, String)>;

    /// Returns the desired state of a persona as it is recorded in the evidence.
    fn desired_evidence(persona: &DesiredPersona) -> Value;

    /// Explains why `department`, which desires such objects, cannot be planned while they are unknown for `reason`.
    fn explain_unknown(department: &DesiredDepartment, provisioner: &ServiceAccountId, reason: &str) -> UnknownObjects;

    /// Returns the principal that the object belongs to.
    fn holder(&self) -> &Principal;

    /// Returns the desired object for an account that did not exist yet when the plan was made.
    #[must_use]
    fn with_holder(&self, holder: Principal) -> Self;

    /// Compares the observed object with a desired one. By default they must be equal in every field.
    fn compare(&self, desired: &Self) -> ObjectMatch {
        if self == desired {
            ObjectMatch::UpToDate
        } else {
            ObjectMatch::Other
        }
    }

    /// Describes the object in the columns of a plan, without its holder: the operation or property, and its target.
    fn describe(&self) -> [String; 2];

    /// Describes the object in a sentence, without its holder.
    fn to_sentence(&self) -> String {
        self.describe().join(" ")
    }

    /// Returns the fields of a creation in the JSON of a plan; the holder has a field of its own there.
    fn planned_json(&self) -> Value;

    /// Returns how the object relates to the names with a prefix. By default it does not depend on names.
    fn relation_to(&self, _prefix: &Prefix) -> PrefixRelation {
        PrefixRelation::Disjoint
    }

    /// Adds the access that the object grants. By default it grants none.
    fn add_access(&self, _evaluator: &mut Evaluator, _address: &StageAddress) {}

    /// Creates the object idempotently and returns its id.
    fn create(&self, context: &ResourceContext) -> impl Future<Output = Result<String, ResourceError>> + Send;

    /// Updates the observed object to the content of `desired` and returns its id; stops if the object has changed
    /// since. Required if [`compare`] returns [`ObjectMatch::Outdated`].
    ///
    /// [`compare`]: Self::compare
    fn update(
        &self,
        _desired: &Self,
        _context: &ResourceContext,
    ) -> impl Future<Output = Result<String, ResourceError>> + Send {
        let message = format!("an {} cannot be updated", Self::INFO.singular);
        std::future::ready(Err(ResourceError::Conflict(message)))
    }

    /// Deletes exactly this object and returns its id. A missing object is not an error.
    fn delete(&self, context: &ResourceContext) -> impl Future<Output = Result<String, ResourceError>> + Send;
}
