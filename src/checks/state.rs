//! What this program keeps on this computer: its state folder, journals of runs, and the sandbox.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use super::CheckResult;
use crate::{
    apply::{Journal, journal::JournalLine},
    config::save::TEMP_FILE_PREFIX,
};

/// What was seen of the state folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFolder {
    /// The folder.
    pub path: PathBuf,
    /// Whether it is there already.
    pub exists: bool,
    /// Why nothing can be written there.
    pub unwritable: Option<String>,
    /// Files and folders with secrets that others can read.
    pub exposed_files: Vec<PathBuf>,
}

impl StateFolder {
    /// Tries to write into `path`, or into what is above it as long as it is not there; nothing stays. `secrets` is the
    /// folder of profiles that were handed over.
    #[must_use]
    pub fn inspect(path: &Path, secrets: &Path) -> Self {
        // Without the absolute path there is nothing above `state`.
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let existing = absolute.ancestors().find(|above| above.exists());
        let tried = existing.map(|folder| tempfile::Builder::new().prefix(TEMP_FILE_PREFIX).tempfile_in(folder));
        let unwritable = match tried {
            Some(Ok(_)) => None,
            Some(Err(error)) => Some(error.to_string()),
            None => Some("no folder above it exists".to_owned()),
        };
        Self {
            path: path.to_owned(),
            exists: path.exists(),
            unwritable,
            exposed_files: exposed_files(secrets),
        }
    }
}

/// The files of a folder that others can read. While they cannot enter the folder, they can read none.
#[cfg(unix)]
fn exposed_files(folder: &Path) -> Vec<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let open = |path: &Path| std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o077 != 0);
    if !open(folder) {
        return Vec::new();
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_file() && open(path)).collect()
}

#[cfg(not(unix))]
fn exposed_files(_folder: &Path) -> Vec<PathBuf> {
    Vec::new()
}

/// Judges the state folder.
#[must_use]
pub fn check_folder(seen: Result<&StateFolder, &str>) -> CheckResult {
    const NAME: &str = "state folder";
    let fix = "Set `CONFLUENT_EBS_STATE_DIR` to a folder that you may write to.";
    let seen = match seen {
        Ok(seen) => seen,
        Err(why) => return CheckResult::problem(NAME, why, fix),
    };
    let path = seen.path.display();
    if let Some(why) = &seen.unwritable {
        return CheckResult::problem(NAME, format!("{path} cannot be written: {why}"), fix);
    }
    if let Some(first) = seen.exposed_files.first() {
        return CheckResult::problem(
            NAME,
            format!(
                "others on this computer can read {} profiles, such as {}",
                seen.exposed_files.len(),
                first.display()
            ),
            format!(
                "Close them with `chmod 700 {}`, and rotate their keys if others were there.",
                first.parent().unwrap_or(first).display()
            ),
        );
    }
    match seen.exists {
        true => CheckResult::ok(NAME, path.to_string()),
        false => CheckResult::ok(NAME, format!("{path}, made when it is needed")),
    }
}

/// What a journal says about the last run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastRun {
    /// It ended in order, or there was none.
    Finished,
    /// It is at work.
    Active,
    /// It did not end, and nobody works on it.
    Interrupted {
        /// The command.
        command: String,
        /// How many changes it has made.
        done: usize,
        /// How many it had.
        total: usize,
    },
    /// The journal cannot be read.
    Unreadable(String),
}

/// Looks at every journal of `folder`.
#[must_use]
pub fn read_last_runs(folder: &Path) -> Vec<(PathBuf, LastRun)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.clone(), read_last_run(&path)))
        .collect()
}

fn read_last_run(path: &Path) -> LastRun {
    let held = File::open(path).map(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)));
    match (held, Journal::read(path)) {
        (Ok(true), _) => LastRun::Active,
        (Ok(false), Ok(lines)) => classify_run(&lines),
        (Err(error), _) => LastRun::Unreadable(error.to_string()),
        (_, Err(error)) => LastRun::Unreadable(error.to_string()),
    }
}

