//! Suggested commands, with the flags of the caller.

use crate::{
    error::Error,
    hint,
    manifest::Workspace,
    model::{DepartmentCode, PlatformTeam, Prefix},
    resources::connector::{
        LiveConnector,
        diagnosis::{RemedyStep, RequiredPersona},
    },
    session::{ConnectorSession, DepartmentContext, Options, RunContext, load_workspace, selected_profile},
};

/// Commands that require a department.
const NEEDS_DEPARTMENT: &[&str] = &[
    "connector create ",
    "connector update ",
    "connector validate ",
    "quota ",
];

/// Builder of suggested commands for the caller.
#[derive(Debug)]
pub struct CommandBuilder {
    /// Persona of the caller.
    persona: RequiredPersona,
    flags: String,
    /// Flags for the personas with more permissions.
    other_flags: Vec<(RequiredPersona, String)>,
    /// Departments by prefix, for a caller without a department.
    owners: Option<Vec<(Prefix, DepartmentCode)>>,
    /// Whether the caller has or may have a profile.
    has_profile: bool,
    platform_team: PlatformTeam,
    /// Prefix of the caller's department.
    prefix: Option<Prefix>,
}

impl CommandBuilder {
    /// Returns the builder for a caller with a session.
    #[must_use]
    pub fn for_session(run: &RunContext, session: &ConnectorSession) -> Self {
        let commands = Self::new(&run.options, session.department.as_ref());
        let Some(department) = &session.department else {
            // The session has loaded the platform configuration successfully.
            let workspace = load_workspace(run, run.options.is_sandbox()).map(|loaded| loaded.workspace);
            let owners = workspace.iter().flat_map(Workspace::departments);
            let owners = owners.map(|department| (department.prefix.clone(), department.code.clone()));
            return commands.without_profile().for_owners(owners.collect());
        };
        match department.quota_issued {
            Some(_) => commands,
            None => commands.without_profile(),
        }
    }

    /// Returns the builder for a caller without a session.
    ///
    /// # Errors
    /// The home directory, and thus the default profile, is unknown.
    pub fn for_run(run: &RunContext) -> Result<Self, Error> {
        let commands = Self::new(&run.options, None);
        Ok(match selected_profile(run, run.environment.dirs()?) {
            Some(_) => commands,
            None => commands.without_profile(),
        })
    }

    /// Returns the builder for a caller with a profile of `department`, or with any profile.
    #[must_use]
    pub fn new(options: &Options, department: Option<&DepartmentContext>) -> Self {
        let persona = department.and_then(|department| department.persona.as_deref());
        let own = match persona {
            Some("viewer") => RequiredPersona::Viewer,
            Some("operator") => RequiredPersona::Operator,
            // Pipelines, the platform team, and personas of custom templates.
            _ => RequiredPersona::Deployer,
        };
        let others = [RequiredPersona::Operator, RequiredPersona::Deployer]
            .into_iter()
            .filter(|other| *other > own);
        let others =
            others.filter_map(|other| Some((other, flags_for_persona(options, department?, persona?, other.as_str()))));
        Self {
            persona: own,
            flags: options.to_flags(),
            other_flags: others.collect(),
            owners: None,
            has_profile: true,
            platform_team: department.map_or_else(PlatformTeam::default, |department| department.platform_team.clone()),
            prefix: department.map(|department| department.prefix.clone()),
        }
    }

    /// Marks the caller as acting with the platform configuration instead of a profile.
    #[must_use]
    fn without_profile(mut self) -> Self {
        self.has_profile = false;
        self
    }

    /// Adds the departments by prefix, so that the builder can select the owner of a connector.
    #[must_use]
    fn for_owners(mut self, owners: Vec<(Prefix, DepartmentCode)>) -> Self {
        self.owners = Some(owners);
        self
    }

    pub(super) fn prefix(&self) -> Option<&Prefix> {
        self.prefix.as_ref()
    }

    pub(super) fn platform_team(&self) -> &PlatformTeam {
        &self.platform_team
    }

    /// Returns the persona that must execute the step, if it is not the caller's.
    pub(super) fn as_other_persona(&self, step: &RemedyStep) -> Option<&'static str> {
        (step.persona > self.persona).then(|| step.persona.as_str())
    }

    /// Returns the command of a step for a connector; `None` if it would be refused.
    pub(super) fn command(&self, step: &RemedyStep, observed: &LiveConnector) -> Option<String> {
        let other = self.other_flags.iter().find(|(persona, _)| *persona == step.persona);
        let flags = other.map_or(&self.flags, |(_, flags)| flags);
        let command = step.command?;
        if !self.has_profile && command.starts_with("profile ") {
            return None;
        }
        let department = match &self.owners {
            None => String::new(),
            Some(owners) => match owners.iter().find(|(prefix, _)| prefix.owns(&observed.name)) {
                Some((_, code)) => format!(" --department {}", hint::shell_quote(code.as_str())),
                None if NEEDS_DEPARTMENT
                    .iter()
                    .any(|start| format!("{command} ").starts_with(start)) =>
                {
                    return None;
                }
                None => String::new(),
            },
        };
        let plugin = if observed.class().is_empty() {
            "PLUGIN"
        } else {
            observed.class()
        };
        let command = command
            .replace("{plugin}", &hint::shell_quote(plugin))
            .replace("{name}", &hint::connector_arg(observed.id(), &observed.name));
        Some(format!("confluent ebs {command}{flags}{department}"))
    }
}

