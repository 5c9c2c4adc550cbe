//! Templates, `rbac-templates/*.toml`: personas of a department and their grants, each with a reason.

use std::{ops::Range, sync::Arc};

use toml::Spanned;

use super::{
    acl_template, grant_target,
    toml::{TomlDocument, TomlTable},
};
use crate::{
    access::{
        BindCheck, RbacAssumptions, check_bind_kind,
        isolation::{shared_name_for, tolerated_operations},
        roles::operations_of_role,
    },
    diag::{Finding, SourceFile, SourceSpan},
    hint,
    model::{
        GrantTarget, KeyKind, NamePattern, Persona, ResourceKind, Role, RoleGrant, Template, ownership::short_hash,
    },
};

/// Names of key kinds in files.
pub const KEY_KINDS: [(&str, KeyKind); 3] = [
    ("cloud", KeyKind::Cloud),
    ("kafka", KeyKind::Kafka),
    ("schema-registry", KeyKind::SchemaRegistry),
];

/// A parsed template file.
#[derive(Clone, Debug)]
pub struct TemplateFile {
    /// Template.
    pub template: Template,
    /// Source file.
    pub source: Arc<SourceFile>,
}

/// Reads a template. `stem` is the file name without `.toml`. `None` if no persona is valid.
pub fn read(source: &Arc<SourceFile>, stem: &str) -> (Option<TemplateFile>, Vec<Finding>) {
    let document = TomlDocument::parse(source);
    let template = read_root(&document.root(), stem);
    let file = template.map(|template| TemplateFile {
        template,
        source: Arc::clone(source),
    });
    (file, document.into_findings())
}

fn read_root(root: &TomlTable<'_>, stem: &str) -> Option<Template> {
    if !is_template_name(stem) {
        let message = format!(
            "`{}` is not a template name: expected 1 to 20 characters of a-z, 0-9 and `-`, starting with a letter",
            stem.escape_debug()
        );
        let fix = "Rename the file. Its name without `.toml` is the template's name.";
        root.report(0..0, Finding::error("template-name", message).with_fix(fix));
    }
    let description = root
        .get::<String>("description")
        .map(Spanned::into_inner)
        .unwrap_or_default();
    let tables = root.require_tables("persona");
    // Read all names first, because a grant may refer to a persona further down.
    let names: Vec<Option<Spanned<String>>> = tables.iter().map(|table| table.require("name")).collect();
    let known: Vec<&str> = names.iter().flatten().map(|name| name.get_ref().as_str()).collect();
    let mut personas: Vec<Persona> = Vec::new();
    for (table, name) in tables.iter().zip(&names) {
        let name = name.as_ref();
        let persona = read_persona(table, name.map(Spanned::get_ref), &known);
        let Some(name) = name else { continue };
        check_persona_name(table, name);
        if personas.iter().any(|other| other.name == *name.get_ref()) {
            let message = format!("duplicate persona `{}`", name.get_ref().escape_debug());
            table.report(name.span(), Finding::error("duplicate-name", message));
        } else {
            personas.push(persona);
        }
    }
    drop(tables);
    (!personas.is_empty()).then(|| Template {
        name: stem.to_owned(),
        description,
        hash: content_hash(&personas),
        personas,
    })
}

fn is_template_name(stem: &str) -> bool {
    let safe = stem
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    safe && stem.starts_with(|c: char| c.is_ascii_lowercase()) && stem.len() <= 20
}

/// Returns a hash of the grants. Comments, reasons and line endings do not affect it, so they do not change the tags of
/// accounts.
fn content_hash(personas: &[Persona]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for persona in personas {
        let _ = writeln!(text, "persona {}", persona.name);
        for key in &persona.keys {
            let _ = writeln!(text, "key {}", key_kind_name(*key));
        }
        for grant in &persona.grants {
            let fallback = grant.fallback.as_ref().map_or("-", Role::as_str);
            let _ = writeln!(text, "grant {} {} {fallback}", grant.role, grant.on);
        }
        for acl in &persona.acls {
            for operation in &acl.operations {
                let _ = writeln!(text, "acl {operation} {}", acl.on);
            }
        }
    }
    short_hash(text.as_bytes())
}

