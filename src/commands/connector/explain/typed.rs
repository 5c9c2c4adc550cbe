//! What to type, with the flags that the caller has typed.

use crate::{
    commands::{globals::Globals, session::Tenant},
    resources::connector::{
        Seen,
        diagnosis::{Hand, Step},
    },
};

/// Makes commands for whoever called.
pub(super) struct Typing {
    /// What the caller may in every template.
    hand: Hand,
    flags: String,
    /// The same flags for those who may more.
    others: Vec<(Hand, String)>,
}

impl Typing {
    pub(super) fn of(globals: &Globals, tenant: Option<&Tenant>) -> Self {
        let persona = tenant.and_then(|tenant| tenant.persona.as_deref());
        let hand = match persona {
            Some("viewer") => Hand::Viewer,
            Some("operator") => Hand::Operator,
            // The pipeline, the platform team, and personas of templates that are not ours.
            _ => Hand::Deployer,
        };
        let others = [Hand::Operator, Hand::Deployer]
            .into_iter()
            .filter(|other| *other > hand);
        let others = others.filter_map(|other| Some((other, as_persona(globals, tenant?, persona?, other.persona()))));
        Self {
            hand,
            flags: flags(globals),
            others: others.collect(),
        }
    }

    /// As whom a step is done, if not as the caller.
    pub(super) fn somebody_else(&self, step: &Step) -> Option<&'static str> {
        (step.by > self.hand).then(|| step.by.persona())
    }

    /// What to type for a step about a connector.
    pub(super) fn command(&self, step: &Step, seen: &Seen) -> Option<String> {
        let other = self.others.iter().find(|(hand, _)| *hand == step.by);
        let flags = other.map_or(&self.flags, |(_, flags)| flags);
        let command = step.command?;
        let plugin = if seen.class().is_empty() {
            "PLUGIN"
        } else {
            seen.class()
        };
        let command = command
            .replace("{name}", &quoted(&seen.name))
            .replace("{plugin}", &quoted(plugin));
        Some(format!("confluent ebs {command}{flags}"))
    }
}

/// The flags of somebody else of the same department, whose profile is called like the caller's.
fn as_persona(globals: &Globals, tenant: &Tenant, persona: &str, other: &str) -> String {
    let renamed = |text: &str| {
        let (before, after) = text.rsplit_once(persona)?;
        Some(format!("{before}{other}{after}"))
    };
    let mut globals = globals.clone();
    if let Some(who) = &globals.sandbox_as {
        globals.sandbox_as = renamed(who);
    } else {
        let named = globals.profile.as_deref().and_then(renamed);
        globals.profile = Some(named.unwrap_or_else(|| format!("{}-{other}", tenant.code)));
    }
    flags(&globals)
}

fn flags(globals: &Globals) -> String {
    let values = [
        ("profile", globals.profile.clone()),
        ("sandbox-as", globals.sandbox_as.clone()),
        ("department", globals.department.as_ref().map(ToString::to_string)),
        ("stage", globals.stage.clone()),
        ("environment", globals.environment.as_ref().map(ToString::to_string)),
        ("cluster", globals.cluster.as_ref().map(ToString::to_string)),
    ];
    let mut flags: String = values
        .into_iter()
        .filter_map(|(flag, value)| Some(format!(" --{flag} {}", quoted(&value?))))
        .collect();
    if globals.sandbox {
        flags.push_str(" --sandbox");
    }
    flags
}

/// In double quotes where a shell would see more than one word.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.:/\\=~+,".contains(c);
    match argument.chars().all(plain) {
        true => argument.to_owned(),
        false => format!("\"{argument}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::connect::Expanded, resources::connector::diagnosis::find};

    fn tenant(persona: &str) -> Tenant {
        Tenant {
            code: "claims".parse().unwrap(),
            prefix: crate::model::Prefix::parse("claims-").unwrap(),
            quota: crate::model::DepartmentQuota {
                connectors: 1,
                tasks: 1,
                tasks_per_connector: 1,
                plugins: Vec::new(),
            },
            persona: Some(persona.to_owned()),
            runtime: None,
            runtime_account: None,
            secret_variables: Vec::new(),
            lint_exceptions: Vec::new(),
            issued: None,
        }
    }

    #[test]
    fn commands_hold_the_flags_that_were_typed_and_the_persona_that_may() {
        let seen = Seen {
            name: "claims-big lake".to_owned(),
            now: Expanded::default(),
        };
        let update = find("wrong-password").unwrap().then[0];
        let restart = find("connection-refused").unwrap().then[1];
        let file = |persona: &str| {
            let mut globals = Globals::default();
            globals.profile = Some(format!("operators/claims-{persona}.toml"));
            globals
        };
        let none = Globals::default();
        let mut sandbox = Globals::default();
        sandbox.sandbox_as = Some("claims/operator".to_owned());
        for (globals, persona, step, flags) in [
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
            let command = Typing::of(&globals, Some(&tenant(persona)))
                .command(&step, &seen)
                .unwrap();
            let expected = step.command.unwrap().replace("{name}", "\"claims-big lake\"");
            assert_eq!(command, format!("confluent ebs {expected} {flags}").trim_end());
        }
        let typing = Typing::of(&file("viewer"), Some(&tenant("viewer")));
        assert_eq!(typing.somebody_else(&restart), Some("operator"));
        assert_eq!(Typing::of(&Globals::default(), None).somebody_else(&update), None);
    }
}
