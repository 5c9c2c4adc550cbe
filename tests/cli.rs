//! The binary as a process: help, usage errors, exit codes, and the generated pages.

mod common;

use std::{env, fs, path::PathBuf, process::Stdio};

use common::Cli;
use confluent_ebs::{
    access::audit::{RULES, rules::NOT_AUDITED},
    catalog::rules,
    commands,
    diag::Severity,
    env as variables,
    exit::ExitCode,
    model::PlatformTeam,
    resources::connector::diagnosis,
};

/// Variable that makes the tests write the pages instead of comparing them.
const UPDATE_DOCS_VARIABLE: &str = "UPDATE_DOCS";

#[test]
fn version_prints_one_line() {
    let result = Cli::new().run("--version");
    assert_eq!(
        result.to_string(),
        format!(
            "exit 0\n----- stdout -----\nconfluent-ebs {}\n",
            env!("CARGO_PKG_VERSION")
        )
    );
}

#[test]
fn help_goes_to_stdout_for_every_spelling() {
    let cli = Cli::new();
    let help = cli.run("--help");
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    assert!(help.stdout.starts_with("Onboard departments"), "{help}");
    for args in ["-h", "help"] {
        assert_eq!(cli.run(args), help, "{args}");
    }
    let page = cli.run("help completion");
    assert_eq!(cli.run("completion -h"), page);
    assert_eq!(cli.run("--sandbox completion --help"), page);
}

