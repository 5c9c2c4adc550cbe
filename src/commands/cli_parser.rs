//! Parses the command line into arguments, or into the text to print instead: help, version or a usage error.

use std::{ffi::OsString, path::Path};

use clap::{
    Command, FromArgMatches, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{Cli, OutputFormat, command_tree, help};
use crate::{error::Error, hint::closest_match, render::Format};

/// Alternative name of this program: the Confluent CLI runs it for `confluent help ebs`
/// (docs/reference/cli.md#plugin-help-and-completion).
const HELP_NAME: &str = "confluent-help-ebs";

/// Reason why no command runs.
pub(super) enum ParseExit {
    /// Help or version to print on standard output.
    Text(String),
    /// Invalid command line.
    UsageError(Error),
}

/// Collects the arguments to parse. `confluent-help-ebs X` becomes `help X`.
pub(super) fn normalize_args(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args = args.into_iter().collect::<Vec<_>>();
    let name = args.first().map(Path::new).and_then(Path::file_stem);
    if name.is_some_and(|name| name == HELP_NAME) {
        args.insert(1, "help".into());
    }
    args
}

/// Parses the command line.
pub(super) fn parse(args: &[OsString]) -> Result<Cli, ParseExit> {
    let matches = match command_tree().try_get_matches_from(args) {
        Ok(matches) => matches,
        // The help texts are rendered only on request, because rendering all of them takes time.
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            let again = help::with_cli_layout(command_tree()).try_get_matches_from(args);
            return Err(to_parse_exit(&again.err().unwrap_or(error), args));
        }
        Err(error) => return Err(to_parse_exit(&error, args)),
    };
    Cli::from_arg_matches(&matches).map_err(|error| to_parse_exit(&error, args))
}

/// Returns the output format of a command line that cannot be parsed.
pub(super) fn requested_format(args: &[OsString]) -> Format {
    let words: Vec<_> = args.iter().map(|word| word.to_string_lossy()).collect();
    let attached = words.iter().filter_map(|word| {
        let value = word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o"))?;
        Some(value.trim_start_matches('='))
    });
    let separate = words.windows(2).filter(|pair| matches!(&*pair[0], "-o" | "--output"));
    let mut values = separate.map(|pair| &*pair[1]).chain(attached);
    let output = values.find_map(|value| OutputFormat::from_str(value, false).ok());
    output.unwrap_or_default().into()
}

/// Converts an error of clap into help, the version or a usage error.
fn to_parse_exit(error: &clap::Error, args: &[OsString]) -> ParseExit {
    match error.kind() {
        ErrorKind::DisplayHelp => ParseExit::Text(error.render().to_string()),
        ErrorKind::DisplayVersion => {
            ParseExit::Text(concat!("confluent-ebs ", env!("CARGO_PKG_VERSION"), "\n").to_owned())
        }
        // A group without a subcommand prints its help, as in the Confluent CLI.
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let names = command_path(args);
            ParseExit::Text(match names.is_empty() {
                true => help::render_start(),
                false => help::render_help(&names),
            })
        }
        _ => ParseExit::UsageError(usage_error(error, args, &command_path(args))),
    }
}

/// Returns the names of the command in `args`, down to the first name that is not a subcommand.
fn command_path(args: &[OsString]) -> Vec<String> {
    let mut command = command_tree();
    // Subcommands know the global flags only after the tree is built.
    command.build();
    let mut command = &command;
    let mut names = Vec::new();
    let mut words = args.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if names.is_empty() && word == "help" {
            // The names of a command follow.
        } else if let Some(sub) = command.find_subcommand(&*word) {
            command = sub;
            names.push(word.into_owned());
        } else if takes_value(command, &word) {
            words.next();
        } else if !word.starts_with('-') {
            break;
        }
    }
    names
}

fn takes_value(command: &Command, word: &str) -> bool {
    let arg = command.get_arguments().find(|arg| match word.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => word
            .strip_prefix('-')
            .is_some_and(|short| arg.get_short().is_some_and(|c| short == c.to_string())),
    });
    arg.is_some_and(|arg| arg.get_action().takes_values())
}

