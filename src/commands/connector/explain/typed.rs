//! What to type, with the flags that the caller has typed.

use crate::{
    commands::{globals::Globals, session::Tenant},
    hint,
    model::{DepartmentCode, Prefix},
    resources::connector::{
        Seen,
        diagnosis::{Hand, Step},
    },
};

/// Commands that do nothing without a department.
const OF_DEPARTMENTS: &[&str] = &[
    "connector create ",
    "connector update ",
    "connector validate ",
    "quota ",
];

/// Makes commands for whoever called.
pub(super) struct Typing {
    /// What the caller may in every template.
    hand: Hand,
    flags: String,
    /// The same flags for those who may more.
    others: Vec<(Hand, String)>,
    /// Whose connectors are meant by their names, for a caller who has said no department.
    owners: Option<Vec<(Prefix, DepartmentCode)>>,
    /// Whether a profile is in use, or whoever reads it may have one.
    has_profile: bool,
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
            flags: globals.typed(),
            others: others.collect(),
            owners: None,
            has_profile: true,
        }
    }

    /// For somebody who acts with the platform's files, and not with a profile.
    #[must_use]
    pub(super) fn without_profile(mut self) -> Self {
        self.has_profile = false;
        self
    }

    /// For somebody who has said no department: a connector is that one's whose prefix its name has.
    #[must_use]
    pub(super) fn for_owners(mut self, owners: Vec<(Prefix, DepartmentCode)>) -> Self {
        self.owners = Some(owners);
        self
    }

    /// As whom a step is done, if not as the caller.
    pub(super) fn somebody_else(&self, step: &Step) -> Option<&'static str> {
        (step.by > self.hand).then(|| step.by.persona())
    }

    /// What to type for a step about a connector; nothing where it would be refused.
    pub(super) fn command(&self, step: &Step, seen: &Seen) -> Option<String> {
        let other = self.others.iter().find(|(hand, _)| *hand == step.by);
        let flags = other.map_or(&self.flags, |(_, flags)| flags);
        let command = step.command?;
        if !self.has_profile && command.starts_with("profile ") {
            return None;
        }
        let department = match &self.owners {
            None => String::new(),
            Some(owners) => match owners.iter().find(|(prefix, _)| prefix.owns(&seen.name)) {
                Some((_, code)) => format!(" --department {}", hint::word(code.as_str())),
                None if OF_DEPARTMENTS
                    .iter()
                    .any(|start| format!("{command} ").starts_with(start)) =>
                {
                    return None;
                }
                None => String::new(),
            },
        };
        let plugin = if seen.class().is_empty() {
            "PLUGIN"
        } else {
            seen.class()
        };
        let command = command
            .replace("{plugin}", &hint::word(plugin))
            .replace("{name}", &hint::typed(seen.id(), &seen.name));
        Some(format!("confluent ebs {command}{flags}{department}"))
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
    globals.typed()
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
            let expected = step.command.unwrap().replace("{name}", "'claims-big lake'");
            assert_eq!(command, format!("confluent ebs {expected} {flags}").trim_end());
        }
        let typing = Typing::of(&file("viewer"), Some(&tenant("viewer")));
        assert_eq!(typing.somebody_else(&restart), Some("operator"));
        assert_eq!(Typing::of(&Globals::default(), None).somebody_else(&update), None);
    }

    // Without a department the service is not even asked: "it is not said for which department".
    #[test]
    fn who_has_said_no_department_gets_the_owners_or_no_command() {
        let seen = |name: &str| Seen {
            name: name.to_owned(),
            now: Expanded::default(),
        };
        let owners = vec![(Prefix::parse("claims-").unwrap(), "claims".parse().unwrap())];
        let mut globals = Globals::default();
        globals.stage = Some("test".to_owned());
        let typing = Typing::of(&globals, None).without_profile().for_owners(owners);
        let update = find("wrong-password").unwrap().then[0];
        let quota = find("slow-target").unwrap().then[1];
        let restart = find("connection-refused").unwrap().then[1];
        let profile = find("wrong-place").unwrap().then[0];
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
            assert_eq!(typing.command(&step, &seen(name)), expected, "{name}");
        }
        let message = Typing::of(&Globals::default(), None);
        assert!(message.command(&profile, &seen("NAME")).is_some());
    }

    #[test]
    fn a_name_cannot_become_a_command() {
        let restart = find("connection-refused").unwrap().then[1];
        let typing = Typing::of(&Globals::default(), None);
        let seen: Seen = Seen {
            name: "$(touch /tmp/pwn)".to_owned(),
            now: Expanded::default(),
        };
        let command = typing.command(&restart, &seen).unwrap();
        assert_eq!(command, "confluent ebs connector restart '$(touch /tmp/pwn)'");
    }
}