/// Returns the name of a key kind in files.
pub fn key_kind_name(kind: KeyKind) -> &'static str {
    KEY_KINDS
        .iter()
        .find(|(_, known)| *known == kind)
        .map_or("", |(word, _)| word)
}

/// Checks a persona name. It is the last part of account names, whose parts are separated by dashes (see stages).
fn check_persona_name(table: &TomlTable<'_>, name: &Spanned<String>) {
    let text = name.get_ref();
    let safe = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if text == "prefix" {
        let finding = Finding::error(
            "persona-name",
            "`prefix` is not allowed as a persona name, because `{prefix}` means the department's prefix",
        );
        table.report(name.span(), finding);
    } else if !(safe && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= 12) {
        let message = format!(
            "`{}` is not a persona name: expected 1 to 12 characters of a-z and 0-9, starting with a letter",
            text.escape_debug()
        );
        let fix = "Use a name without dashes, because dashes separate the parts of account names (`ebs-prod-claims-operator`).";
        table.report(name.span(), Finding::error("persona-name", message).with_fix(fix));
    }
}

fn read_persona(table: &TomlTable<'_>, name: Option<&String>, personas: &[&str]) -> Persona {
    let keys = read_keys(table);
    let description = table
        .get::<String>("description")
        .map(Spanned::into_inner)
        .unwrap_or_default();
    let mut grants: Vec<RoleGrant> = Vec::new();
    let tables = table.require_tables("grant");
    for grant in &tables {
        let Some((read, place)) = read_grant(grant, personas) else {
            continue;
        };
        if grants
            .iter()
            .any(|other| other.role == read.role && other.on == read.on)
        {
            let message = format!("{} on `{}` is already granted above", read.role, read.on);
            grant.report(place, Finding::warning("duplicate-value", message));
            continue;
        }
        if let Some(finding) = check_key_for_kind(
            read.on.kind(),
            "a role",
            &keys,
            name.map_or("this persona", String::as_str),
        ) {
            grant.report(place, finding);
        }
        grants.push(read);
    }
    let acls = acl_template::read(table, personas, |kind| {
        check_key_for_kind(kind, "an ACL", &keys, name.map_or("this persona", String::as_str))
    });
    Persona {
        name: name.cloned().unwrap_or_default(),
        keys,
        description,
        grants,
        acls,
    }
}

fn read_keys(table: &TomlTable<'_>) -> Vec<KeyKind> {
    let words = table.require_list("keys");
    let mut keys = Vec::new();
    for word in words.unwrap_or_default() {
        let text = word.get_ref().as_str();
        match KEY_KINDS.iter().find(|(known, _)| *known == text) {
            Some((_, kind)) if keys.contains(kind) => {
                table.report(
                    word.span(),
                    Finding::warning("duplicate-value", format!("duplicate value `{text}`")),
                );
            }
            Some((_, kind)) => keys.push(*kind),
            None => {
                let message = format!("`{}` is not a kind of API key", text.escape_debug());
                let fix = super::suggest_name(text, KEY_KINDS.iter().map(|(word, _)| *word));
                table.report(word.span(), Finding::error("unknown-key-kind", message).with_fix(fix));
            }
        }
    }
    keys
}