/// Finds a negative number that follows a flag, such as `--limit -3`, which clap reports as the unknown flag `unknown`.
/// Returns the flag and the value.
fn find_negative_value(args: &[OsString], names: &[String], unknown: &str) -> Option<(String, String)> {
    let is_number = |word: &str| {
        word.strip_prefix('-')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut root = command_tree();
    root.build();
    let mut command = &root;
    for name in names {
        command = command.find_subcommand(name)?;
    }
    let words: Vec<_> = args.iter().map(|word| word.to_string_lossy()).collect();
    let pair = words
        .windows(2)
        .find(|pair| pair[1].starts_with(unknown) && is_number(&pair[1]) && takes_value(command, &pair[0]))?;
    Some((pair[0].to_string(), pair[1].to_string()))
}

fn usage_error(error: &clap::Error, args: &[OsString], names: &[String]) -> Error {
    let command = help::full_name(names);
    // Flags are shown without the names of their values.
    let argument = context_text(error, ContextKind::InvalidArg);
    let argument = flag_name(&argument);
    let value = context_text(error, ContextKind::InvalidValue);
    let negative = match error.kind() {
        ErrorKind::UnknownArgument => find_negative_value(args, names, argument),
        _ => None,
    };

    let mut said = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = context_text(error, ContextKind::InvalidSubcommand);
            Error::usage(format!("unknown command \"{name}\" for \"{command}\""))
        }
        ErrorKind::UnknownArgument if let Some((flag, value)) = &negative => {
            Error::usage(format!("invalid value `{value}` for {flag}: must not be negative"))
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => Error::usage(format!("unknown flag: {argument}")),
        ErrorKind::UnknownArgument => Error::usage(format!("unexpected argument \"{argument}\" for \"{command}\"")),
        ErrorKind::MissingRequiredArgument => {
            let missing = context_texts(error, ContextKind::InvalidArg);
            let (flags, words): (Vec<_>, Vec<_>) = missing.iter().partition(|name| name.starts_with('-'));
            if flags.is_empty() {
                let words = words.iter().map(|word| word.as_str()).collect::<Vec<_>>();
                Error::usage(format!("missing argument {}", words.join(" ")))
            } else {
                let flags = flags
                    .iter()
                    .map(|flag| format!("\"{}\"", flag_name(flag).trim_start_matches('-')));
                Error::usage(format!(
                    "required flag(s) {} not set",
                    flags.collect::<Vec<_>>().join(", ")
                ))
            }
        }
        ErrorKind::InvalidValue if value.is_empty() => Error::usage(format!("flag needs a value: {argument}")),
        ErrorKind::InvalidValue => {
            let known = context_texts(error, ContextKind::ValidValue).join(", ");
            Error::usage(format!(
                "invalid value `{value}` for {argument}: must be one of {known}"
            ))
        }
        ErrorKind::ValueValidation => {
            let cause = std::error::Error::source(error)
                .map(ToString::to_string)
                .unwrap_or_default();
            if cause.contains(&value) {
                Error::usage(format!("invalid value for {argument}: {cause}"))
            } else {
                Error::usage(format!("invalid value `{value}` for {argument}: {cause}"))
            }
        }
        ErrorKind::ArgumentConflict => {
            let others = context_texts(error, ContextKind::PriorArg);
            let others = others.iter().map(|other| flag_name(other)).collect::<Vec<_>>();
            Error::usage(format!("{argument} cannot be used together with {}", others.join(", ")))
        }
        ErrorKind::TooManyValues => Error::usage(format!("flag takes no value: {argument}")),
        // Other errors are rare; the first line of clap's message is clear enough.
        _ => {
            let lines = error.render().to_string();
            let first = lines.lines().next().unwrap_or_default();
            Error::usage(first.trim_start_matches("error: ").to_owned())
        }
    };

    let subcommand = context_text(error, ContextKind::InvalidSubcommand);
    let nearest = if !subcommand.is_empty() {
        let known = help::subcommand_names(names);
        closest_match(&subcommand, known.iter().map(String::as_str))
            .or_else(|| {
                known
                    .iter()
                    .map(String::as_str)
                    .find(|name| name.starts_with(&subcommand))
            })
            .map(|name| format!("{command} {name}"))
    } else if negative.is_some() {
        None
    } else if error.kind() == ErrorKind::UnknownArgument {
        let known = help::flag_names(names);
        closest_match(argument, known.iter().map(String::as_str)).map(str::to_owned)
    } else {
        let known = context_texts(error, ContextKind::ValidValue);
        closest_match(&value, known.iter().map(String::as_str)).map(str::to_owned)
    };
    if let Some(nearest) = nearest {
        said = said.with_hint(format!("Did you mean `{nearest}`?"));
    }
    if error.kind() == ErrorKind::MissingRequiredArgument && help::flag_names(names).iter().any(|flag| flag == "--all")
    {
        said = said.with_hint("Use `--all` to select all of them.");
    }
    said.usage = Some(help::usage_line(names));
    said.with_hint(format!("See `{command} --help`."))
}

/// Returns the flag without the names of its values.
fn flag_name(argument: &str) -> &str {
    argument.split([' ', '=']).next().unwrap_or_default()
}

fn context_text(error: &clap::Error, kind: ContextKind) -> String {
    context_texts(error, kind).into_iter().next().unwrap_or_default()
}

fn context_texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}