fn classify_run(lines: &[JournalLine]) -> LastRun {
    let begun = lines.iter().enumerate().rev().find_map(|(at, line)| match line {
        JournalLine::RunStarted { run, command, changes } => Some((at, run, command, *changes)),
        _ => None,
    });
    let Some((at, last, command, of)) = begun else {
        return LastRun::Finished;
    };
    let rest = &lines[at..];
    if rest
        .iter()
        .any(|line| matches!(line, JournalLine::RunEnded { run, .. } if run == last))
    {
        return LastRun::Finished;
    }
    let done = rest
        .iter()
        .filter(|line| matches!(line, JournalLine::Done { run, .. } if run == last))
        .count();
    LastRun::Interrupted {
        command: command.clone(),
        done,
        total: of,
    }
}

/// Judges the last runs; `sandbox` is whether they were on the sandbox.
#[must_use]
pub fn check_runs(seen: &[(PathBuf, LastRun)], sandbox: bool) -> CheckResult {
    const NAME: &str = "unfinished runs";
    let flag = if sandbox { " --sandbox" } else { "" };
    for (path, run) in seen {
        let path = path.display();
        match run {
            LastRun::Interrupted {
                command,
                done,
                total: of,
            } => {
                return CheckResult::problem(
                    NAME,
                    format!("`{command}` in {path} did not end: {done} of {of} changes are known to be made"),
                    match command.as_str() {
                        "onboard" => format!(
                            "`confluent ebs onboard --all{flag}` shows what is left; it does that, and nothing twice."
                        ),
                        other => format!("The same `confluent ebs {other}` again does the rest, and nothing twice."),
                    },
                );
            }
            LastRun::Unreadable(why) => {
                return CheckResult::problem(
                    NAME,
                    format!("{path} cannot be read: {why}"),
                    format!("Make it readable for yourself: `ls -l {path}` shows whose it is."),
                );
            }
            LastRun::Active | LastRun::Finished => {}
        }
    }
    match seen.iter().find(|(_, run)| *run == LastRun::Active) {
        Some((path, _)) => CheckResult::ok(NAME, format!("one is at work: it holds {}", path.display())),
        None => CheckResult::ok(NAME, "none"),
    }
}

/// What was seen of the sandbox's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxFolder {
    /// The folder.
    pub path: PathBuf,
    /// Whether there is a sandbox in it.
    pub exists: bool,
    /// The address of the server that runs on it.
    pub url: Option<String>,
    /// Whether a server left its note and is gone.
    pub stale_lock: bool,
    /// Whether somebody holds it and does not let go.
    pub stuck: bool,
}

