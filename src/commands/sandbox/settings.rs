//! `--timing` and `--set`: how a sandbox behaves.

use clap::{Args, ValueEnum};

use crate::{
    error::Error,
    sandbox::{SandboxSettings, Timing},
};

/// How a sandbox behaves, as flags.
#[derive(Debug, Args)]
pub(super) struct SandboxBehaviourArgs {
    /// Delays: "instant" (none), "real" (what the official clients wait for, with rate limits) or "lagging" (longer, and
    /// lists that lag behind).
    #[arg(long, value_enum, value_name = "string", hide_possible_values = true)]
    timing: Option<TimingArg>,
    /// One setting or assumption as NAME=VALUE (can be repeated), for example
    /// assumptions.duplicate_binding_conflicts=false.
    #[arg(long, value_name = "string")]
    set: Vec<String>,
}

/// `--timing`, as written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum TimingArg {
    /// None.
    Instant,
    /// What the official clients wait for.
    Real,
    /// Longer and uneven.
    Lagging,
}

impl SandboxBehaviourArgs {
    /// The settings that are asked for; `None` when nothing is. `now` is what is changed.
    pub(super) fn apply(&self, now: &SandboxSettings) -> Result<Option<SandboxSettings>, Error> {
        if self.timing.is_none() && self.set.is_empty() {
            return Ok(None);
        }
        let base = match self.timing {
            Some(TimingArg::Instant) => SandboxSettings::for_timing(Timing::Instant),
            Some(TimingArg::Real) => SandboxSettings::for_timing(Timing::Real),
            Some(TimingArg::Lagging) => SandboxSettings::for_timing(Timing::Lagging),
            None => now.clone(),
        };
        let mut value = serde_json::to_value(&base)?;
        for assignment in &self.set {
            let (path, text) = assignment
                .split_once('=')
                .ok_or_else(|| Error::usage(format!("`--set {assignment}` is not of the form NAME=VALUE")))?;
            // `false`, `3` and `null` are meant as such; everything else is a word.
            let new = serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_owned()));
            *setting_at(&mut value, path)? = new;
        }
        let settings =
            serde_json::from_value(value).map_err(|error| Error::usage(format!("a setting does not fit: {error}")))?;
        Ok(Some(settings))
    }
}

/// The place of a dotted path, which must exist.
fn setting_at<'a>(root: &'a mut serde_json::Value, path: &str) -> Result<&'a mut serde_json::Value, Error> {
    let mut here = root;
    for name in path.split('.') {
        let known: Vec<String> = here
            .as_object()
            .into_iter()
            .flat_map(serde_json::Map::keys)
            .cloned()
            .collect();
        let unknown = || {
            let error = Error::usage(format!("there is no setting `{path}`"));
            match crate::hint::closest_match(name, known.iter().map(String::as_str)) {
                Some(near) => error.with_hint(format!("Did you mean `{}`?", path.replace(name, near))),
                None => error.with_hint("docs/sandbox.md and docs/assumptions.md list them."),
            }
        };
        here = here.get_mut(name).ok_or_else(unknown)?;
    }
    Ok(here)
}