#[test]
fn without_a_command_the_three_ways_to_start_are_shown() {
    let cli = Cli::new();
    let start = cli.run("");
    insta::assert_snapshot!(start, @r"
    exit 0
    ----- stdout -----
    Onboard departments to a shared Confluent Cloud and run their connectors.

    Try it, without an account and without network access:
      $ confluent ebs onboard claims --sandbox

    I have a profile from the platform team:
      $ confluent ebs profile import FILE

    I am the platform team:
      $ confluent ebs init

    Use `confluent ebs --help` for all commands, `confluent ebs [command] --help`
    for one of them.
    ");
    for args in ["-o json", "-v", "--sandbox"] {
        assert_eq!(cli.run(args), start, "{args}");
    }
}

#[test]
fn help_shows_own_flags_before_examples_and_refers_to_the_global_flags() {
    insta::assert_snapshot!(Cli::new().run("man --help"), @r"
    exit 0
    ----- stdout -----
    Print the manual page.

    Usage:
      confluent ebs man [flags]

    Flags:
          --dir string   Write one page per command to this directory instead.

    Examples:
    Read the manual page.

      $ confluent ebs man | man -l -

    Install the pages of all commands for the current user.

      $ confluent ebs man --dir ~/.local/share/man/man1

    Use `confluent ebs --help` for the global flags (-o, --profile, --stage, …).
    ");
}

#[test]
fn the_confluent_help_link_prints_the_same_help() {
    let cli = Cli::new();
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_confluent-ebs"));
    let link = cli
        .path("confluent-help-ebs")
        .with_extension(env::consts::EXE_EXTENSION);
    fs::hard_link(&binary, &link)
        .or_else(|_| fs::copy(&binary, &link).map(drop))
        .unwrap();
    assert_eq!(cli.run_command(&mut cli.command_at(&link)), cli.run("--help"));
    assert_eq!(
        cli.run_command(cli.command_at(&link).arg("completion")),
        cli.run("help completion")
    );
}

#[test]
fn usage_errors_name_the_mistake_and_a_suggestion() {
    let cli = Cli::new();
    insta::assert_snapshot!(cli.run("completoin bash"), @r#"
    exit 64
    ----- stderr -----
    Error: unknown command "completoin" for "confluent ebs"

    Usage:
      confluent ebs [command]

    Suggestions:
        Did you mean `confluent ebs completion`?
        See `confluent ebs --help`.
    "#);
    insta::assert_snapshot!(cli.run("man -o jsn"), @r#"
    exit 64
    ----- stderr -----
    Error: invalid value `jsn` for --output: must be one of human, json, yaml

    Usage:
      confluent ebs man [flags]

    Suggestions:
        Did you mean `json`?
        See `confluent ebs man --help`.
    "#);
    insta::assert_snapshot!(cli.run("completion"), @r#"
    exit 64
    ----- stderr -----
    Error: missing argument <shell>

    Usage:
      confluent ebs completion <shell> [flags]

    Suggestions:
        See `confluent ebs completion --help`.
    "#);
    insta::assert_snapshot!(cli.run("connector logs"), @r#"
    exit 64
    ----- stderr -----
    Error: missing argument <id>

    Usage:
      confluent ebs connector logs [id-1] ... [id-n] [flags]

    Suggestions:
        Use `--all` to select all of them.
        See `confluent ebs connector logs --help`.
    "#);
    for (args, said) in [
        (
            "connector logs x --limit -3",
            "invalid value `-3` for --limit: must not be negative",
        ),
        (
            "connector logs x --since -30m",
            "invalid value `-30m` for --since: must not be negative",
        ),
        (
            "connector logs x --limit=-3",
            "invalid value `-3` for --limit: expected a number of lines,",
        ),
        // An unknown flag stays an unknown flag.
        ("connector logs x --limit 3 -4", "unknown flag: -4"),
        ("connector logs x --follow -4", "unknown flag: -4"),
    ] {
        let result = cli.run(args);
        assert_eq!(result.code, Some(64), "{result}");
        assert!(result.stderr.starts_with(&format!("Error: {said}")), "{result}");
    }
    insta::assert_snapshot!(cli.run("man --dri x"), @r#"
    exit 64
    ----- stderr -----
    Error: unknown flag: --dri

    Usage:
      confluent ebs man [flags]

    Suggestions:
        Did you mean `--dir`?
        See `confluent ebs man --help`.
    "#);
    insta::assert_snapshot!(cli.run("man --environment lkc-123456"), @r#"
    exit 64
    ----- stderr -----
    Error: invalid value for --environment: `lkc-123456` is not an environment id:
      expected `env-…`

    Usage:
      confluent ebs man [flags]

    Suggestions:
        See `confluent ebs man --help`.
    "#);
}

#[test]
fn every_usage_error_exits_with_64() {
    let cli = Cli::new();
    for args in [
        "nope",
        "man --nope",
        "man nope",
        "man -o xml",
        "completion nope",
        "help nope",
        "man --sandbox=yes",
        "-o",
    ] {
        let result = cli.run(args);
        assert_eq!(result.code, Some(64), "{args}: {result}");
        assert!(
            result.stdout.is_empty() && result.stderr.starts_with("Error: "),
            "{args}: {result}"
        );
    }
}

#[test]
fn global_flags_are_accepted_at_any_position() {
    let cli = Cli::new();
    let expected = cli.run("man -o json");
    assert_eq!(expected.code, Some(0));
    assert!(expected.stdout.starts_with("{\n  \"page\": "), "{expected}");
    assert_eq!(cli.run("-o json man"), expected);
    assert_eq!(
        cli.run("--output json --environment env-123456 man --unsafe-trace -vv"),
        expected
    );
}

#[test]
fn a_misspelt_variable_is_a_warning_without_its_value() {
    let cli = Cli::new();
    let expected = cli.run("completion bash");
    let result = cli.run_with_env(
        "completion bash",
        &[
            ("CONFLUENT_EBS_PROFIL", "cflt-canary"),
            ("CONFLUENT_EBS_PLATFROM", ""),
            ("CONFLUENT_CLOUD_EMAIL", "me@example.com"),
        ],
    );
    assert_eq!((result.code, &result.stdout), (Some(0), &expected.stdout));
    assert_eq!(
        result.stderr_line(),
        "[WARN] no command reads the variable `CONFLUENT_EBS_PROFIL`; did you mean `CONFLUENT_EBS_PROFILE`?"
    );
}

#[test]
fn colours_in_a_pipe_are_forced_and_no_color_wins() {
    let cli = Cli::new();
    for (variables, coloured) in [
        (&[][..], false),
        (&[("FORCE_COLOR", "1")], true),
        (&[("FORCE_COLOR", "3")], true),
        (&[("CLICOLOR_FORCE", "1")], true),
        (&[("FORCE_COLOR", "")], false),
        (&[("FORCE_COLOR", "0")], false),
        (&[("CLICOLOR_FORCE", "0")], false),
        (&[("CLICOLOR", "1")], false),
        (&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")], false),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
    ] {
        let mut command = cli.command();
        command.env_remove("NO_COLOR").envs(variables.iter().copied());
        let list = cli.run_command(command.args(["department", "describe", "claims", "--sandbox"]));
        let json = cli.run_command(command.args(["-o", "json"]));
        let error = cli.run_command(command.arg("--nope"));
        assert_eq!(list.stdout.contains("\u{1b}["), coloured, "{variables:?}: {list}");
        assert_eq!(
            error.stderr.starts_with("\u{1b}[31mError:"),
            coloured,
            "{variables:?}: {error}"
        );
        assert!(!json.stdout.contains('\u{1b}'), "{variables:?}: {json}");
    }
}

#[test]
fn control_characters_in_arguments_are_escaped() {
    let cli = Cli::new();
    let result = cli.run_command(cli.command().arg("\u{1b}[2Jclaims\u{202e}"));
    assert!(
        result
            .stderr
            .starts_with("Error: unknown command \"\\u{1b}[2Jclaims\\u{202e}\""),
        "{result}"
    );
}

#[test]
fn a_closed_stdout_pipe_is_not_an_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_confluent-ebs"))
        .args(["completion", "bash"])
        .stdout(Stdio::from(writer))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn an_unwritable_output_directory_is_named_in_the_error() {
    let cli = Cli::new();
    cli.write("pages", "a file, no folder");
    let result = cli.run("man --dir pages");
    assert_eq!(result.code, Some(1));
    assert!(
        result
            .stderr
            .starts_with("Error: cannot write the manual pages to `pages`\n  cause: "),
        "{result}"
    );
    assert_eq!(
        cli.run("man --dir made/here").stdout,
        "Wrote the manual pages to `made/here`.\n"
    );
    assert!(
        cli.read("made/here/confluent-ebs-completion.1")
            .contains("Print a shell completion script")
    );
}

#[test]
fn completion_scripts_exist_for_every_shell() {
    let cli = Cli::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let result = cli.run(&format!("completion {shell}"));
        assert_eq!(result.code, Some(0), "{result}");
        assert!(result.stdout.contains("confluent-ebs"), "{shell}");
    }
}

/// Completions of a real bash after `words`; `None` without bash.
fn bash_completions(words: &str) -> Option<String> {
    let cli = Cli::new();
    cli.write("completion.bash", cli.run("completion bash").stdout);
    let script = format!(
        "source completion.bash\n\
         __start_confluent() {{ COMPREPLY=(native); }}\n\
         COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
         _confluent_with_ebs confluent \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
    );
    let bash = ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"]
        .into_iter()
        .find(|path| fs::exists(path).is_ok_and(|found| found))?;
    let result = cli.run_command(cli.command_at(bash).args(["--noprofile", "--norc", "-c", &script]));
    assert_eq!(result.stderr, "");
    Some(result.stdout)
}

#[test]
fn bash_completes_the_plugin_and_leaves_other_words_to_the_confluent_cli() {
    let Some(offered) = bash_completions("confluent ebs ''") else {
        return;
    };
    assert!(offered.lines().any(|word| word == "completion"), "{offered}");
    assert!(
        bash_completions("confluent ebs completion ''")
            .unwrap()
            .lines()
            .any(|word| word == "zsh")
    );
    let plugins = bash_completions("confluent ebs connector plugin new S3").unwrap();
    assert_eq!(plugins, "S3Source\nS3_SINK\n");
    // Flags are offered after a dash only.
    assert_eq!(bash_completions("confluent ebs connector pause ''").unwrap(), "\n");
    let flags = bash_completions("confluent ebs connector pause --dr").unwrap();
    assert_eq!(flags, "--dry-run\n");
    assert_eq!(bash_completions("confluent kafka ''").unwrap(), "native\n");
    assert_eq!(bash_completions("confluent e").unwrap(), "native\nebs\n");
}

/// Calls `visit` with every command and its full name.
fn for_each_command(command: &clap::Command, name: &str, visit: &mut impl FnMut(&clap::Command, &str)) {
    visit(command, name);
    for sub in command.get_subcommands() {
        for_each_command(sub, &format!("{name} {}", sub.get_name()), visit);
    }
}

#[test]
fn every_command_has_help_in_the_confluent_cli_style() {
    for_each_command(&commands::command_tree(), "confluent ebs", &mut |command, name| {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(
            about.starts_with(char::is_uppercase),
            "{name}: \"{about}\" begins with a capital"
        );
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let runnable = examples
            .lines()
            .filter(|line| line.starts_with("  $ "))
            .collect::<Vec<_>>();
        let group = command.has_subcommands();
        assert!(group || !runnable.is_empty(), "{name} has no example");
        for line in runnable {
            let words = line
                .split_once("confluent ebs ")
                .unwrap_or_else(|| panic!("{name}: {line}"))
                .1;
            let words = words.split(['|', '>', ')', '<']).next().unwrap().split_whitespace();
            let parsed = commands::command_tree().try_get_matches_from(std::iter::once("confluent-ebs").chain(words));
            let help = parsed
                .as_ref()
                .is_err_and(|error| error.kind() == clap::error::ErrorKind::DisplayHelp);
            assert!(parsed.is_ok() || help, "{name}: `{line}` cannot be parsed");
        }
        for arg in command.get_arguments() {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                help.starts_with(char::is_uppercase),
                "{name}: --{} has no help",
                arg.get_id()
            );
            assert!(
                !help.contains('`'),
                "{name}: the help of --{} has a backtick",
                arg.get_id()
            );
        }
    });
}

/// Compares a page with the text generated by the program, or writes it.
fn check_generated_page(path: &str, expected: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os(UPDATE_DOCS_VARIABLE).is_some() {
        fs::write(&file, expected).unwrap();
        return;
    }
    let found = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(
        found, expected,
        "{path} is not up to date: run `{UPDATE_DOCS_VARIABLE}=1 cargo test --test cli`"
    );
}

#[test]
fn the_commands_page_matches_the_help_texts() {
    check_generated_page("docs/commands.md", &commands::render_reference());
}

#[test]
fn the_exit_codes_page_matches_the_exit_codes() {
    let mut page = String::from(
        "# Exit codes\n\n\
         They are visible only if `confluent-ebs` is called directly: the Confluent CLI replaces every code except 0 by 1.\n\
         Every other exit code than 0 has an error message on standard error or a result that explains it.\n\n\
         | Code | Meaning |\n|---:|---|\n",
    );
    for (code, meaning) in ExitCode::ALL {
        page.extend(["| ", &code.code().to_string(), " | ", meaning, " |\n"]);
    }
    page.push_str("\nThis page is generated from `src/exit.rs` (`tests/cli.rs`).\n");
    check_generated_page("docs/exit-codes.md", &page);
}

/// Introduction of the page about audit rules.
const AUDIT_PAGE_INTRODUCTION: &str = "\
# Audit rules

`confluent ebs access audit` compares what a key can see of the organization with the platform files. Each rule below detects one
kind of access across the borders of departments. T1 to T19 are the threats of docs/reference/rbac.md#threats; a rule can report several
findings, each with its evidence, a remedy and the party that can apply it.

- **Present, absent, unknown.** A rule without findings is *absent* only if all lists that it needs were read completely. If a list was
  refused, or is filtered by the access of the caller, the rule is *unknown*. The provisioner's key reads the cluster and the departments'
  accounts; an administrator's key reads everything. With `--strict`, unknown rules also exit with 5.
- **Errors, warnings, information.** An error is access to resources of another owner, or control of them. A warning makes an error more likely, or is
  probably a mistake. Access that a template declares with a reason is information; information does not affect the exit code.
- **Exit code:** 0 without errors and warnings, 5 with errors or warnings, and 1 if the audit itself failed.
- **Not a finding:** roles of the provisioner (`provisioner` in `ebs.toml`, otherwise the caller, otherwise the account without the `ebs:v1` tag that
  administrates the cluster and owns most departments' accounts), and of the principals in `administrators` and `adopt` in `ebs.toml`. Their keys and
  connectors are judged: keys of the provisioner are recorded in `provisioner_keys`, keys of adopted accounts in `adopt`.
- **Accepted findings.** `--write-baseline FILE` writes all findings to a file. Add a reason to each entry; `--baseline FILE` then accepts them
  until their expiry date. An expired entry, and one without a matching finding, are warnings.
- **Snapshots.** `--save FILE` saves the observed state, `--from FILE` audits it without a key, and `--compare-to FILE` also reports new
  accounts. A snapshot contains no secrets, but it reveals the access of all principals.
- **`--fix`** shows a plan and then removes managed leftovers: role bindings of departments' accounts that no template declares, and orphaned
  keys. It creates nothing, and changes nothing of other owners. An account that another principal controls becomes managed only when this control
  ends, so a second run can find more.

The journal, the evidence files and the profiles on this computer determine which API keys are recorded. An evidence file
records only keys of the account, persona, stage and department that it names, made before it; a profile only those of its persona. Run the audit where these files are, or
use `--evidence-dir`.

```toml
# accepted.toml
[[accepted]]
rule = \"third-party-grant\"
subject = \"rb-abc123\"
reason = \"the data office reads claims-orders, agreed in CC-4711\"
until = 2027-01-31
```
";

/// `text` in lines of at most 135 characters, like the other pages.
fn wrap_lines(text: &str) -> String {
    let mut lines: Vec<Vec<&str>> = vec![Vec::new()];
    let mut width = 0;
    for word in text.split_whitespace() {
        let more = word.chars().count() + 1;
        if width + more > 136 {
            lines.push(Vec::new());
            width = 0;
        }
        width += more;
        lines.last_mut().unwrap().push(word);
    }
    lines.iter().map(|line| line.join(" ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_audit_page_matches_the_audit_rules() {
    let mut page = vec![AUDIT_PAGE_INTRODUCTION.to_owned()];
    page.push("\n| Rule | Threat | Severity | Detects |\n|---|---|---|---|\n".to_owned());
    page.extend(RULES.iter().map(|rule| {
        let worst = match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "information",
        };
        format!(
            "| [`{0}`](#{0}) | {1} | {worst} | {2} |\n",
            rule.id, rule.threat, rule.summary
        )
    }));
    for rule in RULES {
        page.push(format!("\n## {}\n\n{}: {}.\n", rule.id, rule.threat, rule.summary));
        let texts = [("Why", rule.why), ("Evidence", rule.evidence), ("Fix", rule.remedy)];
        page.extend(texts.map(|(title, text)| format!("\n{}\n", wrap_lines(&format!("**{title}.** {text}")))));
        let needs: Vec<&str> = rule.needs.iter().map(|need| need.description()).collect();
        if !needs.is_empty() {
            let needs = format!("**Required data:** {}.", needs.join("; "));
            page.push(format!("\n{}\n", wrap_lines(&needs)));
        }
    }
    page.push("\n## Threats without a rule\n\n| Threat | Reason | Instead |\n|---|---|---|\n".to_owned());
    page.extend(
        NOT_AUDITED
            .iter()
            .map(|(threat, what, instead)| format!("| {threat} | {what} | {instead} |\n")),
    );
    page.push("\nThis page is generated from the rules in `src/access/audit/rules/` (`tests/cli.rs`).\n".to_owned());
    let page = page.concat();
    check_generated_page("docs/audit.md", &page);
}

#[test]
fn the_environment_page_matches_the_list_of_variables() {
    let mut page = String::from("# Environment variables\n\n| Variable | Meaning |\n|---|---|\n");
    for variable in variables::ALL {
        page.extend(["| `", variable.name, "` | ", variable.help.trim(), " |\n"]);
    }
    page.push_str(
        "\nNo other variable is read by name. A variable whose name looks like a misspelt `CONFLUENT_…` of this page is a \
         warning on standard\nerror.\n\nThe command of `onboard --handover-command` receives these variables in addition to its \
         environment, without\n`CONFLUENT_CLOUD_API_KEY` and `CONFLUENT_CLOUD_API_SECRET`.\n\n| Variable | Meaning |\n|---|---|\n",
    );
    for variable in variables::FOR_HANDOVER {
        page.extend(["| `", variable.name, "` | ", variable.help.trim(), " |\n"]);
    }
    page.push_str("\nThis page is generated from `src/env.rs` (`tests/cli.rs`).\n");
    check_generated_page("docs/environment.md", &page);
}

#[test]
fn the_lint_page_matches_the_lint_rules() {
    let mut page = String::from(
        "# Lint rules\n\n\
         `confluent ebs connector lint` checks connector files with these rules; `create`, `update` and `validate` check them\n\
         before they send a request. An error refuses the file (exit code 5), a warning does not. A rule can be disabled, with\n\
         a reason, in the table `[lint]` of `ebs.toml`, a department's file or a profile ([files.md](files.md)).\n\n\
         The rules compare a file with built-in facts about plugins, whose age `lint` prints. `confluent ebs connector plugin\n\
         refresh` reads newer facts from Confluent Cloud and writes them to `catalogue.json` beside `ebs.toml`, or, without one,\n\
         to the state directory. They add plugins, keys, values and secrets; they never remove what the built-in facts know.\n\n\
         | Rule | Severity | Detects | Reason |\n|---|---|---|---|\n",
    );
    for rule in rules::RULES {
        let worst = if rule.severity == Severity::Error {
            "error"
        } else {
            "warning"
        };
        let why = rule.explanation.replace('|', "\\|");
        page.extend(["| `", rule.id, "` | ", worst, " | ", rule.summary, " | ", &why, " |\n"]);
    }
    page.push_str(
        "\nThe findings `syntax` and `unreadable-file` mean that a file cannot be read (exit code 1). This page is generated from\n\
         `src/catalog/rules/` (`tests/cli.rs`).\n",
    );
    check_generated_page("docs/lint.md", &page);
}

#[test]
fn the_causes_page_matches_the_diagnosis_rules() {
    let mut page = String::from(
        "# Causes of connector failures\n\n\
         `confluent ebs connector explain` compares errors of the service and log lines with these rules, specific rules first, and\n\
         prints the first match; `--message` does the same with any error text. In the patterns, `*` matches any text within a\n\
         line, and a leading `^` matches the beginning of a line; matching ignores case. `http=`, `sqlstate=`, `mysql=` and\n\
         `sqlserver=` stand for a code in any notation. Some rules apply only if the message shows who said it: a 401 of an HTTP\n\
         target, of the Schema Registry and of Confluent's API concern different credentials, and a 401 of nobody says nothing.\n\n\
         Each example has a confidence: *verified* in source code, a specification or a recording, *documented*, or *inferred*.\n\
         Report errors without a rule, and wrong explanations, to the platform team: a rule is a few lines of code.\n\n\
         | Rule | Cause | Family | Owner |\n|---|---|---|---|\n",
    );
    for rule in diagnosis::rules() {
        page.extend([
            "| [",
            rule.id,
            "](#",
            rule.id,
            ") | ",
            rule.cause,
            " | ",
            rule.family.as_str(),
            " | ",
            &rule.owner.display_name(&PlatformTeam::default()),
            " |\n",
        ]);
    }
    for rule in diagnosis::rules() {
        let (id, owner) = (rule.id, rule.owner.display_name(&PlatformTeam::default()));
        let example = rule.example.replace('\n', "\n    ");
        page.extend(["\n## ", id, "\n\n", rule.cause, "\n\n    ", &example, "\n\n"]);
        page.extend(["Owner: ", &owner, ".\n\n1. ", rule.fix, "\n"]);
        let mut number = 1;
        for step in rule.next_steps {
            let mark = if step.is_alternative {
                "   - ".to_owned()
            } else {
                number += 1;
                format!("{number}. ")
            };
            page.extend([mark.as_str(), step.text]);
            if let Some(command) = step.command {
                let command = command.replace("{name}", "NAME").replace("{plugin}", "PLUGIN");
                page.extend([": `confluent ebs ", &command, "`"]);
            }
            page.push('\n');
        }
        let patterns: Vec<String> = rule.patterns.iter().map(|pattern| format!("`{pattern}`")).collect();
        if !rule.said_by.is_empty() {
            let said_by: Vec<&str> = rule.said_by.iter().map(|speaker| speaker.display_name()).collect();
            page.extend(["\nSaid by: ", &said_by.join(", "), ".\n"]);
        }
        if !patterns.is_empty() {
            page.extend(["\nPatterns: ", &patterns.join(", "), ".\n"]);
        }
        page.extend(["\nConfidence: ", rule.confidence.as_str(), " (", rule.source, ").\n"]);
    }
    page.push_str("\nThis page is generated from `src/resources/connector/diagnosis/rules/` (`tests/cli.rs`).\n");
    check_generated_page("docs/causes.md", &page);
}

#[test]
fn commands_named_in_diagnosis_rules_parse() {
    for rule in diagnosis::rules() {
        for command in rule.next_steps.iter().filter_map(|step| step.command) {
            let typed = command.replace("{name}", "claims-a").replace("{plugin}", "S3_SINK");
            let words = std::iter::once("confluent-ebs").chain(typed.split_whitespace());
            assert!(
                commands::command_tree().try_get_matches_from(words).is_ok(),
                "{}: {typed}",
                rule.id
            );
        }
    }
}

#[test]
fn the_readme_names_existing_commands_and_pages() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let mut shown = 0;
    // Whole lines, and examples in the table of commands.
    let lines = readme.lines().flat_map(|line| match line.strip_prefix("| ") {
        Some(row) => row.split('`').collect(),
        None => vec![line.trim()],
    });
    for line in lines {
        let words = line
            .strip_prefix("confluent ebs ")
            .or_else(|| line.strip_prefix("cargo run --release -- "));
        if let Some(words) = words {
            shown += 1;
            let words = words.split_whitespace();
            let parsed = commands::command_tree().try_get_matches_from(std::iter::once("confluent-ebs").chain(words));
            let answered = |error: &clap::Error| error.kind() == clap::error::ErrorKind::DisplayVersion;
            assert!(
                parsed.is_ok() || parsed.as_ref().is_err_and(answered),
                "`{line}` cannot be parsed"
            );
        }
    }
    assert!(shown > 20, "the README contains only {shown} commands");
    for command in commands::command_tree().get_subcommands() {
        let name = command.get_name();
        let row = [format!("\n| `{name}` | "), format!("\n| `{name} ")];
        assert!(
            name == "help" || row.iter().any(|row| readme.contains(row)),
            "`{name}` is not in the README's table of commands"
        );
    }
    for (at, _) in readme.match_indices("](") {
        let target = readme[at + 2..].split(')').next().unwrap();
        assert!(
            target.starts_with("https://") || root.join(target).exists(),
            "README links to {target}"
        );
    }
}
