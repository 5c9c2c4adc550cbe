//! `--timing` and `--set`: behavior of the sandbox.

use clap::{Args, ValueEnum};

use crate::{
    error::Error,
    sandbox::{SandboxSettings, Timing},
};

/// Flags for the behavior of the sandbox.
#[derive(Debug, Args)]
pub(super) struct SandboxBehaviourArgs {
    /// Delays: "instant" (none), "real" (as in Confluent Cloud, with rate limits) or "lagging" (longer, with stale
    /// lists).
    #[arg(long, value_enum, value_name = "string", hide_possible_values = true)]
    timing: Option<TimingArg>,
    /// Set a setting or an assumption as NAME=VALUE (can be repeated), such as
    /// assumptions.duplicate_binding_conflicts=false.
    #[arg(long, value_name = "string")]
    set: Vec<String>,
}

/// Value of `--timing`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum TimingArg {
    /// No delays.
    Instant,
    /// Delays as in Confluent Cloud.
    Real,
    /// Longer, irregular delays.
    Lagging,
}

impl SandboxBehaviourArgs {
    /// Returns the settings `now` with the changes of the flags; `None` without such flags.
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
                .ok_or_else(|| Error::usage(format!("invalid value `{assignment}` for --set: expected NAME=VALUE")))?;
            // `false`, `3` and `null` are parsed as JSON; all other values are strings.
            let new = serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_owned()));
            *setting_at(&mut value, path)? = new;
        }
        let settings =
            serde_json::from_value(value).map_err(|error| Error::usage(format!("invalid setting: {error}")))?;
        Ok(Some(settings))
    }
}

/// Returns the setting at a dotted path.
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
            let error = Error::usage(format!("no setting `{path}`"));
            match crate::hint::closest_match(name, known.iter().map(String::as_str)) {
                Some(near) => error.with_hint(format!("Did you mean `{}`?", path.replace(name, near))),
                None => error.with_hint("See docs/sandbox.md and docs/assumptions.md for all settings."),
            }
        };
        here = here.get_mut(name).ok_or_else(unknown)?;
    }
    Ok(here)
}
