//! Compares the files of a department with its connectors.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use super::{
    GitopsPlan, ItemAction, LiveFact, PLAN_FORMAT, PlanItem, PlanProblem,
    compare::compare_config,
    post_plan_quota::check_quota,
    risk::{Risk, high_risk_reasons},
};
use crate::{
    api::connect::ExpandedConnector,
    catalog::Catalog,
    gitops::{
        file_tree::ConnectorAddress,
        settings::{ConfiguredState, ConnectorSettings, ReplacePolicy},
        unmanaged::UnmanagedConnectors,
    },
    model::{DepartmentQuota, PlatformTeam, Prefix, ServiceAccountId, ownership::sha256_hex},
    resources::connector::{FieldDiff, SecretChange},
};

/// File of a connector with the defaults of its department.
#[derive(Clone, Debug)]
pub struct DesiredFile {
    /// Department, stage and name.
    pub address: ConnectorAddress,
    /// Settings of the file besides `config`, such as `state` and `replace`.
    pub settings: ConnectorSettings,
    /// Configuration; references are not resolved. Empty for a file with `state: absent`.
    pub config: BTreeMap<String, String>,
    /// Keys that hold secrets.
    pub secret_keys: BTreeSet<String>,
    /// Offsets of a new connector; `None` if the file contains none.
    pub offsets: Option<serde_json::Value>,
}

impl DesiredFile {
    /// Returns the class of the plugin.
    #[must_use]
    pub fn class(&self) -> &str {
        self.config.get("connector.class").map_or("", String::as_str)
    }
}

/// Secret to send although nothing else differs: `CONNECTOR` or `CONNECTOR:KEY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentSecret {
    /// Name of the connector.
    pub connector: String,
    /// Key; `None` selects all secrets of the connector.
    pub key: Option<String>,
}

impl SentSecret {
    fn selects(&self, connector: &str, key: &str) -> bool {
        self.connector == connector && self.key.as_ref().is_none_or(|own| own == key)
    }
}

impl FromStr for SentSecret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (connector, key) = match text.split_once(':') {
            Some((connector, key)) => (connector, Some(key.to_owned())),
            None => (text, None),
        };
        Ok(Self {
            connector: connector.to_owned(),
            key,
        })
    }
}

/// Input of a plan.
pub struct GitopsPlanInput<'a> {
    /// Code of the department.
    pub department: &'a str,
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: &'a str,
    /// Prefix of the department.
    pub prefix: &'a Prefix,
    /// Quota of the department.
    pub quota: &'a DepartmentQuota,
    /// Account of its connectors, if known.
    pub runtime_account: Option<&'a ServiceAccountId>,
    /// Name and contact of the platform team, for messages.
    pub platform_team: &'a PlatformTeam,
    /// Files of the department in the stage.
    pub desired: &'a [DesiredFile],
    /// Connectors of the cluster.
    pub observed: &'a BTreeMap<String, ExpandedConnector>,
    /// Secrets to send although nothing else differs.
    pub sent_secrets: &'a [SentSecret],
    /// Facts about plugins.
    pub catalog: &'a Catalog,
    /// Connectors that are unmanaged on purpose.
    pub unmanaged: &'a UnmanagedConnectors,
    /// Ids of the connectors that the committed evidence names; `None` if no evidence is committed.
    pub recorded: Option<&'a BTreeSet<String>>,
    /// Hash of the policies that judged the files.
    pub policy_hash: &'a str,
    /// Hash of the facts about plugins.
    pub catalog_hash: &'a str,
}

/// Plans the changes of a department in a stage. The plan has an id unless it has errors or conflicts; the caller adds
/// the errors of the service's validation and seals it again.
#[must_use]
pub fn plan_department(input: &GitopsPlanInput<'_>) -> GitopsPlan {
    let mut planner = Planner {
        input,
        plan: GitopsPlan {
            format: PLAN_FORMAT,
            department: input.department.to_owned(),
            stage: input.stage.to_owned(),
            ..GitopsPlan::default()
        },
        replaced: BTreeSet::new(),
    };
    for file in input.desired {
        planner.plan_file(file);
    }
    planner.report_unmanaged();
    let mut plan = planner.plan;
    for item in &mut plan.items {
        if let (Some(recorded), Some(lcc)) = (input.recorded, &item.lcc)
            && !recorded.contains(lcc)
        {
            item.risk = item.risk.max(Risk::High);
            item.reasons
                .push("no evidence in this repository names the connector".to_owned());
        }
        item.seal(input.policy_hash, input.catalog_hash);
    }
    plan.items
        .sort_by(|left, right| (left.action, &left.address).cmp(&(right.action, &right.address)));
    check_quota(
        &mut plan,
        input.observed,
        input.desired,
        input.prefix,
        input.quota,
        input.platform_team,
    );
    plan.seal();
    plan
}

struct Planner<'a> {
    input: &'a GitopsPlanInput<'a>,
    plan: GitopsPlan,
    /// Former names of connectors that the plan replaces.
    replaced: BTreeSet<String>,
}