fn read_grant(table: &TomlTable<'_>, personas: &[&str]) -> Option<(RoleGrant, Range<usize>)> {
    let role_text = table.require::<String>("role");
    let on_text = table.require::<String>("on");
    let why = table.require::<String>("why");
    let fallback_text = table.get::<String>("fallback");
    check_reason(table, why.as_ref());
    let role = role_text.as_ref().and_then(|text| read_role(table, text));
    let fallback = fallback_text.as_ref().and_then(|text| read_role(table, text));
    let on = on_text.as_ref().and_then(|text| read_target(table, text, personas));
    let (role_text, on_text) = (role_text?, on_text?);
    let (role, on) = (role?, on?);
    if let Some(finding) = check_role_placement(&role, on.kind()) {
        table.report(role_text.span(), finding);
    } else if let Some(finding) = check_reach(&role, &on) {
        table.report(on_text.span(), finding);
    }
    if let (Some(fallback), Some(text)) = (&fallback, &fallback_text) {
        if *fallback == role {
            let finding = Finding::warning("fallback-same", format!("the fallback of {role} is the same role"));
            table.report(text.span(), finding);
        } else if let Some(finding) = check_role_placement(fallback, on.kind()) {
            table.report(text.span(), finding);
        }
    }
    let grant = RoleGrant {
        role,
        on,
        fallback,
        why: why.map(Spanned::into_inner).unwrap_or_default(),
    };
    Some((grant, on_text.span()))
}

/// Checks that a grant has a reason, which reviewers need.
pub(super) fn check_reason(table: &TomlTable<'_>, why: Option<&Spanned<String>>) {
    if let Some(why) = why.filter(|why| why.get_ref().trim().is_empty()) {
        let finding = Finding::error("invalid-value", "the grant has no reason");
        table.report(why.span(), finding.with_fix("Set `why` to the purpose of the grant."));
    }
}

/// Parses an `on`.
pub(super) fn read_target(table: &TomlTable<'_>, text: &Spanned<String>, personas: &[&str]) -> Option<GrantTarget> {
    match grant_target::parse(text.get_ref(), personas) {
        Ok(on) => Some(on),
        Err(error) => {
            let mut finding = Finding::error(error.rule, error.message);
            finding.fix = error.fix;
            table.report(text.span(), finding);
            None
        }
    }
}

fn read_role(table: &TomlTable<'_>, text: &Spanned<String>) -> Option<Role> {
    let known = || Role::KNOWN.iter().map(Role::as_str);
    let role = Role::KNOWN.iter().find(|role| role.as_str() == text.get_ref());
    if role.is_none() {
        let written = text.get_ref();
        let message = format!("unknown role `{}`", written.escape_debug());
        let finding = Finding::error("unknown-role", message);
        let finding = match hint::closest_match(written, known()) {
            Some(near) => finding.with_fix(format!("Did you mean `{near}`?")),
            None => finding.with_fix("See `docs/files.md` for the known roles."),
        };
        table.report(text.span(), finding);
    }
    role.cloned()
}

/// Checks that `role` can be bound on `kind` and does not give more access than intended.
fn check_role_placement(role: &Role, kind: ResourceKind) -> Option<Finding> {
    let refuse = |message: String, fix: &str| Some(Finding::error("role-misplaced", message).with_fix(fix));
    match (role, kind) {
        // Source: docs/reference/rbac.md#developermanage
        (Role::DeveloperManage, ResourceKind::Connector) => refuse(
            "DeveloperManage does not exist on connectors in Confluent Cloud".to_owned(),
            "Grant ConnectManager to operate connectors, or ResourceOwner to create and delete them.",
        ),
        // Source: docs/reference/rbac.md#roles-on-a-service-account; docs/reference/rbac.md#threats, T5
        (Role::ResourceOwner, ResourceKind::ServiceAccount) => refuse(
            "the owner of a service account can create keys for it and act as it outside of Connect".to_owned(),
            "Grant Assigner, which is sufficient to run connectors under the account.",
        ),
        _ => match check_bind_kind(role, kind, &RbacAssumptions::default()) {
            BindCheck::Allowed => None,
            BindCheck::Rejected { reason } => {
                let message = format!(
                    "{role} cannot be granted on kind `{}`, because {reason}",
                    kind.display_name()
                );
                let finding = Finding::error("role-misplaced", message);
                Some(match (role, kind) {
                    (Role::Assigner, _) => finding.with_fix("Write `on = \"service-account:{runtime}\"`."),
                    (_, ResourceKind::ServiceAccount) => {
                        finding.with_fix("Grant Assigner, which is sufficient to run connectors under the account.")
                    }
                    _ => finding,
                })
            }
        },
    }
}

