//! Checks of the installation as a plugin of the Confluent CLI: which files it treats as plugins. The rules follow cli
//! `pkg/plugin/plugin.go` (docs/reference/cli.md#plugin-files and docs/reference/cli.md#plugin-lookup).

use std::path::{Path, PathBuf};

use super::{
    CheckResult,
    cli_config::{CliConfig, CliConfigState},
};

/// File name of the Confluent CLI.
const CLI_FILE: &str = if cfg!(windows) { "confluent.exe" } else { "confluent" };
/// Plugin name of this program.
const OWN: &str = "confluent-ebs";
/// Plugin name that the Confluent CLI runs for `confluent help ebs`.
const HELP: &str = "confluent-help-ebs";

/// Executable that the Confluent CLI treats as a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFile {
    /// Plugin name.
    pub name: String,
    /// Path of the file.
    pub path: PathBuf,
    /// Target after following links; `None` for a dangling link.
    pub real: Option<PathBuf>,
}

/// Plugins and Confluent CLI in the folders of `PATH`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginInstallation {
    /// Running program, with links followed.
    pub program: PathBuf,
    /// Path of the Confluent CLI.
    pub cli: Option<PathBuf>,
    /// Plugins whose name starts with this program's name, in search order.
    pub plugins: Vec<PluginFile>,
    /// Whether the system is Windows.
    pub windows: bool,
}

impl PluginInstallation {
    /// Searches `folders` like the Confluent CLI; `extensions` mark executable files on Windows.
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

/// Quotes a path for a shell.
fn shell_quoted_path(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "-_./~:\\".contains(c);
    match text.chars().all(plain) {
        true => text,
        false => format!("\"{text}\""),
    }
}

/// Returns a file name without its last extension: `confluent-ebs.bak` is a plugin `confluent-ebs`.
fn stem(file: &str) -> &str {
    match file.rfind('.') {
        Some(at) => &file[..at],
        None => file,
    }
}

/// Returns the plugin name of a file: `^confluent(-[a-z][0-9_a-z]*)+$` without the last extension.
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

/// Returns the command that a longer plugin name shadows, because the Confluent CLI runs the longest matching name.
fn shadowed_command(plugin: &str) -> Option<String> {
    let rest = plugin.strip_prefix(OWN)?.strip_prefix('-')?;
    Some(format!("confluent ebs {}", rest.replace('-', " ").replace('_', "-")))
}

/// Returns whether a path is executable: on Unix a non-directory with an execute bit, without following links.
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

/// Checks an installation.
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
            "not on `PATH`; needed only for `confluent ebs`, `init --from-login` and the administrator's commands",
        ),
    }
}

fn check_on_path(installation: &PluginInstallation) -> CheckResult {
    const NAME: &str = "plugin on PATH";
    let program = installation.program.display();
    let Some(first) = installation.plugins_named(OWN).next() else {
        if installation.cli.is_none() {
            return CheckResult::ok(NAME, "none; not needed to run `confluent-ebs` directly");
        }
        let folder = installation.program.parent().unwrap_or(Path::new("."));
        let known_name = installation
            .program
            .file_name()
            .and_then(|name| plugin_name(name.to_str()?));
        let fix = match (known_name == Some(OWN), installation.windows) {
            (true, false) => format!(
                "Run `export PATH={}:$PATH`, so that the Confluent CLI finds it.",
                shell_quoted_path(folder)
            ),
            (true, true) => format!("Add the folder `{}` to `PATH`.", folder.display()),
            (false, _) => format!("Rename `{program}` to `{OWN}` and move it to a folder of `PATH`."),
        };
        return CheckResult::problem(
            NAME,
            "`confluent-ebs` is not on `PATH`, so `confluent ebs` does not work",
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
            format!("`{path}` is a dangling link: `confluent ebs` fails without a message"),
            format!("Remove it with {remove}."),
        ),
        Some(_) => CheckResult::problem(
            NAME,
            format!("`confluent ebs` runs `{path}`, not this program, `{program}`"),
            format!("To use this program, remove the other one with {remove}."),
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
            "never run, because another file with the same name comes first: {}",
            join_paths(&paths)
        ),
        format!("Remove the duplicates with {}.", installation.remove_command(&paths)),
    )
}

fn check_shadowed_commands(installation: &PluginInstallation) -> CheckResult {
    const NAME: &str = "shadowed commands";
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
        .map(|(path, words)| format!("`{}` runs instead of `{words} …`", path.display()))
        .collect();
    let paths: Vec<&Path> = others.iter().map(|(path, _)| *path).collect();
    CheckResult::problem(
        NAME,
        words.join("; "),
        format!("Remove them with {}.", installation.remove_command(&paths)),
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
            format!("`confluent help ebs` runs `{}`, not this program", found.path.display()),
            format!("Remove it with {}.", installation.remove_command(&[&found.path])),
        ),
        None => {
            let check = CheckResult::ok(NAME, "none; only `confluent help ebs` needs it");
            let installed = installation
                .plugins_named(OWN)
                .next()
                .filter(|found| installation.is_running_program(found));
            match installed.and_then(|found| found.path.parent()) {
                Some(folder) if !installation.windows => check.with_fix(format!(
                    "Create it with `ln -s {OWN} {}`.",
                    shell_quoted_path(&folder.join(HELP))
                )),
                _ => check,
            }
        }
    }
}

fn check_enabled(installation: &PluginInstallation, config: &CliConfig) -> CheckResult {
    const NAME: &str = "plugins enabled";
    const SWITCH: &str = "Enable them with `confluent configuration update disable_plugins false`.";
    let path = config.path.display();
    if installation.cli.is_none() {
        return CheckResult::ok(NAME, "not applicable without the Confluent CLI");
    }
    // On Windows the first start of the Confluent CLI writes `disable_plugins: true` (cli `pkg/config/config.go`).
    let windows = "disabled: on Windows the Confluent CLI disables plugins when it first starts";
    match &config.state {
        CliConfigState::Unreadable(why) => CheckResult::problem(
            NAME,
            format!("cannot read `{path}` ({why}); the Confluent CLI will not start"),
            "Repair the file, or move it and log in again with `confluent login`.",
        ),
        CliConfigState::Missing if installation.windows => CheckResult::problem(NAME, windows, SWITCH),
        CliConfigState::Missing => CheckResult::ok(NAME, format!("`{path}` does not exist yet")),
        CliConfigState::Read(facts) => match facts.disable_plugins {
            Some(true) => CheckResult::problem(NAME, format!("disabled by `disable_plugins` in `{path}`"), SWITCH),
            None if installation.windows => CheckResult::problem(NAME, windows, SWITCH),
            _ => CheckResult::ok(NAME, "enabled in the Confluent CLI's settings"),
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
