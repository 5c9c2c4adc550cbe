//! Principals that are allowed an operation.

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;

use super::{AccessContext, AccessQuestion, AccessSource, GrantRow};
use crate::{
    access::{AccessGrant, Uncertainty},
    model::Principal,
};

/// Principals that are allowed the operation of a question.
#[derive(Debug, Serialize)]
pub struct WhoCanOutcome {
    /// Operation and resource that the user asked about.
    #[serde(flatten)]
    pub question: AccessQuestion,
    /// Role bindings and ACLs that allow the operation.
    pub grants: Vec<GrantRow>,
    /// Role bindings that let other principals act through one of these service accounts.
    pub controllers: Vec<GrantRow>,
    /// Reasons why the list may be incomplete.
    pub uncertainties: Vec<Uncertainty>,
    /// Source of the answer.
    pub source: AccessSource,
    /// Question in a sentence.
    #[serde(skip)]
    pub question_text: String,
}

/// Lists the principals that are allowed the operation of `question`.
#[must_use]
pub fn who_can(context: AccessContext, question: AccessQuestion) -> WhoCanOutcome {
    let model = &context.model;
    let found = model.who_can(question.operation, &question.crn_pattern);
    let mut grants: Vec<GrantRow> = found.iter().map(|grant| GrantRow::new(model, grant)).collect();
    grants.sort_by_cached_key(|grant| {
        let origin = grant.origin.to_short_string();
        (
            grant.principal.title.clone(),
            grant.label.clone(),
            grant.resource.clone(),
            origin,
        )
    });
    let holders: BTreeSet<&Principal> = found.iter().map(AccessGrant::principal).collect();
    let controllers: BTreeSet<_> = holders.iter().flat_map(|account| model.controllers(account)).collect();
    let controllers = controllers
        .iter()
        .filter(|binding| !holders.contains(&binding.principal))
        .map(|binding| GrantRow::new(model, &AccessGrant::Role(Arc::clone(binding))));
    WhoCanOutcome {
        controllers: controllers.collect(),
        question_text: question.describe(model),
        grants,
        uncertainties: model.uncertainties(None, question.operation, &question.crn_pattern),
        question,
        source: context.source,
    }
}
