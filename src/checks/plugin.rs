//! How this program is installed as a plugin of the Confluent CLI: which files the CLI would take for plugins, and what
//! that means. The rules are those of cli `pkg/plugin/plugin.go` (dossier `native-cli.md` §1.2, §1.3).

use std::path::{Path, PathBuf};

use super::{
    Check,
    stock_config::{StockConfig, StockState},
};

/// The file of the CLI itself.
const STOCK: &str = if cfg!(windows) { "confluent.exe" } else { "confluent" };
/// What the CLI calls this program.
const OWN: &str = "confluent-ebs";
/// A second name under which the CLI asks for its help.
const HELP: &str = "confluent-help-ebs";

/// An executable that the CLI would take for a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name as a plugin.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The file behind all links; nothing when a link leads nowhere.
    pub real: Option<PathBuf>,
}

/// What the folders of `PATH` hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installation {
    /// The running program, behind all links.
    pub program: PathBuf,
    /// The Confluent CLI.
    pub stock: Option<PathBuf>,
    /// Plugins whose names begin as ours does, in the order in which the CLI looks.
    pub plugins: Vec<Found>,
    /// Whether this is Windows.
    pub windows: bool,
}

impl Installation {
    /// Looks into `folders` as the CLI does; `extensions` are those that make a file executable on Windows.
    #[must_use]
    pub fn look(program: &Path, folders: &[PathBuf], extensions: &[String]) -> Self {
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
                if found.stock.is_none() && name == STOCK && path.is_file() {
                    found.stock = Some(path);
                } else if let Some(plugin) = plugin_name(&name)
                    && concerns_us(plugin)
                {
                    found.plugins.push(Found {
                        name: plugin.to_owned(),
                        real: path.canonicalize().ok(),
                        path,
                    });
                }
            }
        }
        found
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Found> {
        self.plugins.iter().filter(move |found| found.name == name)
    }

    fn is_this(&self, found: &Found) -> bool {
        found.real.as_ref() == Some(&self.program)
    }

    fn remove(&self, paths: &[&Path]) -> String {
        let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
        let command = if self.windows { "del" } else { "rm" };
        format!("`{command} {}`", paths.join(" "))
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
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

fn concerns_us(plugin: &str) -> bool {
    plugin == OWN || plugin == HELP || taken(plugin).is_some()
}

/// What a longer name takes over, as it is typed: the CLI starts the longest name that fits.
fn taken(plugin: &str) -> Option<String> {
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
pub fn judge(installation: &Installation, config: &StockConfig) -> Vec<Check> {
    vec![
        stock_cli(installation),
        on_path(installation),
        duplicates(installation),
        take_overs(installation),
        help_link(installation),
        enabled(installation, config),
    ]
}

fn stock_cli(installation: &Installation) -> Check {
    match &installation.stock {
        Some(path) => Check::ok("Confluent CLI", path.display().to_string()),
        None => Check::ok(
            "Confluent CLI",
            "not on PATH; only `confluent ebs`, `init --from-login` and the administrator's commands need it",
        ),
    }
}

fn on_path(installation: &Installation) -> Check {
    const NAME: &str = "plugin on PATH";
    let program = installation.program.display();
    let Some(first) = installation.named(OWN).next() else {
        if installation.stock.is_none() {
            return Check::ok(NAME, "not there; not needed while `confluent-ebs` is called by itself");
        }
        let folder = installation.program.parent().unwrap_or(Path::new("."));
        let known_name = installation
            .program
            .file_name()
            .and_then(|name| plugin_name(name.to_str()?));
        let fix = match (known_name == Some(OWN), installation.windows) {
            (true, false) => format!("`export PATH={}:$PATH` lets the Confluent CLI find it.", quoted(folder)),
            (true, true) => format!("Add the folder {} to `PATH`.", folder.display()),
            (false, _) => format!("Name the program {program} `{OWN}`, in a folder of `PATH`."),
        };
        return Check::problem(
            NAME,
            "no folder of PATH holds `confluent-ebs`, so `confluent ebs` is not known",
            fix,
        );
    };
    let path = first.path.display();
    if installation.is_this(first) {
        return Check::ok(NAME, path.to_string());
    }
    let remove = installation.remove(&[&first.path]);
    match &first.real {
        None => Check::problem(
            NAME,
            format!("{path} leads nowhere: `confluent ebs` fails without a word"),
            format!("{remove} removes it."),
        ),
        Some(_) => Check::problem(
            NAME,
            format!("`confluent ebs` starts {path}, and not this program, {program}"),
            format!("{remove} removes it, if this program is the one that you want."),
        ),
    }
}

fn duplicates(installation: &Installation) -> Check {
    const NAME: &str = "plugin duplicates";
    let mut named = installation.named(OWN);
    let first = named.next();
    let others: Vec<&Found> = named
        .filter(|other| first.is_some_and(|first| other.real.is_none() || other.real != first.real))
        .collect();
    if others.is_empty() {
        return Check::ok(NAME, "none");
    }
    let paths: Vec<&Path> = others.iter().map(|found| found.path.as_path()).collect();
    Check::problem(
        NAME,
        format!("{} would answer to the same name and is never reached", shown(&paths)),
        format!("{} leaves one.", installation.remove(&paths)),
    )
}

fn take_overs(installation: &Installation) -> Check {
    const NAME: &str = "sub-commands taken over";
    let others: Vec<(&Path, String)> = installation
        .plugins
        .iter()
        .filter_map(|found| Some((found.path.as_path(), taken(&found.name)?)))
        .collect();
    if others.is_empty() {
        return Check::ok(NAME, "none");
    }
    let words: Vec<String> = others
        .iter()
        .map(|(path, words)| format!("{} runs instead of `{words} …`", path.display()))
        .collect();
    let paths: Vec<&Path> = others.iter().map(|(path, _)| *path).collect();
    Check::problem(
        NAME,
        words.join("; "),
        format!("{} ends that.", installation.remove(&paths)),
    )
}

fn help_link(installation: &Installation) -> Check {
    const NAME: &str = "help link";
    match installation.named(HELP).next() {
        Some(found) if installation.is_this(found) => Check::ok(NAME, found.path.display().to_string()),
        Some(found) => Check::problem(
            NAME,
            format!(
                "`confluent help ebs` starts {}, and not this program",
                found.path.display()
            ),
            format!("{} removes it.", installation.remove(&[&found.path])),
        ),
        None => {
            let check = Check::ok(
                NAME,
                "none; `confluent help ebs` does not work without it, all else does",
            );
            let installed = installation
                .named(OWN)
                .next()
                .filter(|found| installation.is_this(found));
            match installed.and_then(|found| found.path.parent()) {
                Some(folder) if !installation.windows => {
                    check.then(format!("`ln -s {OWN} {}` makes one.", quoted(&folder.join(HELP))))
                }
                _ => check,
            }
        }
    }
}

fn enabled(installation: &Installation, config: &StockConfig) -> Check {
    const NAME: &str = "plugins enabled";
    const SWITCH: &str = "`confluent configuration update disable_plugins false` switches them on.";
    let path = config.path.display();
    if installation.stock.is_none() {
        return Check::ok(NAME, "nothing to switch on without the Confluent CLI");
    }
    // On Windows the CLI's first start writes `disable_plugins: true` (cli `pkg/config/config.go`).
    let windows = "on Windows the Confluent CLI switches plugins off when it first starts";
    match &config.state {
        StockState::Unreadable(why) => Check::problem(
            NAME,
            format!("{path} cannot be read ({why}): the Confluent CLI does not start with it"),
            "Repair the file, or move it away and log in again with `confluent login`.",
        ),
        StockState::Missing if installation.windows => Check::problem(NAME, windows, SWITCH),
        StockState::Missing => Check::ok(NAME, format!("{path} does not exist yet")),
        StockState::Read(facts) => match facts.disable_plugins {
            Some(true) => Check::problem(NAME, format!("{path} says disable_plugins"), SWITCH),
            None if installation.windows => Check::problem(NAME, windows, SWITCH),
            _ => Check::ok(NAME, "by the Confluent CLI's settings"),
        },
    }
}

fn shown(paths: &[&Path]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

#[cfg(test)]
#[path = "plugin_tests.rs"]
mod tests;
