//! How this program is installed as a plugin of the Confluent CLI: which files the CLI would take for plugins, and what
//! that means. The rules are those of cli `pkg/plugin/plugin.go` (docs/reference/cli.md#plugin-files and
//! docs/reference/cli.md#plugin-lookup).

use std::path::{Path, PathBuf};

use super::{
    CheckResult,
    cli_config::{CliConfig, CliConfigState},
};

/// The file of the CLI itself.
const CLI_FILE: &str = if cfg!(windows) { "confluent.exe" } else { "confluent" };
/// What the CLI calls this program.
const OWN: &str = "confluent-ebs";
/// A second name under which the CLI asks for its help.
const HELP: &str = "confluent-help-ebs";

/// An executable that the CLI would take for a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFile {
    /// Its name as a plugin.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The file behind all links; nothing when a link leads nowhere.
    pub real: Option<PathBuf>,
}

/// What the folders of `PATH` hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginInstallation {
    /// The running program, behind all links.
    pub program: PathBuf,
    /// The Confluent CLI.
    pub cli: Option<PathBuf>,
    /// Plugins whose names begin as ours does, in the order in which the CLI looks.
    pub plugins: Vec<PluginFile>,
    /// Whether this is Windows.
    pub windows: bool,
}

impl PluginInstallation {
    /// Looks into `folders` as the CLI does; `extensions` are those that make a file executable on Windows.
    #[must_use]
    pub fn discover(program: &Path, folders: &[PathBuf], extensions: &[String]) -> Self {
        let mut found = Self {
            program: program.canonicalize().unwrap_or_else(|_| program.to_owned()),
            windows: cfg!(windows),
            ..Self::default()
        };
        for folder in folders {
            let Ok(entries) = std::fs::read_dir(folder) else {
                continue;
            };
            let mut names: Vec<String> = entries
                .flatten()
                .filter_map(|entry| entry.file_name().into_string().ok())
                .collect();
            names.sort();
            for name in names {
                let path = folder.join(&name);
                if !is_executable(&path, extensions) {
                    continue;
                }
                if found.cli.is_none() && name == CLI_FILE && path.is_file() {
                    found.cli = Some(path);
                } else if let Some(plugin) = plugin_name(&name)
                    && is_relevant(plugin)
                {
                    found.plugins.push(PluginFile {
                        name: plugin.to_owned(),
                        real: path.canonicalize().ok(),
                        path,
                    });
                }
            }
        }
        found
    }

    fn plugins_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a PluginFile> {
        self.plugins.iter().filter(move |found| found.name == name)
    }

    fn is_running_program(&self, found: &PluginFile) -> bool {
        found.real.as_ref() == Some(&self.program)
    }

    fn remove_command(&self, paths: &[&Path]) -> String {
        let paths: Vec<String> = paths.iter().map(|path| shell_quoted_path(path)).collect();
        let command = if self.windows { "del" } else { "rm" };
        format!("`{command} {}`", paths.join(" "))
    }
}

/// A path as a shell takes it.
fn shell_quoted_path(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "-_./~:\\".contains(c);
    match text.chars().all(plain) {
        true => text,
        false => format!("\"{text}\""),
    }
}

/// The file's name without its last extension: `confluent-ebs.bak` is a plugin "confluent-ebs".
fn stem(file: &str) -> &str {
    match file.rfind('.') {
        Some(at) => &file[..at],
        None => file,
    }
}

/// The plugin that a file's name stands for: `^confluent(-[a-z][0-9_a-z]*)+$` after the last extension is cut off.
fn plugin_name(file: &str) -> Option<&str> {
    let name = stem(file);
    let mut words = name.strip_prefix("confluent-")?.split('-');
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    words.all(is_word).then_some(name)
}

fn is_relevant(plugin: &str) -> bool {
    plugin == OWN || plugin == HELP || shadowed_command(plugin).is_some()
}

/// What a longer name takes over, as it is typed: the CLI starts the longest name that fits.
fn shadowed_command(plugin: &str) -> Option<String> {
    let rest = plugin.strip_prefix(OWN)?.strip_prefix('-')?;
    Some(format!("confluent ebs {}", rest.replace('-', " ").replace('_', "-")))
}

/// On Unix no directory, and anybody may execute it, as `lstat` says: links count, also those that lead nowhere.
#[cfg(unix)]
fn is_executable(path: &Path, _extensions: &[String]) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::symlink_metadata(path).is_ok_and(|data| !data.is_dir() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path, extensions: &[String]) -> bool {
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
    let known = |known: &String| known.trim_start_matches('.').eq_ignore_ascii_case(end);
    !path.is_dir() && (end.eq_ignore_ascii_case("py") || extensions.iter().any(known))
}

/// Judges an installation.
#[must_use]
pub fn check_installation(installation: &PluginInstallation, config: &CliConfig) -> Vec<CheckResult> {
    vec![
        check_cli(installation),
        check_on_path(installation),
        check_duplicates(installation),
        check_shadowed_commands(installation),
        check_help_link(installation),
        check_enabled(installation, config),
    ]
}

fn check_cli(installation: &PluginInstallation) -> CheckResult {
    match &installation.cli {
        Some(path) => CheckResult::ok("Confluent CLI", path.display().to_string()),
        None => CheckResult::ok(
            "Confluent CLI",
            "not on PATH; only `confluent ebs`, `init --from-login` and the administrator's commands need it",
        ),
    }
}

