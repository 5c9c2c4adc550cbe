//! What expressions read about a connector, its department and its change.

use std::collections::BTreeMap;

use crate::{
    catalog::{Catalog, lint::redacted_config},
    gitops::{
        effective_file::EffectiveFile,
        plan::PlanItem,
        settings::{ConfiguredState, ReplacePolicy},
    },
    manifest::policy::{FactValue, Facts, ObjectFacts},
    model::{DepartmentQuota, Prefix, ServiceAccountId},
    quota::tasks_max,
};

/// Department of a connector, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct PolicyDepartment<'a> {
    /// Prefix of all its names.
    pub prefix: &'a Prefix,
    /// Quota in the stage.
    pub quota: &'a DepartmentQuota,
    /// Account of its connectors.
    pub runtime_account: Option<&'a ServiceAccountId>,
}

/// Returns the facts about the connector of `file`. A deleted connector has the class `live_class`.
pub(super) fn file_facts(
    file: &EffectiveFile,
    department: Option<&PolicyDepartment<'_>>,
    live_class: &str,
    catalog: &Catalog,
) -> Facts {
    let (address, settings) = (&file.address, &file.settings);
    let config = match settings.is_absent() {
        true => BTreeMap::new(),
        false => redacted_config(&file.merged, catalog),
    };
    let class = config.get("connector.class").map_or(live_class, String::as_str);
    let state = match settings.state {
        Some(ConfiguredState::Running) => "running",
        Some(ConfiguredState::Paused) => "paused",
        Some(ConfiguredState::Absent) => "absent",
        None => "",
    };
    let replace = match settings.replace.unwrap_or_default() {
        ReplacePolicy::Forbid => "forbid",
        ReplacePolicy::Carry => "carry",
        ReplacePolicy::Reset => "reset",
    };
    let connector = ObjectFacts::from([
        ("name", address.name.as_str().into()),
        ("class", class.into()),
        ("direction", catalog.direction(class).into()),
        ("tasks_max", FactValue::Number(tasks_max(&config).unwrap_or(1))),
        ("state", state.into()),
        ("replace", replace.into()),
        (
            "renamed_from",
            settings.renamed_from.as_deref().unwrap_or_default().into(),
        ),
        ("protect", FactValue::Flag(settings.protect)),
        ("ticket", settings.ticket.as_deref().unwrap_or_default().into()),
        ("config", FactValue::Texts(config)),
    ]);
    let account = department.and_then(|department| department.runtime_account);
    let plugins = department.map_or_else(Vec::new, |department| department.quota.plugins.clone());
    let department = ObjectFacts::from([
        ("code", address.department.as_str().into()),
        (
            "prefix",
            department.map_or("", |department| department.prefix.as_str()).into(),
        ),
        ("plugins", FactValue::List(plugins)),
        ("runtime_account", account.map_or("", ServiceAccountId::as_str).into()),
    ]);
    Facts {
        stage: address.stage.clone(),
        connector,
        department,
        change: None,
    }
}

/// Returns the facts about a change. Secrets are not in the fields of an item.
pub(super) fn change_facts(item: &PlanItem) -> ObjectFacts {
    let keys = item.fields.iter().map(|field| field.config.clone()).collect();
    let old = item
        .fields
        .iter()
        .filter_map(|field| Some((field.config.clone(), field.old.clone()?)));
    ObjectFacts::from([
        ("action", item.action.as_str().into()),
        ("risk", item.risk.as_str().into()),
        ("keys", FactValue::List(keys)),
        ("old", FactValue::Texts(old.collect())),
        ("replaces", item.replaces.as_deref().unwrap_or_default().into()),
    ])
}
