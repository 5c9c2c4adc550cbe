//! What this program keeps on this computer: its state folder, journals of runs, and the sandbox.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use super::Check;
use crate::{
    apply::{Journal, journal::Line},
    config::save::HALF_WRITTEN,
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
    pub open: Vec<PathBuf>,
}

impl StateFolder {
    /// Tries to write into `path`, or into what is above it as long as it is not there; nothing stays. `secrets` is the
    /// folder of profiles that were handed over.
    #[must_use]
    pub fn look(path: &Path, secrets: &Path) -> Self {
        // Without the absolute path there is nothing above `state`.
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let existing = absolute.ancestors().find(|above| above.exists());
        let tried = existing.map(|folder| tempfile::Builder::new().prefix(HALF_WRITTEN).tempfile_in(folder));
        let unwritable = match tried {
            Some(Ok(_)) => None,
            Some(Err(error)) => Some(error.to_string()),
            None => Some("no folder above it exists".to_owned()),
        };
        Self {
            path: path.to_owned(),
            exists: path.exists(),
            unwritable,
            open: open_files(secrets),
        }
    }
}

/// The files of a folder that others can read. While they cannot enter the folder, they can read none.
#[cfg(unix)]
fn open_files(folder: &Path) -> Vec<PathBuf> {
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
fn open_files(_folder: &Path) -> Vec<PathBuf> {
    Vec::new()
}

/// Judges the state folder.
#[must_use]
pub fn folder(seen: Result<&StateFolder, &str>) -> Check {
    const NAME: &str = "state folder";
    let fix = "Set `CONFLUENT_EBS_STATE_DIR` to a folder that you may write to.";
    let seen = match seen {
        Ok(seen) => seen,
        Err(why) => return Check::problem(NAME, why, fix),
    };
    let path = seen.path.display();
    if let Some(why) = &seen.unwritable {
        return Check::problem(NAME, format!("{path} cannot be written: {why}"), fix);
    }
    if let Some(first) = seen.open.first() {
        return Check::problem(
            NAME,
            format!(
                "others on this computer can read {} profiles, such as {}",
                seen.open.len(),
                first.display()
            ),
            format!(
                "Close them with `chmod 700 {}`, and rotate their keys if others were there.",
                first.parent().unwrap_or(first).display()
            ),
        );
    }
    match seen.exists {
        true => Check::ok(NAME, path.to_string()),
        false => Check::ok(NAME, format!("{path}, made when it is needed")),
    }
}

/// What a journal says about the last run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastRun {
    /// It ended in order, or there was none.
    Ended,
    /// It is at work.
    AtWork,
    /// It did not end, and nobody works on it.
    Interrupted {
        /// The command.
        command: String,
        /// How many changes it has made.
        done: usize,
        /// How many it had.
        of: usize,
    },
    /// The journal cannot be read.
    Unreadable(String),
}

/// Looks at every journal of `folder`.
#[must_use]
pub fn last_runs(folder: &Path) -> Vec<(PathBuf, LastRun)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), last_run(&path))).collect()
}

fn last_run(path: &Path) -> LastRun {
    let held = File::open(path).map(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)));
    match (held, Journal::read(path)) {
        (Ok(true), _) => LastRun::AtWork,
        (Ok(false), Ok(lines)) => judge_run(&lines),
        (Err(error), _) => LastRun::Unreadable(error.to_string()),
        (_, Err(error)) => LastRun::Unreadable(error.to_string()),
    }
}

fn judge_run(lines: &[Line]) -> LastRun {
    let begun = lines.iter().enumerate().rev().find_map(|(at, line)| match line {
        Line::RunStarted { run, command, changes } => Some((at, run, command, *changes)),
        _ => None,
    });
    let Some((at, last, command, of)) = begun else {
        return LastRun::Ended;
    };
    let rest = &lines[at..];
    if rest
        .iter()
        .any(|line| matches!(line, Line::RunEnded { run, .. } if run == last))
    {
        return LastRun::Ended;
    }
    let done = rest
        .iter()
        .filter(|line| matches!(line, Line::Done { run, .. } if run == last))
        .count();
    LastRun::Interrupted {
        command: command.clone(),
        done,
        of,
    }
}

