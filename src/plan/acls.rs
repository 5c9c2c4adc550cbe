//! The part of the comparison that looks at Kafka ACLs. Only templates that ask for some make anybody look: otherwise they
//! are unknown, and nothing is said about them.

use std::collections::BTreeSet;

use super::{
    change::{Action, PlannedAcl, PlannedOperation},
    diff::{Plan, PlanInput, PlanRefusal, SurplusGrant, account_ref, new_change},
};
use crate::{
    env,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{AclBinding, AclPermission, AclResource, ObservedAccount, Prefix, Principal, Snapshot, listing},
};

/// A template asks for ACLs, and nobody could look at those there are.
pub(super) fn refuse_unreadable_acls(
    input: &PlanInput<'_>,
    snapshot: &Snapshot,
    desired: &DesiredDepartment,
) -> Option<PlanRefusal> {
    let asks = desired.personas.iter().any(|persona| !persona.acls.is_empty());
    let reason = snapshot.unknown.get(listing::ACLS).filter(|_| asks)?;
    let cluster = &input.address.cluster;
    Some(PlanRefusal {
        department: desired.department.code.clone(),
        rule: "acls-unknown",
        message: format!(
            "its template `{}` asks for ACLs, and those of Kafka cluster `{cluster}` could not be looked at: {reason}",
            desired.template.name
        ),
        hints: vec![
            format!(
                "An administrator makes a key of the cluster once: `confluent api-key create --resource {cluster} \
                 --service-account {}`.",
                input.provisioner
            ),
            format!(
                "Set `{}` and `{}` to it; docs/provisioner.md says more.",
                env::CONFLUENT_EBS_KAFKA_API_KEY,
                env::CONFLUENT_EBS_KAFKA_API_SECRET
            ),
        ],
    })
}

/// Appends what is to be done for the ACLs of a persona; answers the changes.
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
        let why = "the template does not ask for it";
        let delete = new_change(desired, &persona.persona, Action::Delete, what, why, Vec::new(), delete);
        changes.push(plan.push(delete));
    }
    changes
}

/// ACLs on the department's names that are about somebody else.
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

/// The ACLs on topics, groups and transactional ids that have a name in common with the department's.
pub(super) fn acls_on_prefix<'a>(
    snapshot: &'a Snapshot,
    prefix: &Prefix,
) -> impl Iterator<Item = &'a AclBinding> + use<'a> {
    let names = prefix.pattern();
    let named = |acl: &&AclBinding| acl.resource.kind().is_some() && acl.resource != AclResource::Cluster;
    let all = snapshot.acls.iter().filter(named);
    all.filter(move |acl| acl.pattern.overlaps(&names))
}

/// Whom an ACL is about.
pub(super) fn acl_holder(snapshot: &Snapshot, acl: &AclBinding) -> String {
    match acl.is_for_all_principals() {
        true => "everybody".to_owned(),
        false => snapshot.display_name(&acl.principal),
    }
}

/// Whom an ACL is about, and what it says: `claims-legacy (sa-1): ALLOW READ on topic claims-*`.
pub(super) fn describe_with_holder(snapshot: &Snapshot, acl: &AclBinding) -> String {
    format!("{}: {}", acl_holder(snapshot, acl), acl.to_short_string())
}

/// The words of an ACL in a plan: what, and where.
pub(super) fn describe_acl(acl: &AclBinding) -> String {
    let place = match acl.resource.kind() {
        Some(kind) if acl.resource != AclResource::Cluster => format!("{} {}", kind.display_name(), acl.pattern),
        _ => acl.resource.to_string().to_lowercase(),
    };
    format!("{} {}  {place}", acl.permission, acl.operation)
}

impl PlannedAcl {
    /// The same in a plan.
    fn describe(&self) -> String {
        let place = self.resource.kind().map_or("", |kind| kind.display_name());
        format!("{} {}  {place} {}", AclPermission::Allow, self.operation, self.names)
    }
}