/// Returns the flags of another persona of the same department, whose profile is named like the caller's.
fn flags_for_persona(options: &Options, department: &DepartmentContext, persona: &str, other: &str) -> String {
    let renamed = |text: &str| {
        let (before, after) = text.rsplit_once(persona)?;
        Some(format!("{before}{other}{after}"))
    };
    let mut options = options.clone();
    if let Some(who) = &options.sandbox_as {
        options.sandbox_as = renamed(who);
    } else {
        let named = options.profile.as_deref().and_then(renamed);
        options.profile = Some(named.unwrap_or_else(|| format!("{}-{other}", department.code)));
    }
    options.to_flags()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::connect::ExpandedConnector, resources::connector::diagnosis::find_rule};

    fn department_context(persona: &str) -> DepartmentContext {
        DepartmentContext {
            code: "claims".parse().unwrap(),
            prefix: crate::model::Prefix::parse("claims-").unwrap(),
            quota: crate::model::DepartmentQuota {
                connectors: 1,
                tasks: 1,
                tasks_per_connector: 1,
                plugins: Vec::new(),
                throughput: None,
            },
            connector_names: crate::model::ConnectorNamePattern::default(),
            persona: Some(persona.to_owned()),
            runtime_account_name: None,
            runtime_account_id: None,
            secret_variables: Vec::new(),
            lint_exceptions: Vec::new(),
            quota_issued: None,
            platform_team: PlatformTeam::default(),
        }
    }

    #[test]
    fn commands_carry_the_flags_of_the_caller_and_name_the_persona_with_the_permission() {
        let observed = LiveConnector {
            name: "claims-big lake".to_owned(),
            expanded: ExpandedConnector::default(),
        };
        let update = find_rule("wrong-password").unwrap().next_steps[0];
        let restart = find_rule("connection-refused").unwrap().next_steps[1];
        let file = |persona: &str| Options {
            profile: Some(format!("operators/claims-{persona}.toml")),
            ..Options::default()
        };
        let none = Options::default();
        let sandbox = Options {
            sandbox_as: Some("claims/operator".to_owned()),
            ..Options::default()
        };
        for (options, persona, step, flags) in [
            (
                file("deployer"),
                "deployer",
                update,
                "--profile operators/claims-deployer.toml",
            ),
            (
                file("operator"),
                "operator",
                update,
                "--profile operators/claims-deployer.toml",
            ),
            (
                file("operator"),
                "operator",
                restart,
                "--profile operators/claims-operator.toml",
            ),
            (
                file("viewer"),
                "viewer",
                restart,
                "--profile operators/claims-operator.toml",
            ),
            (none.clone(), "operator", update, "--profile claims-deployer"),
            (none, "operator", restart, ""),
            (sandbox, "operator", update, "--sandbox-as claims/deployer"),
        ] {
            let command = CommandBuilder::new(&options, Some(&department_context(persona)))
                .command(&step, &observed)
                .unwrap();
            let expected = step.command.unwrap().replace("{name}", "'claims-big lake'");
            assert_eq!(command, format!("confluent ebs {expected} {flags}").trim_end());
        }
        let commands = CommandBuilder::new(&file("viewer"), Some(&department_context("viewer")));
        assert_eq!(commands.as_other_persona(&restart), Some("operator"));
        assert_eq!(
            CommandBuilder::new(&Options::default(), None).as_other_persona(&update),
            None
        );
    }

    // Without a department, the command fails with "no department specified".
    #[test]
    fn without_a_department_the_command_names_the_owner_or_is_left_out() {
        let observed = |name: &str| LiveConnector {
            name: name.to_owned(),
            expanded: ExpandedConnector::default(),
        };
        let owners = vec![(Prefix::parse("claims-").unwrap(), "claims".parse().unwrap())];
        let options = Options {
            stage: Some("test".to_owned()),
            ..Options::default()
        };
        let commands = CommandBuilder::new(&options, None).without_profile().for_owners(owners);
        let update = find_rule("wrong-password").unwrap().next_steps[0];
        let quota = find_rule("slow-target").unwrap().next_steps[1];
        let restart = find_rule("connection-refused").unwrap().next_steps[1];
        let profile = find_rule("wrong-place").unwrap().next_steps[0];
        for (step, name, expected) in [
            (
                update,
                "claims-a",
                Some("connector update claims-a --config-file FILE --stage test --department claims"),
            ),
            (
                quota,
                "claims-a",
                Some("quota describe --stage test --department claims"),
            ),
            (update, "lonely", None),
            (quota, "lonely", None),
            (restart, "lonely", Some("connector restart lonely --stage test")),
            (profile, "claims-a", None),
        ] {
            let expected = expected.map(|words| format!("confluent ebs {words}"));
            assert_eq!(commands.command(&step, &observed(name)), expected, "{name}");
        }
        let message = CommandBuilder::new(&Options::default(), None);
        assert!(message.command(&profile, &observed("NAME")).is_some());
    }

    #[test]
    fn a_connector_name_is_quoted_for_the_shell() {
        let restart = find_rule("connection-refused").unwrap().next_steps[1];
        let commands = CommandBuilder::new(&Options::default(), None);
        let observed: LiveConnector = LiveConnector {
            name: "$(touch /tmp/pwn)".to_owned(),
            expanded: ExpandedConnector::default(),
        };
        let command = commands.command(&restart, &observed).unwrap();
        assert_eq!(command, "confluent ebs connector restart '$(touch /tmp/pwn)'");
    }
}
