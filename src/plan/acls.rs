//! Comparison of Kafka ACLs. They are observed only if a template grants ACLs; otherwise they are unknown and not
//! reported.

use std::collections::BTreeSet;

use super::{
    change::{Action, PlannedAcl, PlannedOperation},
    diff::{Plan, PlanInput, PlanRefusal, SurplusGrant, account_ref, new_change},
};
use crate::{
    env,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{AclBinding, AclPermission, AclResource, Listing, ObservedAccount, Prefix, Principal, Snapshot},
};

/// Refuses a department whose template grants ACLs while the existing ACLs are unknown.
pub(super) fn refuse_unreadable_acls(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
) -> Option<PlanRefusal> {
    let asks = desired.personas.iter().any(|persona| !persona.acls.is_empty());
    let reason = snapshot.unknown.get(&Listing::Acls).filter(|_| asks)?;
    let cluster = &input.address.cluster;
    Some(PlanRefusal {
        department: desired.department.code.clone(),
        rule: "acls-unknown",
        message: format!(
            "its template `{}` grants ACLs, but the ACLs of Kafka cluster `{cluster}` could not be listed: {reason}",
            desired.template.name
        ),
        hints: vec![
            format!(
                "Let an administrator create a key of the cluster once: `confluent api-key create --resource \
                 {cluster} --service-account {}`.",
                input.provisioner
            ),
            format!(
                "Set `{}` and `{}` to that key; see docs/provisioner.md.",
                env::CONFLUENT_EBS_KAFKA_API_KEY,
                env::CONFLUENT_EBS_KAFKA_API_SECRET
            ),
        ],
    })
}

/// Appends the changes for the ACLs of a persona and returns their indexes.
pub(super) fn diff_acls(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: Option<&ObservedAccount>,
    account_creation: &[usize],
    plan: &mut Plan,
) -> Vec<usize> {
    let code = &desired.department.code;
    let principal = account.map(|account| Principal::ServiceAccount(account.id.clone()));
    let held: BTreeSet<&AclBinding> = principal
        .iter()
        .flat_map(|principal| snapshot.acls_of(principal))
        .collect();
    let mut kept: BTreeSet<&AclBinding> = BTreeSet::new();
    let mut changes = Vec::new();
    for grant in &persona.acls {
        let place = AclResource::for_kind(grant.on.kind()).zip(grant.on.name_pattern(&desired.department.prefix));
        let Some((resource, names)) = place else { continue };
        for operation in &grant.operations {
            let planned = PlannedAcl {
                resource: resource.clone(),
                names: names.clone(),
                operation: operation.clone(),
            };
            let there = principal
                .as_ref()
                .and_then(|me| held.get(&planned.for_principal(me.clone())));
            if let Some(there) = there {
                kept.insert(there);
                continue;
            }
            let create = PlannedOperation::CreateAcl {
                principal: account_ref(snapshot, &persona.account_name),
                acl: planned.clone(),
            };
            let what = format!("{code}-{}  {}", persona.persona, planned.describe());
            let why = grant.why.clone();
            let create = new_change(
                desired,
                &persona.persona,
                Action::Create,
                what,
                why,
                account_creation.to_vec(),
                create,
            );
            changes.push(plan.push(create));
        }
    }
    for surplus in held.difference(&kept) {
        let what = format!("{code}-{}  {}", persona.persona, describe_acl(surplus));
        if !input.prune {
            plan.surplus.push(SurplusGrant {
                department: code.clone(),
                account: persona.account_name.clone(),
                what,
            });
            continue;
        }
        let delete = PlannedOperation::DeleteAcl {
            acl: (*surplus).clone(),
        };
        let why = "not granted by the template";
        let delete = new_change(desired, &persona.persona, Action::Delete, what, why, Vec::new(), delete);
        changes.push(plan.push(delete));
    }
    changes
}

/// Lists ACLs on the department's names that belong to other principals.
pub(super) fn list_unmanaged_acls(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
    department_principals: &BTreeSet<Principal>,
) -> Vec<String> {
    let code = &desired.department.code;
    let foreign = acls_on_prefix(snapshot, &desired.department.prefix).filter(|acl| {
        !department_principals.contains(&acl.principal) && acl.principal.service_account() != Some(input.provisioner)
    });
    foreign
        .map(|acl| format!("{code}: {}", describe_with_holder(snapshot, acl)))
        .collect()
}

/// Returns the ACLs on topics, groups and transactional ids whose pattern overlaps the department's prefix.
pub(super) fn acls_on_prefix<'a>(
    snapshot: &'a Snapshot,
    prefix: &Prefix,
) -> impl Iterator<Item = &'a AclBinding> + use<'a> {
    let names = prefix.pattern();
    let named = |acl: &&AclBinding| acl.resource.kind().is_some() && acl.resource != AclResource::Cluster;
    let all = snapshot.acls.iter().filter(named);
    all.filter(move |acl| acl.pattern.overlaps(&names))
}

/// Returns the principal of an ACL for display.
pub(super) fn acl_holder(snapshot: &Snapshot, acl: &AclBinding) -> String {
    match acl.is_for_all_principals() {
        true => "all principals".to_owned(),
        false => snapshot.display_name(&acl.principal),
    }
}

/// Describes an ACL with its principal: `claims-legacy (sa-1): ALLOW READ on topic claims-*`.
pub(super) fn describe_with_holder(snapshot: &Snapshot, acl: &AclBinding) -> String {
    format!("{}: {}", acl_holder(snapshot, acl), acl.to_short_string())
}

/// Describes an ACL in a plan: operation and resource.
pub(super) fn describe_acl(acl: &AclBinding) -> String {
    let place = match acl.resource.kind() {
        Some(kind) if acl.resource != AclResource::Cluster => format!("{} {}", kind.display_name(), acl.pattern),
        _ => acl.resource.to_string().to_lowercase(),
    };
    format!("{} {}  {place}", acl.permission, acl.operation)
}

impl PlannedAcl {
    /// Describes a planned ACL like [`describe_acl`].
    fn describe(&self) -> String {
        let place = self.resource.kind().map_or("", |kind| kind.display_name());
        format!("{} {}  {place} {}", AclPermission::Allow, self.operation, self.names)
    }
}
