//! `[[persona.acl]]`: Kafka ACLs in templates, for cases in which every suitable role would allow too much
//! (docs/reference/rbac.md#roles-of-a-connectors-account).
//!
//! They are more restricted than roles: only the department's own names, and shared names with tolerated operations.

use toml::Spanned;

use super::{
    template::{check_reason, read_target},
    toml::TomlTable,
};
use crate::{
    access::{
        acl::{operations_allowed_by, operations_on},
        isolation::{SHARED_NAMES, shared_name_for, tolerated_operations},
    },
    diag::Finding,
    hint,
    model::{AclGrant, AclOperation, AclResource, GrantTarget, ResourceKind},
};

/// Reads the ACLs of a persona. `unusable` returns a finding for a kind that no key of the persona can access.
pub(super) fn read(
    persona: &TomlTable<'_>,
    personas: &[&str],
    unusable: impl Fn(ResourceKind) -> Option<Finding>,
) -> Vec<AclGrant> {
    let mut acls: Vec<AclGrant> = Vec::new();
    for table in persona.tables("acl") {
        let operations = table.require_list("operations");
        let on_text = table.require::<String>("on");
        let why = table.require::<String>("why");
        check_reason(&table, why.as_ref());
        let on = on_text.as_ref().and_then(|text| read_target(&table, text, personas));
        let (Some(on), Some(on_text), Some(words)) = (on, on_text, operations) else {
            continue;
        };
        let operations: Vec<_> = words.iter().filter_map(|word| read_operation(&table, word)).collect();
        let Some(resource) = AclResource::for_kind(on.kind()) else {
            table.report(on_text.span(), unsupported_kind_finding(on.kind()));
            continue;
        };
        if words.is_empty() {
            let finding = Finding::error("invalid-value", "`operations` is empty");
            table.report(
                on_text.span(),
                finding.with_fix("Write `operations = [\"CREATE\", \"WRITE\"]`."),
            );
        }
        if let Some(finding) = check_target(&on) {
            table.report(on_text.span(), finding);
        } else if let Some(finding) = unusable(on.kind()) {
            table.report(on_text.span(), finding);
        }
        let mut kept = Vec::new();
        for (operation, place) in operations {
            let twice = kept.contains(&operation)
                || acls
                    .iter()
                    .any(|other| other.on == on && other.operations.contains(&operation));
            if twice {
                let message = format!("{operation} on `{on}` is already granted above");
                table.report(place, Finding::warning("duplicate-value", message));
                continue;
            }
            if let Some(finding) = check_operation(&operation, &resource, &on) {
                table.report(place, finding);
            }
            kept.push(operation);
        }
        acls.push(AclGrant {
            operations: kept,
            on,
            why: why.map(Spanned::into_inner).unwrap_or_default(),
        });
    }
    acls
}

fn read_operation(table: &TomlTable<'_>, word: &Spanned<String>) -> Option<(AclOperation, std::ops::Range<usize>)> {
    let text = word.get_ref().as_str();
    let nameable = AclOperation::KNOWN.iter().filter(|known| **known != AclOperation::All);
    let known = || nameable.clone().map(AclOperation::as_str);
    let found = AclOperation::KNOWN.iter().find(|known| known.as_str() == text);
    let Some(found) = found else {
        let message = format!("`{}` is not a Kafka ACL operation", text.escape_debug());
        let finding = Finding::error("unknown-operation", message);
        let fix = match hint::closest_match(text, known()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Known operations: {}.", known().collect::<Vec<_>>().join(", ")),
        };
        table.report(word.span(), finding.with_fix(fix));
        return None;
    };
    if *found == AclOperation::All {
        let finding = Finding::error(
            "acl-misplaced",
            "`ALL` is not allowed in templates: it includes future operations",
        );
        table.report(word.span(), finding.with_fix("List the operations."));
        return None;
    }
    Some((found.clone(), word.span()))
}

/// Returns the finding for a kind without ACLs, or for the cluster, on which departments get no ACLs.
fn unsupported_kind_finding(kind: ResourceKind) -> Finding {
    let (message, fix) = match kind {
        ResourceKind::Cluster => (
            "ACLs on the whole cluster are not allowed for departments".to_owned(),
            "Grant on topics, groups or transactional ids, as in `topic:{prefix}*`.",
        ),
        _ => (
            format!("Kafka has no ACLs on a {}", kind.display_name()),
            "Use `[[persona.grant]]` with a role.",
        ),
    };
    Finding::error("acl-misplaced", message).with_fix(fix)
}

/// Checks that the target consists of own or shared names.
fn check_target(on: &GrantTarget) -> Option<Finding> {
    let GrantTarget::Fixed(kind, name) = on else {
        return None;
    };
    if shared_name_for(*kind, name).is_some() {
        return None;
    }
    let shared = SHARED_NAMES.iter().filter(|(shared, _)| shared == kind);
    let shared: Vec<_> = shared
        .map(|(kind, begins)| format!("`{}:{begins}*`", kind.display_name()))
        .collect();
    let own = format!("`{}:{{prefix}}*`", kind.display_name());
    let message = format!("`{on}` is neither within the department's prefix nor a shared name");
    let fix = match shared.is_empty() {
        true => format!("Write {own}."),
        false => format!("Write {own}, or one of {}.", shared.join(", ")),
    };
    Some(Finding::error("grant-beyond-prefix", message).with_fix(fix))
}

/// Checks that the operation exists on the kind, and that it is tolerated on shared names.
fn check_operation(operation: &AclOperation, resource: &AclResource, on: &GrantTarget) -> Option<Finding> {
    let kind = on.kind();
    let words = |operations: Vec<&AclOperation>| -> String {
        let words: Vec<_> = operations.into_iter().map(AclOperation::as_str).collect();
        words.join(", ")
    };
    let given = operations_allowed_by(resource, operation, kind);
    if !operations_on(kind).any(|known| known == operation) {
        let message = format!("operation {operation} does not exist on a {}", kind.display_name());
        let fix = format!("Known operations: {}.", words(operations_on(kind).collect()));
        return Some(Finding::error("acl-misplaced", message).with_fix(fix));
    }
    let shared = matches!(on, GrantTarget::Fixed(kind, name) if shared_name_for(*kind, name).is_some());
    if !shared || given.difference(tolerated_operations(kind)).is_empty() {
        return None;
    }
    let fits = |known: &&AclOperation| {
        operations_allowed_by(resource, known, kind)
            .difference(tolerated_operations(kind))
            .is_empty()
    };
    let message = format!("{operation} on `{on}` gives access to resources of other departments");
    let fix = format!(
        "Allowed operations: {}.",
        words(operations_on(kind).filter(fits).collect())
    );
    Some(Finding::error("grant-beyond-prefix", message).with_fix(fix))
}