/// Judges the last runs; `sandbox` is whether they were on the sandbox.
#[must_use]
pub fn runs(seen: &[(PathBuf, LastRun)], sandbox: bool) -> Check {
    const NAME: &str = "unfinished runs";
    let flag = if sandbox { " --sandbox" } else { "" };
    for (path, run) in seen {
        let path = path.display();
        match run {
            LastRun::Interrupted { command, done, of } => {
                return Check::problem(
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
                return Check::problem(
                    NAME,
                    format!("{path} cannot be read: {why}"),
                    format!("Make it readable for yourself: `ls -l {path}` shows whose it is."),
                );
            }
            LastRun::AtWork | LastRun::Ended => {}
        }
    }
    match seen.iter().find(|(_, run)| *run == LastRun::AtWork) {
        Some((path, _)) => Check::ok(NAME, format!("one is at work: it holds {}", path.display())),
        None => Check::ok(NAME, "none"),
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
    pub left_behind: bool,
    /// Whether somebody holds it and does not let go.
    pub stuck: bool,
}

/// Judges the sandbox's folder.
#[must_use]
pub fn sandbox(seen: Option<&SandboxFolder>) -> Check {
    const NAME: &str = "sandbox";
    let Some(seen) = seen.filter(|seen| seen.exists) else {
        return Check::ok(NAME, "none yet; `--sandbox` makes one");
    };
    let path = seen.path.display();
    if seen.stuck {
        return Check::problem(
            NAME,
            format!("another process holds {path} and does not let go: every command on the sandbox waits for it"),
            format!("End that process; on Linux `fuser -v {path}/state.lock` names it."),
        );
    }
    match (&seen.url, seen.left_behind) {
        (Some(url), _) => Check::ok(NAME, format!("served at {url}, from {path}")),
        (None, true) => Check::ok(
            NAME,
            format!("{path}, not served: a server that was killed left a note, which misleads nobody"),
        ),
        (None, false) => Check::ok(NAME, format!("{path}, not served")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::CheckState;

    #[test]
    fn a_folder_is_tried_and_nothing_stays() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("not/yet/there");
        let seen = StateFolder::look(&state, &state.join("handover"));
        assert_eq!((seen.exists, &seen.unwritable), (false, &None));
        assert_eq!(folder(Ok(&seen)).state, CheckState::Ok);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);

        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        let seen = StateFolder::look(&file, &file);
        let check = folder(Ok(&seen));
        assert_eq!(check.state, CheckState::Problem);
        assert!(check.fix.unwrap().contains("CONFLUENT_EBS_STATE_DIR"));
        assert_eq!(folder(Err("no home")).state, CheckState::Problem);
    }

    #[cfg(unix)]
    #[test]
    fn profiles_that_others_can_read_are_found() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let mode = |path: &Path, mode: u32| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let profile = home.path().join("claims-operator.toml");
        std::fs::write(&profile, "").unwrap();
        mode(&profile, 0o644);
        mode(home.path(), 0o700);
        assert!(StateFolder::look(home.path(), home.path()).open.is_empty());
        mode(home.path(), 0o755);
        let seen = StateFolder::look(home.path(), home.path());
        assert_eq!(seen.open, std::slice::from_ref(&profile));
        assert!(folder(Ok(&seen)).fix.unwrap().contains("chmod 700"));
        mode(&profile, 0o600);
        assert!(StateFolder::look(home.path(), home.path()).open.is_empty());
    }

    fn started(run: &str) -> Line {
        Line::RunStarted {
            run: run.into(),
            command: "onboard".into(),
            changes: 3,
        }
    }

    fn done(run: &str) -> Line {
        Line::Done {
            run: run.into(),
            change: "service account".into(),
            id: None,
        }
    }

    fn ended(run: &str) -> Line {
        Line::RunEnded {
            run: run.into(),
            done: 3,
            left: 0,
        }
    }

    #[test]
    fn only_the_last_run_counts_and_it_must_have_ended() {
        assert_eq!(judge_run(&[]), LastRun::Ended);
        assert_eq!(judge_run(&[started("a"), done("a"), ended("a")]), LastRun::Ended);
        assert_eq!(
            judge_run(&[started("a"), done("a"), started("b"), ended("b")]),
            LastRun::Ended
        );
        let lines = [started("a"), ended("a"), started("b"), done("b"), done("b")];
        let interrupted = LastRun::Interrupted {
            command: "onboard".into(),
            done: 2,
            of: 3,
        };
        assert_eq!(judge_run(&lines), interrupted);
    }

    #[test]
    fn a_run_that_is_at_work_is_no_problem() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x-prod.jsonl");
        let journal = Journal::open(&path).unwrap();
        journal
            .write(jiff::Timestamp::UNIX_EPOCH, &started("a"), false)
            .unwrap();
        assert_eq!(last_runs(home.path()), [(path.clone(), LastRun::AtWork)]);
        assert_eq!(runs(&last_runs(home.path()), false).state, CheckState::Ok);
        drop(journal);
        let check = runs(&last_runs(home.path()), true);
        assert_eq!(check.state, CheckState::Problem);
        assert!(check.detail.contains("0 of 3 changes"), "{}", check.detail);
        assert!(check.fix.unwrap().contains("onboard --all --sandbox"));
        assert!(last_runs(&home.path().join("missing")).is_empty());
    }

    #[test]
    fn a_sandbox_is_served_or_not_and_can_be_held() {
        let here = SandboxFolder {
            path: "/state/sandbox".into(),
            exists: true,
            ..SandboxFolder::default()
        };
        assert_eq!(sandbox(None).state, CheckState::Ok);
        assert_eq!(sandbox(Some(&here)).detail, "/state/sandbox, not served");
        let served = SandboxFolder {
            url: Some("http://127.0.0.1:1024".into()),
            ..here.clone()
        };
        assert!(
            sandbox(Some(&served))
                .detail
                .starts_with("served at http://127.0.0.1:1024")
        );
        let stuck = SandboxFolder { stuck: true, ..here };
        assert_eq!(sandbox(Some(&stuck)).state, CheckState::Problem);
    }
}
