//! Verdict about a fleet, and the errors that determine the exit code.

use super::{ConnectorCondition, Fleet, FleetConnectorRow, StageView};
use crate::{
    error::{Error, ErrorKind},
    hint::{connector_arg, shell_quote},
    session::Options,
    text::{count_noun, join_list},
};

impl Fleet {
    /// Returns the state of the fleet in one sentence, and the condition that represents it.
    pub fn verdict(&self) -> (ConnectorCondition, String) {
        let count = |condition| {
            let all = self.connectors().filter(|(_, row)| row.condition == condition);
            all.count()
        };
        let counted = [
            (count(ConnectorCondition::Failed), "failed"),
            (count(ConnectorCondition::Degraded), "degraded"),
        ];
        let counted = counted.into_iter().filter(|(number, _)| *number > 0);
        let unhealthy: Vec<String> = counted
            .map(|(number, word)| format!("{} {word}", count_noun(number, "connector")))
            .collect();
        let unhealthy = format!("{}{}", unhealthy.join(", "), self.affected_departments());
        let unobserved = self.unobserved_stages().count();
        let not_observed = format!("{} not observed.", count_noun(unobserved, "stage"));
        let worst = self.condition.unwrap_or(ConnectorCondition::Running);
        match (worst.is_trouble(), unobserved) {
            (true, 0) => (worst, format!("{unhealthy}.")),
            (true, _) => (worst, format!("{unhealthy}; {not_observed}")),
            (false, 1..) => (ConnectorCondition::Unknown, not_observed),
            (false, 0) if worst == ConnectorCondition::Unknown => {
                (worst, "The state of some connectors is unknown.".to_owned())
            }
            (false, 0) if self.condition.is_none() => {
                (ConnectorCondition::Paused, "There are no connectors.".to_owned())
            }
            (false, 0) => (ConnectorCondition::Running, "Nothing needs attention.".to_owned()),
        }
    }

    /// Returns the number of departments with unhealthy connectors, as the end of a sentence about these connectors.
    fn affected_departments(&self) -> String {
        match (&self.department, self.departments_in_trouble().len()) {
            (Some(_), _) | (None, 0) => String::new(),
            (None, number) => format!(", of {}", count_noun(number, "department")),
        }
    }

    /// Returns the error for connectors in condition `worst` or worse; `options` are those of the run.
    pub fn unhealthy_error(&self, worst: ConnectorCondition, options: &Options) -> Option<Error> {
        let bad = self.connectors().filter(|(_, row)| row.condition >= worst);
        let bad: Vec<(&StageView, &FleetConnectorRow)> = bad.collect();
        let (stage, first) = bad.first()?;
        let failed = bad
            .iter()
            .filter(|(_, row)| row.condition == ConnectorCondition::Failed)
            .count();
        let counted = |number: usize, one: &str, many: &str| {
            let verb = if number == 1 { one } else { many };
            (number > 0).then(|| format!("{} {verb}", count_noun(number, "connector")))
        };
        let parts = [
            counted(failed, "has failed", "have failed"),
            counted(bad.len() - failed, "is degraded", "are degraded"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let message = format!("{}{}", join_list(&parts), self.affected_departments());
        let stage = match (self.stages.len(), &options.stage) {
            (0 | 1, _) | (_, Some(_)) => String::new(),
            _ => format!(" --stage {}", shell_quote(stage.stage.first())),
        };
        let explain = format!(
            "For causes and next steps, run `confluent ebs connector explain {}{}{stage}`.",
            connector_arg(&first.id, &first.name),
            options.to_flags()
        );
        Some(Error::new(ErrorKind::Unhealthy, message).with_hint(explain))
    }

    /// Returns the error for stages that could not be observed or refreshed, if the result has no more severe error.
    pub fn incomplete_error(&self) -> Option<Error> {
        if let Some(stale) = &self.stale {
            let mut error = Error::new(
                stale.kind,
                format!("refresh failed after {}: {}", self.taken_at_text(), stale.reason),
            );
            error.hints.clone_from(&stale.hints);
            return Some(error);
        }
        let denied = self.unobserved_stages().any(|(_, why)| why.denied);
        let (stage, why) = self.unobserved_stages().next()?;
        let kind = if denied { ErrorKind::Denied } else { ErrorKind::Failed };
        Some(Error::new(kind, format!("cannot observe stage `{stage}`: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::connect::{ClusterPath, ExpandedConnector},
        quota::ClusterTaskLimit,
    };

    #[test]
    fn the_hint_names_one_stage_and_quotes_the_connector_for_the_shell() {
        let mut failed = ExpandedConnector::default();
        failed.status.connector.state = "FAILED".into();
        failed.id.id = "lcc-1".into();
        let place = ClusterPath {
            environment: "env-prod01".parse().unwrap(),
            cluster: "lkc-prod01".parse().unwrap(),
        };
        let ceiling = ClusterTaskLimit {
            tasks: 250,
            reserve_percent: 10,
        };
        let hint = |name: &str, stages: &[&[&str]]| {
            let list = [(name.to_owned(), failed.clone())].into();
            let mut fleet = Fleet::example(&place, ceiling, &list, &[]);
            let stage = fleet.stages.remove(0);
            fleet.stages.extend(stages.iter().map(|names| StageView {
                stage: names.iter().copied().collect(),
                ..stage.clone()
            }));
            let error = fleet.unhealthy_error(ConnectorCondition::Failed, &Options::default());
            error.unwrap().hints.first().unwrap().to_string()
        };
        let shared: &[&str] = &["prod", "test"];
        for (name, stages, command) in [
            ("claims-a", &[shared, &["lab"]][..], "claims-a --stage prod"),
            ("claims-a", &[shared], "claims-a"),
            // Names are free text.
            ("--all", &[&["prod"]], "lcc-1"),
            ("$(id)", &[&["prod"]], "'$(id)'"),
        ] {
            let expected = format!("For causes and next steps, run `confluent ebs connector explain {command}`.");
            assert_eq!(hint(name, stages), expected);
        }
    }
}