/// Checks that a grant stays within the department's prefix and shared names (docs/reference/rbac.md#personas;
/// docs/reference/rbac.md#threats, T2: departments hold no role on a whole cluster or on every topic).
fn check_reach(role: &Role, on: &GrantTarget) -> Option<Finding> {
    let GrantTarget::Fixed(kind, name) = on else {
        return None;
    };
    if shared_name_for(*kind, name).is_some() {
        // An unknown role is rejected earlier.
        let more = operations_of_role(role, *kind).difference(tolerated_operations(*kind));
        let begins = matches!(name, NamePattern::Prefixed(_));
        return (begins && !more.is_empty()).then(|| {
            let message =
                format!("{role} on `{on}` also allows {more} on resources of all departments");
            let finding = Finding::warning("grant-beyond-prefix", message);
            finding
                .with_fix("Use `[[persona.acl]]`, which can allow less than a role; otherwise the isolation check after onboarding reports it.")
        });
    }
    let scope = matches!(
        kind,
        ResourceKind::Organization | ResourceKind::Environment | ResourceKind::Cluster
    );
    let only_looks = matches!(role, Role::MetricsViewer | Role::Operator | Role::DataDiscovery);
    if scope && !only_looks {
        let message = format!(
            "{role} on the whole {} is not allowed for departments",
            kind.display_name()
        );
        let fix = "Grant on names with the department's prefix, as in `connector:{prefix}*`.";
        return Some(Finding::error("grant-beyond-prefix", message).with_fix(fix));
    }
    if !scope && name.stem().is_empty() {
        let message = format!("`{on}` covers every {} of all departments", kind.display_name());
        let fix = format!("Write `{}:{{prefix}}*`.", kind.display_name());
        return Some(Finding::error("grant-beyond-prefix", message).with_fix(fix));
    }
    let message = match scope {
        true => format!(
            "{role} on the whole {} shows resources of other departments",
            kind.display_name()
        ),
        false => format!("`{on}` covers the same names for every department"),
    };
    let finding = Finding::warning("grant-beyond-prefix", message);
    Some(finding.with_fix("The isolation check after onboarding will report it as an overlap."))
}

/// Checks that a key of the persona can use a grant on `kind`; `what` is a role or an ACL.
fn check_key_for_kind(kind: ResourceKind, what: &str, keys: &[KeyKind], persona: &str) -> Option<Finding> {
    let needed = match kind {
        ResourceKind::Topic | ResourceKind::Group | ResourceKind::TransactionalId => KeyKind::Kafka,
        ResourceKind::Subject => KeyKind::SchemaRegistry,
        _ => KeyKind::Cloud,
    };
    if keys.contains(&needed) {
        return None;
    }
    // Without keys it is the identity of connectors, which only read and write data.
    if keys.is_empty() {
        let finding = Finding::warning(
            "grant-unusable",
            format!(
                "persona `{persona}` has no key, and connectors need no role on a {}",
                kind.display_name()
            ),
        );
        return (needed == KeyKind::Cloud)
            .then(|| finding.with_fix("Grant the role to a persona with `keys = [\"cloud\"]`."));
    }
    let message = format!("no key of `{persona}` can use {what} on a {}", kind.display_name());
    let fix = format!("Add `keys = [\"{}\"]`, or remove the grant.", key_kind_name(needed));
    Some(Finding::warning("grant-unusable", message).with_fix(fix))
}

impl TemplateFile {
    /// Returns the location of the file.
    pub fn span(&self) -> SourceSpan {
        SourceSpan::new(&self.source, 0..0)
    }
}
