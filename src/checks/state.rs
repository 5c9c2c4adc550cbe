//! Checks of local state: the state folder, journals of runs, and the sandbox.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use super::CheckResult;
use crate::{
    apply::{Journal, journal::JournalLine},
    config::save::TEMP_FILE_PREFIX,
    session::Options,
};

/// Observation of the state folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFolder {
    /// Path of the folder.
    pub path: PathBuf,
    /// Whether it exists.
    pub exists: bool,
    /// Reason why it is not writable.
    pub unwritable: Option<String>,
    /// Files and folders with secrets that other users can read.
    pub exposed_files: Vec<PathBuf>,
}

impl StateFolder {
    /// Inspects `path` with a temporary file in it or in its first existing parent. `secrets` is the folder of profiles
    /// to deliver.
    #[must_use]
    pub fn inspect(path: &Path, secrets: &Path) -> Self {
        // A relative path such as `state` has no parent to test.
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let existing = absolute.ancestors().find(|above| above.exists());
        let tried = existing.map(|folder| tempfile::Builder::new().prefix(TEMP_FILE_PREFIX).tempfile_in(folder));
        let unwritable = match tried {
            Some(Ok(_)) => None,
            Some(Err(error)) => Some(error.to_string()),
            None => Some("no parent folder exists".to_owned()),
        };
        Self {
            path: path.to_owned(),
            exists: path.exists(),
            unwritable,
            exposed_files: exposed_files(secrets),
        }
    }
}

/// Returns the files of a folder that other users can read. In a private folder they can read none.
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

/// Checks the state folder.
#[must_use]
pub fn check_folder(seen: Result<&StateFolder, &str>) -> CheckResult {
    const NAME: &str = "state folder";
    let fix = "Set `CONFLUENT_EBS_STATE_DIR` to a writable folder.";
    let seen = match seen {
        Ok(seen) => seen,
        Err(why) => return CheckResult::problem(NAME, why, fix),
    };
    let path = seen.path.display();
    if let Some(why) = &seen.unwritable {
        return CheckResult::problem(NAME, format!("cannot write `{path}`: {why}"), fix);
    }
    if let Some(first) = seen.exposed_files.first() {
        return CheckResult::problem(
            NAME,
            format!(
                "other users can read {} profiles, such as `{}`",
                seen.exposed_files.len(),
                first.display()
            ),
            format!(
                "Run `chmod 700 {}`, and rotate the keys if other users have accounts on this computer.",
                first.parent().unwrap_or(first).display()
            ),
        );
    }
    match seen.exists {
        true => CheckResult::ok(NAME, path.to_string()),
        false => CheckResult::ok(NAME, format!("{path}, created at first use")),
    }
}

/// State of the last run in a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastRun {
    /// The run finished, or there was none.
    Finished,
    /// The run is active.
    Active,
    /// The run was interrupted and is not active.
    Interrupted {
        /// Command.
        command: String,
        /// Number of changes that were applied.
        done: usize,
        /// Number of changes in total.
        total: usize,
    },
    /// The journal cannot be read.
    Unreadable(String),
}

/// Reads every journal of `folder`.
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

/// Checks the last runs. Suggested commands have the flags of `options`.
#[must_use]
pub fn check_runs(seen: &[(PathBuf, LastRun)], options: &Options) -> CheckResult {
    const NAME: &str = "unfinished runs";
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
                    format!("`{command}` was interrupted: {done} of {of} changes are recorded as applied in `{path}`"),
                    match command.as_str() {
                        "onboard" => {
                            let onboard = options.suggest("onboard --all");
                            format!("Run `{onboard}` to finish; completed steps are skipped.")
                        }
                        other => {
                            format!("Re-run the same `confluent ebs {other}` to finish; completed steps are skipped.")
                        }
                    },
                );
            }
            LastRun::Unreadable(why) => {
                return CheckResult::problem(
                    NAME,
                    format!("cannot read `{path}`: {why}"),
                    format!("Make the file readable for your user; `ls -l {path}` shows its owner."),
                );
            }
            LastRun::Active | LastRun::Finished => {}
        }
    }
    match seen.iter().find(|(_, run)| *run == LastRun::Active) {
        Some((path, _)) => CheckResult::ok(NAME, format!("one run is active: it has locked `{}`", path.display())),
        None => CheckResult::ok(NAME, "none"),
    }
}

/// Observation of the sandbox's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxFolder {
    /// Path of the folder.
    pub path: PathBuf,
    /// Whether it contains a sandbox.
    pub exists: bool,
    /// URL of its running server.
    pub url: Option<String>,
    /// Whether a killed server left its lock file.
    pub stale_lock: bool,
    /// Whether a process holds the lock for too long.
    pub stuck: bool,
}

/// Checks the sandbox's folder.
#[must_use]
pub fn check_sandbox(seen: Option<&SandboxFolder>) -> CheckResult {
    const NAME: &str = "sandbox";
    let Some(seen) = seen.filter(|seen| seen.exists) else {
        return CheckResult::ok(NAME, "none yet; `--sandbox` creates one");
    };
    let path = seen.path.display();
    if seen.stuck {
        return CheckResult::problem(
            NAME,
            format!("another process keeps `{path}` locked: every sandbox command waits for it"),
            format!("End that process; on Linux, `fuser -v {path}/state.lock` names it."),
        );
    }
    match (&seen.url, seen.stale_lock) {
        (Some(url), _) => CheckResult::ok(NAME, format!("served at {url}, from {path}")),
        (None, true) => CheckResult::ok(
            NAME,
            format!("{path}, not served; the lock file of a killed server is ignored"),
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
        let journal = Journal::open(&path, &crate::redact::SecretRegistry::default()).unwrap();
        journal
            .write(jiff::Timestamp::UNIX_EPOCH, &started("a"), false)
            .unwrap();
        assert_eq!(read_last_runs(home.path()), [(path.clone(), LastRun::Active)]);
        assert_eq!(
            check_runs(&read_last_runs(home.path()), &Options::default()).state,
            CheckState::Ok
        );
        drop(journal);
        let sandbox = Options {
            sandbox: true,
            ..Options::default()
        };
        let check = check_runs(&read_last_runs(home.path()), &sandbox);
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
