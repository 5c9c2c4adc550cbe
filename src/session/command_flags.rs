//! Flags that suggested commands repeat, so that a pasted command acts on the organization, the stage and the identity of
//! the run that suggested it.

use std::borrow::Cow;

use super::Options;

/// Beginning of a suggested command in a text.
const COMMAND: &str = "`confluent ebs ";

/// Flags of a run for its suggested commands.
#[derive(Clone, Debug, Default)]
pub struct CommandFlags {
    options: Options,
    /// Whether the run is a command of the platform team, so that its identity fits other such commands.
    is_platform_run: bool,
}

/// Audience of a command, which decides which flags it repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    /// Independent of organization and stage.
    Nobody,
    /// Commands that only read the platform's files.
    Files,
    /// Commands with the provisioner's key.
    Platform,
    /// Commands with the key of a department or of the platform team.
    Department,
}

impl Audience {
    /// Returns the audience of a command without `confluent ebs`.
    fn find(command: &str) -> Self {
        if has_flag(command, "help") {
            return Self::Nobody;
        }
        let mut words = command.split(' ');
        match (words.next().unwrap_or_default(), words.next().unwrap_or_default()) {
            ("department", "new")
            | ("profile", "import" | "list" | "remove" | "show" | "use")
            | ("completion" | "help" | "man" | "sandbox", _) => Self::Nobody,
            ("department" | "init", _) => Self::Files,
            ("access" | "keys" | "offboard" | "onboard" | "profile", _) => Self::Platform,
            _ => Self::Department,
        }
    }
}

impl CommandFlags {
    /// Returns the flags of a run with `options`; `command` is its command without `confluent ebs`.
    #[must_use]
    pub fn new(options: &Options, command: &str) -> Self {
        Self {
            options: options.clone(),
            is_platform_run: matches!(Audience::find(command), Audience::Files | Audience::Platform),
        }
    }

    /// Adds the missing flags to every suggested command in `text`: to each `` `confluent ebs …` ``.
    #[must_use]
    pub fn complete<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !text.contains(COMMAND) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(COMMAND) {
            let (before, command) = rest.split_at(start + COMMAND.len());
            out.push_str(before);
            let Some(end) = command.find('`') else {
                rest = command;
                break;
            };
            out.push_str(&command[..end]);
            out.push_str(&self.missing_flags(&command[..end]));
            rest = &command[end..];
        }
        out.push_str(rest);
        Cow::Owned(out)
    }

    fn missing_flags(&self, command: &str) -> String {
        let mut options = self.options.clone();
        let is_sandbox = options.is_sandbox();
        match Audience::find(command) {
            Audience::Nobody => return String::new(),
            Audience::Files => {
                options = Options {
                    stage: options.stage.filter(|_| !command.starts_with("init")),
                    sandbox: is_sandbox,
                    ..Options::default()
                };
            }
            Audience::Platform => {
                // These commands name their departments.
                options.department = options.department.filter(|_| command == "keys list");
                if !self.is_platform_run {
                    options.profile = None;
                }
                // Only the provisioner changes accounts and keys.
                if !self.is_platform_run || !command.starts_with("access") {
                    options.sandbox_as = None;
                    options.sandbox = is_sandbox;
                }
            }
            Audience::Department => {}
        }
        // A profile that the command names replaces the identity of the run, and a profile knows its stage.
        if has_flag(command, "profile") {
            return String::new();
        }
        options.to_missing_flags(|flag| has_flag(command, flag))
    }
}

fn has_flag(command: &str, flag: &str) -> bool {
    command.split(' ').any(|word| {
        let name = word.strip_prefix("--").unwrap_or_default();
        name == flag || name.split_once('=').is_some_and(|(name, _)| name == flag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test_stage() -> Options {
        Options {
            stage: Some("test".into()),
            sandbox: true,
            ..Options::default()
        }
    }

    #[test]
    fn every_suggested_command_gets_the_missing_flags_once() {
        let flags = CommandFlags::new(&test_stage(), "keys revoke");
        for (text, expected) in [
            (
                "First `confluent ebs keys rotate kfz`, then `confluent ebs access audit`.",
                "First `confluent ebs keys rotate kfz --stage test --sandbox`, then `confluent ebs access audit --stage \
                 test --sandbox`.",
            ),
            (
                "Run `confluent ebs onboard kfz --stage prod`.",
                "Run `confluent ebs onboard kfz --stage prod --sandbox`.",
            ),
            (
                "Run `confluent ebs profile use NAME`.",
                "Run `confluent ebs profile use NAME`.",
            ),
            ("Run `confluent ebs init`.", "Run `confluent ebs init --sandbox`."),
            ("Run `confluent iam user list`.", "Run `confluent iam user list`."),
            ("unclosed `confluent ebs onboard", "unclosed `confluent ebs onboard"),
        ] {
            let completed = flags.complete(text);
            assert_eq!(completed, expected);
            assert_eq!(flags.complete(&completed), expected, "completed twice");
        }
    }

    #[test]
    fn a_departments_profile_is_repeated_only_for_its_own_commands() {
        let options = Options {
            profile: Some("claims-operator".into()),
            ..Options::default()
        };
        let flags = CommandFlags::new(&options, "connector describe");
        assert_eq!(
            flags.complete("`confluent ebs connector list` or `confluent ebs onboard claims`"),
            "`confluent ebs connector list --profile claims-operator` or `confluent ebs onboard claims`"
        );
        let platform = CommandFlags::new(&options, "access audit");
        assert_eq!(
            platform.complete("`confluent ebs onboard claims`"),
            "`confluent ebs onboard claims --profile claims-operator`"
        );
    }

    #[test]
    fn an_impersonated_persona_is_not_repeated_for_the_platform_team() {
        let options = Options {
            sandbox_as: Some("claims/operator".into()),
            ..Options::default()
        };
        let flags = CommandFlags::new(&options, "connector create");
        for command in ["onboard claims", "keys rotate claims", "access audit"] {
            assert_eq!(
                flags.complete(&format!("`confluent ebs {command}`")),
                format!("`confluent ebs {command} --sandbox`")
            );
        }
        assert_eq!(
            flags.complete("`confluent ebs connector list`"),
            "`confluent ebs connector list --sandbox-as claims/operator`"
        );
    }
}
