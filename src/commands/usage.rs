//! From words on the command line to matches, or to what is said instead: help, the version, or what is wrong.

use std::{ffi::OsString, path::Path};

use clap::{
    ArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{help, tree};
use crate::error::Error;

/// A second name of this program: the Confluent CLI starts it for `confluent help ebs` (dossier `native-cli.md` §1.5).
const HELP_NAME: &str = "confluent-help-ebs";

/// Why no command runs.
pub(super) enum Stop {
    /// The user asked for text.
    Answer(String),
    /// The user made a mistake.
    Wrong(Error),
}

/// The words to parse; those after `confluent-help-ebs` follow `help`.
pub(super) fn arguments(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args = args.into_iter().collect::<Vec<_>>();
    let name = args.first().map(Path::new).and_then(Path::file_stem);
    if name.is_some_and(|name| name == HELP_NAME) {
        args.insert(1, "help".into());
    }
    args
}

/// Parses `args`.
pub(super) fn parse(args: &[OsString]) -> Result<ArgMatches, Stop> {
    let Err(error) = tree().try_get_matches_from(args) else {
        return tree().try_get_matches_from(args).map_err(|error| stop(&error));
    };
    // Help and usage in the stock CLI's layout are written only when somebody is going to read them.
    match help::native(tree()).try_get_matches_from(args) {
        Ok(_) => Err(stop(&error)),
        Err(error) => Err(stop(&error)),
    }
}

/// What is said instead of running a command.
pub(super) fn stop(error: &clap::Error) -> Stop {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Stop::Answer(error.render().to_string())
        }
        ErrorKind::DisplayVersion => {
            Stop::Answer(concat!("confluent-ebs ", env!("CARGO_PKG_VERSION"), "\n").to_owned())
        }
        ErrorKind::MissingSubcommand => Stop::Answer(help::of(&text(error, ContextKind::InvalidSubcommand))),
        _ => Stop::Wrong(wrong(error)),
    }
}

fn wrong(error: &clap::Error) -> Error {
    let usage = text(error, ContextKind::Usage);
    let usage = usage.trim().trim_start_matches("Usage:").trim();
    let command = usage
        .split(' ')
        .take_while(|word| !word.starts_with(['<', '[', '-']))
        .collect::<Vec<_>>()
        .join(" ");
    // Flags are named as they are written, without the names of their values.
    let argument = text(error, ContextKind::InvalidArg);
    let argument = argument.split(' ').next().unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue);

    let mut said = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = text(error, ContextKind::InvalidSubcommand);
            Error::usage(format!("unknown command \"{name}\" for \"{command}\""))
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => Error::usage(format!("unknown flag: {argument}")),
        ErrorKind::UnknownArgument => Error::usage(format!("unexpected argument \"{argument}\" for \"{command}\"")),
        ErrorKind::MissingRequiredArgument => {
            let missing = text(error, ContextKind::InvalidArg);
            Error::usage(format!("missing required arguments: {missing}"))
        }
        ErrorKind::InvalidValue if value.is_empty() => Error::usage(format!("flag needs a value: {argument}")),
        ErrorKind::InvalidValue => {
            let known = text(error, ContextKind::ValidValue);
            Error::usage(format!(
                "invalid value \"{value}\" for {argument}: it must be one of {known}"
            ))
        }
        ErrorKind::ValueValidation => {
            let cause = std::error::Error::source(error)
                .map(ToString::to_string)
                .unwrap_or_default();
            Error::usage(format!("invalid value \"{value}\" for {argument}: {cause}"))
        }
        ErrorKind::ArgumentConflict => {
            let other = text(error, ContextKind::PriorArg);
            Error::usage(format!("{argument} cannot be used together with {other}"))
        }
        // The rest is rare; the library's own first line says it well enough.
        _ => {
            let lines = error.render().to_string();
            let first = lines.lines().next().unwrap_or_default();
            Error::usage(first.trim_start_matches("error: ").to_owned())
        }
    };

    for (kind, before) in [
        (ContextKind::SuggestedSubcommand, format!("{command} ")),
        (ContextKind::SuggestedArg, String::new()),
        (ContextKind::SuggestedValue, String::new()),
    ] {
        if let Some(name) = first(error, kind) {
            said = said.with_hint(format!("Did you mean `{before}{name}`?"));
        }
    }
    if !usage.is_empty() {
        said.usage = Some(usage.to_owned());
        said = said.with_hint(format!("Run `{command} --help` to see what can be written here."));
    }
    said
}

fn text(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        Some(ContextValue::StyledStrs(texts)) => texts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn first(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::Strings(texts) => texts.first().cloned(),
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    }
}