fn check_on_path(installation: &PluginInstallation) -> CheckResult {
    const NAME: &str = "plugin on PATH";
    let program = installation.program.display();
    let Some(first) = installation.plugins_named(OWN).next() else {
        if installation.cli.is_none() {
            return CheckResult::ok(NAME, "not there; not needed while `confluent-ebs` is called by itself");
        }
        let folder = installation.program.parent().unwrap_or(Path::new("."));
        let known_name = installation
            .program
            .file_name()
            .and_then(|name| plugin_name(name.to_str()?));
        let fix = match (known_name == Some(OWN), installation.windows) {
            (true, false) => format!(
                "`export PATH={}:$PATH` lets the Confluent CLI find it.",
                shell_quoted_path(folder)
            ),
            (true, true) => format!("Add the folder {} to `PATH`.", folder.display()),
            (false, _) => format!("Name the program {program} `{OWN}`, in a folder of `PATH`."),
        };
        return CheckResult::problem(
            NAME,
            "no folder of PATH holds `confluent-ebs`, so `confluent ebs` is not known",
            fix,
        );
    };
    let path = first.path.display();
    if installation.is_running_program(first) {
        return CheckResult::ok(NAME, path.to_string());
    }
    let remove = installation.remove_command(&[&first.path]);
    match &first.real {
        None => CheckResult::problem(
            NAME,
            format!("{path} leads nowhere: `confluent ebs` fails without a word"),
            format!("{remove} removes it."),
        ),
        Some(_) => CheckResult::problem(
            NAME,
            format!("`confluent ebs` starts {path}, and not this program, {program}"),
            format!("{remove} removes it, if this program is the one that you want."),
        ),
    }
}

fn check_duplicates(installation: &PluginInstallation) -> CheckResult {
    const NAME: &str = "plugin duplicates";
    let mut named = installation.plugins_named(OWN);
    let first = named.next();
    let others: Vec<&PluginFile> = named
        .filter(|other| first.is_some_and(|first| other.real.is_none() || other.real != first.real))
        .collect();
    if others.is_empty() {
        return CheckResult::ok(NAME, "none");
    }
    let paths: Vec<&Path> = others.iter().map(|found| found.path.as_path()).collect();
    CheckResult::problem(
        NAME,
        format!(
            "{} would answer to the same name and is never reached",
            join_paths(&paths)
        ),
        format!("{} leaves one.", installation.remove_command(&paths)),
    )
}

fn check_shadowed_commands(installation: &PluginInstallation) -> CheckResult {
    const NAME: &str = "sub-commands taken over";
    let others: Vec<(&Path, String)> = installation
        .plugins
        .iter()
        .filter_map(|found| Some((found.path.as_path(), shadowed_command(&found.name)?)))
        .collect();
    if others.is_empty() {
        return CheckResult::ok(NAME, "none");
    }
    let words: Vec<String> = others
        .iter()
        .map(|(path, words)| format!("{} runs instead of `{words} …`", path.display()))
        .collect();
    let paths: Vec<&Path> = others.iter().map(|(path, _)| *path).collect();
    CheckResult::problem(
        NAME,
        words.join("; "),
        format!("{} ends that.", installation.remove_command(&paths)),
    )
}

fn check_help_link(installation: &PluginInstallation) -> CheckResult {
    const NAME: &str = "help link";
    match installation.plugins_named(HELP).next() {
        Some(found) if installation.is_running_program(found) => {
            CheckResult::ok(NAME, found.path.display().to_string())
        }
        Some(found) => CheckResult::problem(
            NAME,
            format!(
                "`confluent help ebs` starts {}, and not this program",
                found.path.display()
            ),
            format!("{} removes it.", installation.remove_command(&[&found.path])),
        ),
        None => {
            let check = CheckResult::ok(
                NAME,
                "none; `confluent help ebs` does not work without it, all else does",
            );
            let installed = installation
                .plugins_named(OWN)
                .next()
                .filter(|found| installation.is_running_program(found));
            match installed.and_then(|found| found.path.parent()) {
                Some(folder) if !installation.windows => check.with_fix(format!(
                    "`ln -s {OWN} {}` makes one.",
                    shell_quoted_path(&folder.join(HELP))
                )),
                _ => check,
            }
        }
    }
}

fn check_enabled(installation: &PluginInstallation, config: &CliConfig) -> CheckResult {
    const NAME: &str = "plugins enabled";
    const SWITCH: &str = "`confluent configuration update disable_plugins false` switches them on.";
    let path = config.path.display();
    if installation.cli.is_none() {
        return CheckResult::ok(NAME, "nothing to switch on without the Confluent CLI");
    }
    // On Windows the CLI's first start writes `disable_plugins: true` (cli `pkg/config/config.go`).
    let windows = "on Windows the Confluent CLI switches plugins off when it first starts";
    match &config.state {
        CliConfigState::Unreadable(why) => CheckResult::problem(
            NAME,
            format!("{path} cannot be read ({why}): the Confluent CLI does not start with it"),
            "Repair the file, or move it away and log in again with `confluent login`.",
        ),
        CliConfigState::Missing if installation.windows => CheckResult::problem(NAME, windows, SWITCH),
        CliConfigState::Missing => CheckResult::ok(NAME, format!("{path} does not exist yet")),
        CliConfigState::Read(facts) => match facts.disable_plugins {
            Some(true) => CheckResult::problem(NAME, format!("{path} says disable_plugins"), SWITCH),
            None if installation.windows => CheckResult::problem(NAME, windows, SWITCH),
            _ => CheckResult::ok(NAME, "by the Confluent CLI's settings"),
        },
    }
}

fn join_paths(paths: &[&Path]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

#[cfg(test)]
#[path = "plugin_tests.rs"]
mod tests;
