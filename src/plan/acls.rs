//! The part of the comparison that looks at Kafka ACLs. Only templates that ask for some make anybody look: otherwise they
//! are unknown, and nothing is said about them.

use std::collections::BTreeSet;

use super::{
    change::{Action, Operation, PlannedAcl},
    diff::{Plan, Refusal, Surplus, Wanted, account_ref, change},
};
use crate::{
    env,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{AclBinding, AclPermission, AclResource, Prefix, Principal, SeenAccount, Snapshot, hidden},
};

/// A template asks for ACLs, and nobody could look at those there are.
pub(super) fn refusal(wanted: &Wanted<'_>, seen: &Snapshot, desired: &DesiredDepartment) -> Option<Refusal> {
    let asks = desired.personas.iter().any(|persona| !persona.acls.is_empty());
    let reason = seen.unknown.get(hidden::ACLS).filter(|_| asks)?;
    let cluster = &wanted.address.cluster;
    Some(Refusal {
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
                wanted.provisioner
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
pub(super) fn compare(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    desired: &DesiredDepartment,
    persona: &DesiredPersona,
    account: Option<&SeenAccount>,
    born: &[usize],
    plan: &mut Plan,
) -> Vec<usize> {
    let code = &desired.department.code;
    let principal = account.map(|account| Principal::ServiceAccount(account.id.clone()));
    let held: BTreeSet<&AclBinding> = principal.iter().flat_map(|principal| seen.acls_of(principal)).collect();
    let mut kept: BTreeSet<&AclBinding> = BTreeSet::new();
    let mut changes = Vec::new();
    for grant in &persona.acls {
        let place = AclResource::of(grant.on.kind()).zip(grant.on.names(&desired.department.prefix));
        let Some((resource, names)) = place else { continue };
        for operation in &grant.operations {
            let planned = PlannedAcl {
                resource: resource.clone(),
                names: names.clone(),
                operation: operation.clone(),
            };
            let there = principal.as_ref().and_then(|me| held.get(&planned.of(me.clone())));
            if let Some(there) = there {
                kept.insert(there);
                continue;
            }
            let create = Operation::CreateAcl {
                principal: account_ref(seen, &persona.account_name),
                acl: planned.clone(),
            };
            let what = format!("{code}-{}  {}", persona.persona, planned.words());
            let why = grant.why.clone();
            let create = change(
                desired,
                &persona.persona,
                Action::Create,
                what,
                why,
                born.to_vec(),
                create,
            );
            changes.push(plan.push(create));
        }
    }
    for surplus in held.difference(&kept) {
        let what = format!("{code}-{}  {}", persona.persona, words(surplus));
        if !wanted.prune {
            plan.surplus.push(Surplus {
                department: code.clone(),
                account: persona.account_name.clone(),
                what,
            });
            continue;
        }
        let delete = Operation::DeleteAcl {
            acl: (*surplus).clone(),
        };
        let why = "the template does not ask for it";
        let delete = change(desired, &persona.persona, Action::Delete, what, why, Vec::new(), delete);
        changes.push(plan.push(delete));
    }
    changes
}

/// ACLs on the department's names that are about somebody else.
pub(super) fn unmanaged(
    wanted: &Wanted<'_>,
    seen: &Snapshot,
    desired: &DesiredDepartment,
    own: &BTreeSet<Principal>,
) -> Vec<String> {
    let code = &desired.department.code;
    let foreign = on_names_of(seen, &desired.department.prefix)
        .filter(|acl| !own.contains(&acl.principal) && acl.principal.service_account() != Some(wanted.provisioner));
    foreign.map(|acl| format!("{code}: {}", about(seen, acl))).collect()
}

/// The ACLs on topics, groups and transactional ids that have a name in common with the department's.
pub(super) fn on_names_of<'a>(seen: &'a Snapshot, prefix: &Prefix) -> impl Iterator<Item = &'a AclBinding> + use<'a> {
    let names = prefix.pattern();
    let named = |acl: &&AclBinding| acl.resource.kind().is_some() && acl.resource != AclResource::Cluster;
    let all = seen.acls.iter().filter(named);
    all.filter(move |acl| acl.pattern.overlaps(&names))
}

/// Whom an ACL is about.
pub(super) fn whom(seen: &Snapshot, acl: &AclBinding) -> String {
    match acl.is_for_everybody() {
        true => "everybody".to_owned(),
        false => seen.name_of(&acl.principal),
    }
}

/// Whom an ACL is about, and what it says: `claims-legacy (sa-1): ALLOW READ on topic claims-*`.
pub(super) fn about(seen: &Snapshot, acl: &AclBinding) -> String {
    format!("{}: {}", whom(seen, acl), acl.short())
}

/// The words of an ACL in a plan: what, and where.
pub(super) fn words(acl: &AclBinding) -> String {
    let place = match acl.resource.kind() {
        Some(kind) if acl.resource != AclResource::Cluster => format!("{} {}", kind.word(), acl.pattern),
        _ => acl.resource.to_string().to_lowercase(),
    };
    format!("{} {}  {place}", acl.permission, acl.operation)
}

impl PlannedAcl {
    /// The same in a plan.
    fn words(&self) -> String {
        let place = self.resource.kind().map_or("", |kind| kind.word());
        format!("{} {}  {place} {}", AclPermission::Allow, self.operation, self.names)
    }
}
