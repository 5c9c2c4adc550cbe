//! Decision whether a principal is allowed an operation.

use serde::Serialize;

use super::{AccessContext, AccessPrincipal, AccessQuestion, AccessSource, GrantRow};
use crate::{
    access::{AccessDecision, AccessGrant, AccessModel, Operation, Uncertainty, disputed},
    model::{CrnPattern, Principal, ResourceKind},
};

/// Decides whether `principal` is allowed the operation of `question`.
#[must_use]
pub fn can_i(context: AccessContext, question: AccessQuestion, principal: &Principal) -> CanIOutcome {
    let model = &context.model;
    let (operation, on) = (question.operation, &question.crn_pattern);
    let decided = match model.can(principal, operation, on) {
        AccessDecision::Allowed(grant) => resolve_dispute(model, principal, operation, on, grant),
        decided => decided,
    };
    let mut notes = Vec::new();
    if let (AccessDecision::Allowed(AccessGrant::Role(through)), Some(fallback)) = (&decided, &model.fallback_evaluator)
        && !fallback.decide_pattern(principal, operation, on).is_allowed()
    {
        notes.push(format!(
            "If Confluent Cloud rejects {} on this resource, `onboard` binds the template's fallback role, which does \
             not allow the operation.",
            through.role
        ));
    }
    let allowed = matches!(decided, AccessDecision::Allowed(_));
    if let AccessDecision::Denied(by) = &decided {
        let who = if by.acl.is_for_all_principals() {
            "all principals".to_owned()
        } else {
            model.persona_title(&by.acl.principal)
        };
        let acl = by.acl.to_short_string();
        notes.push(format!(
            "An ACL denies the operation to {who}, and takes precedence over all grants: {acl}."
        ));
    }
    let is_disputed = matches!(&decided, AccessDecision::Unknown(reasons) if matches!(reasons.as_slice(), [Uncertainty::Disputed { .. }]));
    let partial_grants = if allowed || is_disputed {
        Vec::new()
    } else {
        let grants = model.partial_grants(principal, operation, on);
        grants.iter().map(|grant| GrantRow::new(model, grant)).collect()
    };
    if !allowed && let Some((account, by)) = model.find_indirect_access(principal, operation, on) {
        notes.push(format!(
            "The principal controls {} through {}. Connectors that run under that account are allowed the operation.",
            model.persona_title(&account),
            by.role
        ));
    }
    let (answer, granted_by, uncertainties) = match decided {
        AccessDecision::Allowed(grant) => (CanIAnswer::Yes, Some(GrantRow::new(model, &grant)), Vec::new()),
        AccessDecision::NotAllowed | AccessDecision::Denied(_) => (CanIAnswer::No, None, Vec::new()),
        AccessDecision::Unknown(uncertainties) => (CanIAnswer::Unknown, None, uncertainties),
    };
    CanIOutcome {
        answer,
        principal: AccessPrincipal::new(model, principal),
        question_text: question.describe(model),
        is_known_principal: is_known_principal(model, principal),
        question,
        granted_by,
        partial_grants,
        uncertainties,
        notes,
        source: context.source,
    }
}

/// Returns unknown if Confluent's documents disagree on all grants of the principal for an operation on connectors.
fn resolve_dispute(
    model: &AccessModel,
    principal: &Principal,
    operation: Operation,
    on: &CrnPattern,
    grant: AccessGrant,
) -> AccessDecision {
    let Some(uncertainty) = disputed(operation, &grant).filter(|_| on.kind() == ResourceKind::Connector) else {
        return AccessDecision::Allowed(grant);
    };
    let mut all = model.who_can(operation, on).into_iter();
    match all.find(|grant| grant.principal() == principal && disputed(operation, grant).is_none()) {
        Some(undisputed) => AccessDecision::Allowed(undisputed),
        None => AccessDecision::Unknown(vec![uncertainty]),
    }
}

/// Whether the source contains the principal. If not, a "no" may be due to a misspelled id.
fn is_known_principal(model: &AccessModel, principal: &Principal) -> bool {
    let evaluator = &model.evaluator;
    evaluator.has_bindings(principal)
        || evaluator.acls_of(principal).next().is_some()
        || model.display_names.contains_key(principal)
}

/// Answer to whether an operation is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CanIAnswer {
    /// A grant allows it.
    Yes,
    /// No grant allows it.
    No,
    /// Data is missing.
    Unknown,
}

/// Answer with its grounds.
#[derive(Debug, Serialize)]
pub struct CanIOutcome {
    /// Whether a grant allows the operation; unknown if data is missing.
    pub answer: CanIAnswer,
    /// Operation and resource that the user asked about.
    #[serde(flatten)]
    pub question: AccessQuestion,
    /// Principal that the answer is about.
    pub principal: AccessPrincipal,
    /// Role binding or ACL that allows the operation.
    pub granted_by: Option<GrantRow>,
    /// Role bindings and ACLs that allow the operation on some of the names.
    pub partial_grants: Vec<GrantRow>,
    /// Reasons for an unknown answer.
    pub uncertainties: Vec<Uncertainty>,
    /// Notes about the answer.
    pub notes: Vec<String>,
    /// Source of the answer.
    pub source: AccessSource,
    /// Question in a sentence.
    #[serde(skip)]
    pub question_text: String,
    /// Whether the source contains the principal.
    #[serde(skip)]
    pub is_known_principal: bool,
}