/// Judges the sandbox's folder.
#[must_use]
pub fn check_sandbox(seen: Option<&SandboxFolder>) -> CheckResult {
    const NAME: &str = "sandbox";
    let Some(seen) = seen.filter(|seen| seen.exists) else {
        return CheckResult::ok(NAME, "none yet; `--sandbox` makes one");
    };
    let path = seen.path.display();
    if seen.stuck {
        return CheckResult::problem(
            NAME,
            format!("another process holds {path} and does not let go: every command on the sandbox waits for it"),
            format!("End that process; on Linux `fuser -v {path}/state.lock` names it."),
        );
    }
    match (&seen.url, seen.stale_lock) {
        (Some(url), _) => CheckResult::ok(NAME, format!("served at {url}, from {path}")),
        (None, true) => CheckResult::ok(
            NAME,
            format!("{path}, not served: a server that was killed left a note, which misleads nobody"),
        ),
        (None, false) => CheckResult::ok(NAME, format!("{path}, not served")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::CheckState;

    #[test]
    fn the_write_check_leaves_no_file_behind() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("not/yet/there");
        let seen = StateFolder::inspect(&state, &state.join("handover"));
        assert_eq!((seen.exists, &seen.unwritable), (false, &None));
        assert_eq!(check_folder(Ok(&seen)).state, CheckState::Ok);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);

        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        let seen = StateFolder::inspect(&file, &file);
        let check = check_folder(Ok(&seen));
        assert_eq!(check.state, CheckState::Problem);
        assert!(check.fix.unwrap().contains("CONFLUENT_EBS_STATE_DIR"));
        assert_eq!(check_folder(Err("no home")).state, CheckState::Problem);
    }

    #[cfg(unix)]
    #[test]
    fn profiles_readable_by_others_are_reported() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let mode = |path: &Path, mode: u32| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let profile = home.path().join("claims-operator.toml");
        std::fs::write(&profile, "").unwrap();
        mode(&profile, 0o644);
        mode(home.path(), 0o700);
        assert!(StateFolder::inspect(home.path(), home.path()).exposed_files.is_empty());
        mode(home.path(), 0o755);
        let seen = StateFolder::inspect(home.path(), home.path());
        assert_eq!(seen.exposed_files, std::slice::from_ref(&profile));
        assert!(check_folder(Ok(&seen)).fix.unwrap().contains("chmod 700"));
        mode(&profile, 0o600);
        assert!(StateFolder::inspect(home.path(), home.path()).exposed_files.is_empty());
    }

    fn started(run: &str) -> JournalLine {
        JournalLine::RunStarted {
            run: run.into(),
            command: "onboard".into(),
            changes: 3,
        }
    }

    fn done(run: &str) -> JournalLine {
        JournalLine::Done {
            run: run.into(),
            change: "service account".into(),
            id: None,
        }
    }

    fn ended(run: &str) -> JournalLine {
        JournalLine::RunEnded {
            run: run.into(),
            done: 3,
            remaining: 0,
        }
    }

    #[test]
    fn only_the_last_run_counts_and_it_must_have_finished() {
        assert_eq!(classify_run(&[]), LastRun::Finished);
        assert_eq!(classify_run(&[started("a"), done("a"), ended("a")]), LastRun::Finished);
        assert_eq!(
            classify_run(&[started("a"), done("a"), started("b"), ended("b")]),
            LastRun::Finished
        );
        let lines = [started("a"), ended("a"), started("b"), done("b"), done("b")];
        let interrupted = LastRun::Interrupted {
            command: "onboard".into(),
            done: 2,
            total: 3,
        };
        assert_eq!(classify_run(&lines), interrupted);
    }

    #[test]
    fn an_active_run_is_not_a_problem() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x-prod.jsonl");
        let journal = Journal::open(&path).unwrap();
        journal
            .write(jiff::Timestamp::UNIX_EPOCH, &started("a"), false)
            .unwrap();
        assert_eq!(read_last_runs(home.path()), [(path.clone(), LastRun::Active)]);
        assert_eq!(check_runs(&read_last_runs(home.path()), false).state, CheckState::Ok);
        drop(journal);
        let check = check_runs(&read_last_runs(home.path()), true);
        assert_eq!(check.state, CheckState::Problem);
        assert!(check.detail.contains("0 of 3 changes"), "{}", check.detail);
        assert!(check.fix.unwrap().contains("onboard --all --sandbox"));
        assert!(read_last_runs(&home.path().join("missing")).is_empty());
    }

    #[test]
    fn a_sandbox_is_served_idle_or_stuck() {
        let here = SandboxFolder {
            path: "/state/sandbox".into(),
            exists: true,
            ..SandboxFolder::default()
        };
        assert_eq!(check_sandbox(None).state, CheckState::Ok);
        assert_eq!(check_sandbox(Some(&here)).detail, "/state/sandbox, not served");
        let served = SandboxFolder {
            url: Some("http://127.0.0.1:1024".into()),
            ..here.clone()
        };
        assert!(
            check_sandbox(Some(&served))
                .detail
                .starts_with("served at http://127.0.0.1:1024")
        );
        let stuck = SandboxFolder { stuck: true, ..here };
        assert_eq!(check_sandbox(Some(&stuck)).state, CheckState::Problem);
    }
}