impl Planner<'_> {
    fn plan_file(&mut self, file: &DesiredFile) {
        let name = file.address.name.as_str();
        let live = self.input.observed.get(name);
        if let Some(live) = live {
            self.plan.states.push(live_fact(name, live));
        }
        if let Some(conflict) = live.and_then(|live| self.find_conflict(name, live)) {
            self.plan.conflicts.push(conflict);
            return;
        }
        match (file.settings.is_absent(), live) {
            (true, None) => self.plan.deleted.push(name.to_owned()),
            (true, Some(live)) => self.delete(file, live),
            (false, Some(live)) => self.plan_existing(file, live),
            (false, None) => self.plan_new(file),
        }
    }

    /// A connector of this name that is not the department's must not be touched.
    fn find_conflict(&self, name: &str, live: &ExpandedConnector) -> Option<PlanProblem> {
        let config = &live.info.config;
        if config
            .get("confluent.connector.type")
            .is_some_and(|kind| kind == "CUSTOM")
        {
            return Some(
                PlanProblem::new(
                    name,
                    format!("`{name}` is a custom connector, which files cannot describe"),
                )
                .with_fix("Remove the file."),
            );
        }
        let account = config.get("kafka.service.account.id")?;
        let own = self.input.runtime_account?;
        (account != own.as_str()).then(|| {
            let message = format!("`{name}` runs under `{account}`, not under `{own}`, the account of the department");
            let fix = format!("Ask {} whose connector it is.", self.input.platform_team);
            PlanProblem::new(name, message).with_fix(fix)
        })
    }

    fn plan_existing(&mut self, file: &DesiredFile, live: &ExpandedConnector) {
        let name = file.address.name.as_str();
        let class = live.info.config.get("connector.class").map_or("", String::as_str);
        if class != file.class() {
            self.replace_class(file, live, class);
            return;
        }
        if let Some(former) = &file.settings.renamed_from
            && let Some(old) = self.input.observed.get(former)
            && !self.continues_replacement(file, live, former, old)
        {
            return;
        }
        let fields = self.compare(file, live);
        let not_compared = fields
            .iter()
            .filter(|field| field.secret == Some(SecretChange::Unknown))
            .count();
        self.plan.secrets_not_compared += not_compared;
        let before = self.plan.items.len();
        let is_sent = |field: &FieldDiff| {
            self.input
                .sent_secrets
                .iter()
                .any(|sent| sent.selects(name, &field.config))
        };
        if fields.iter().any(|field| field.is_certain() || is_sent(field)) {
            let reasons = high_risk_reasons(class, &fields);
            self.push(file, ItemAction::Update, Some(live), fields, reasons);
        }
        self.plan_state(file, live);
        if self.plan.items.len() == before {
            self.plan.unchanged.push(name.to_owned());
        }
    }

    fn plan_state(&mut self, file: &DesiredFile, live: &ExpandedConnector) {
        let is_paused = live.status.connector.state.is_paused();
        match file.settings.state {
            Some(ConfiguredState::Paused) if !is_paused => {
                self.push(file, ItemAction::Pause, Some(live), Vec::new(), Vec::new());
            }
            Some(ConfiguredState::Running) if is_paused => {
                self.push(file, ItemAction::Resume, Some(live), Vec::new(), Vec::new());
            }
            _ => {}
        }
    }

    fn plan_new(&mut self, file: &DesiredFile) {
        let name = file.address.name.as_str();
        let former = file.settings.renamed_from.as_deref();
        let Some((former, old)) = former.and_then(|former| Some((former, self.input.observed.get(former)?))) else {
            let fields = self.compare(file, &ExpandedConnector::default());
            let reasons = if file.offsets.is_some() {
                vec!["starts at the offsets of the file".to_owned()]
            } else {
                Vec::new()
            };
            self.push(file, ItemAction::Create, None, fields, reasons);
            return;
        };
        self.replaced.insert(former.to_owned());
        if let Some(conflict) = self.find_conflict(former, old) {
            self.plan.conflicts.push(conflict);
            return;
        }
        if !self.allows_replacement(file, &format!("the rename of `{former}` to `{name}`")) {
            return;
        }
        let fields = self.compare(file, old);
        let reason = format!("deletes `{former}` after the new connector runs");
        self.push_replacement(file, old, Some(former), fields, reason);
    }

    /// Both names exist: an interrupted replacement, if the new connector is as desired and the old one is paused.
    /// Returns whether the present connector is planned like any other.
    fn continues_replacement(
        &mut self,
        file: &DesiredFile,
        live: &ExpandedConnector,
        former: &str,
        old: &ExpandedConnector,
    ) -> bool {
        let name = file.address.name.as_str();
        self.replaced.insert(former.to_owned());
        if !old.status.connector.state.is_paused() || self.compare(file, live).iter().any(FieldDiff::is_certain) {
            let message = format!("both `{name}` and `{former}` exist, so `{name}` cannot continue `{former}`");
            let fix = "Remove `renamed_from`, or delete one of the two connectors.";
            self.plan.conflicts.push(PlanProblem::new(name, message).with_fix(fix));
            return false;
        }
        if self.allows_replacement(file, &format!("the rename of `{former}` to `{name}`")) {
            let reason = format!("deletes `{former}` after the new connector runs");
            let fields = self.compare(file, old);
            self.push_replacement(file, old, Some(former), fields, reason);
        }
        false
    }

    /// Another class needs another connector: the old one must be deleted first, because the name is the same.
    fn replace_class(&mut self, file: &DesiredFile, live: &ExpandedConnector, class: &str) {
        let name = file.address.name.as_str();
        let what = format!("the change of class from `{class}` to `{}`", file.class());
        if !self.allows_replacement(file, &what) {
            return;
        }
        if file.settings.replace == Some(ReplacePolicy::Carry) {
            let message = format!("offsets of `{class}` mean nothing to `{}`", file.class());
            let fix = "Set `replace: reset`, and the offsets of the new connector with `offsets`.";
            self.plan.errors.push(PlanProblem::new(name, message).with_fix(fix));
            return;
        }
        let fields = self.compare(file, live);
        self.push_replacement(
            file,
            live,
            None,
            fields,
            "deletes the connector and its offsets first".to_owned(),
        );
    }

    fn allows_replacement(&mut self, file: &DesiredFile, what: &str) -> bool {
        let name = file.address.name.as_str();
        let problem = if file.settings.protect {
            PlanProblem::new(name, format!("{what} deletes a connector that is protected"))
                .with_fix("Remove `protect` in a change of its own.")
        } else if file.settings.replace.unwrap_or_default() == ReplacePolicy::Forbid {
            PlanProblem::new(
                name,
                format!("{what} needs a new connector, which the file does not allow"),
            )
            .with_fix("Set `replace: carry` to continue at its offsets, or `replace: reset` to start anew.")
        } else {
            return true;
        };
        self.plan.errors.push(problem);
        false
    }

    fn delete(&mut self, file: &DesiredFile, live: &ExpandedConnector) {
        self.push(
            file,
            ItemAction::Delete,
            Some(live),
            Vec::new(),
            vec!["deletes the connector and its offsets".to_owned()],
        );
    }

    fn compare(&self, file: &DesiredFile, live: &ExpandedConnector) -> Vec<FieldDiff> {
        compare_config(self.input.catalog, &live.info.config, &file.config, &file.secret_keys)
    }

    fn push(
        &mut self,
        file: &DesiredFile,
        action: ItemAction,
        live: Option<&ExpandedConnector>,
        fields: Vec<FieldDiff>,
        reasons: Vec<String>,
    ) {
        let risk = match action {
            ItemAction::Delete | ItemAction::Replace => Risk::Destructive,
            _ if reasons.is_empty() => Risk::Normal,
            _ => Risk::High,
        };
        self.plan.items.push(PlanItem {
            id: String::new(),
            address: file.address.clone(),
            action,
            lcc: live.map(|live| live.id.id.clone()),
            replaces: None,
            // A new connector is led to the state of its file; other changes of the state are items of their own.
            final_state: file
                .settings
                .state
                .filter(|_| matches!(action, ItemAction::Create | ItemAction::Replace)),
            config_hash: sends_config(action).then(|| config_hash(file)),
            fields,
            risk,
            reasons,
        });
    }

    fn push_replacement(
        &mut self,
        file: &DesiredFile,
        old: &ExpandedConnector,
        former: Option<&str>,
        fields: Vec<FieldDiff>,
        reason: String,
    ) {
        self.push(file, ItemAction::Replace, Some(old), fields, vec![reason]);
        if let Some(item) = self.plan.items.last_mut() {
            item.replaces = former.map(str::to_owned);
        }
    }

    fn report_unmanaged(&mut self) {
        let named: BTreeSet<&str> = self
            .input
            .desired
            .iter()
            .map(|file| file.address.name.as_str())
            .collect();
        for (name, live) in self.input.observed {
            let has_file = named.contains(name.as_str()) || self.replaced.contains(name);
            if !self.input.prefix.owns(name) || has_file {
                continue;
            }
            let address = ConnectorAddress {
                department: self.plan.department.clone(),
                stage: self.plan.stage.clone(),
                name: name.clone(),
            };
            let list = match self.input.unmanaged.contains(&address) {
                true => &mut self.plan.released,
                false => &mut self.plan.unmanaged,
            };
            list.push(live_fact(name, live));
        }
    }
}

/// Returns whether an action sends the configuration of the file.
#[must_use]
pub fn sends_config(action: ItemAction) -> bool {
    matches!(action, ItemAction::Create | ItemAction::Update | ItemAction::Replace)
}

fn config_hash(file: &DesiredFile) -> String {
    let sent = (&file.config, &file.offsets, file.settings.replace, file.settings.state);
    // Serialization of plain data with text keys cannot fail.
    sha256_hex(&serde_json::to_vec(&sent).unwrap_or_default())
}

fn live_fact(name: &str, live: &ExpandedConnector) -> LiveFact {
    LiveFact {
        name: name.to_owned(),
        lcc: live.id.id.clone(),
        state: live.status.connector.state.to_string(),
    }
}
