//! The help text of one command.

use clap::{Arg, ArgAction, Command};

use super::{GLOBAL_FLAGS_LINE, ROOT};
use crate::render::wrap_paragraph;

/// Returns the help text of the command `path`, `width` columns wide.
pub(super) fn render_page(command: &Command, path: &str, globals: &[Arg], width: usize) -> String {
    let mut out = String::new();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    out.push_str(&wrap_paragraph(&to_sentence(&about), 0, width));

    out.push_str("\nUsage:\n");
    out.push_str(&wrap_paragraph(&format!("  {}", usage_text(command, path)), 2, width));

    let subs = command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set())
        .collect::<Vec<_>>();
    if !subs.is_empty() {
        let rows = subs.iter().map(|sub| {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            (format!("  {}", sub.get_name()), to_sentence(&about))
        });
        section("Available Commands", rows.collect(), width, &mut out);
    }

    let own = command
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && !arg.is_hide_set());
    let (positionals, flags): (Vec<_>, Vec<_>) = own.partition(|arg| arg.is_positional());
    let rows = positionals
        .into_iter()
        .map(|arg| (format!("  {}", value_placeholder(arg)), describe_arg(arg)));
    section("Arguments", rows.collect(), width, &mut out);
    let mut flags = flags
        .into_iter()
        .map(|arg| (flag_text(arg), describe_arg(arg)))
        .collect::<Vec<_>>();
    // Required flags come first.
    flags.sort_by_key(|(_, help)| !help.starts_with("REQUIRED"));
    section("Flags", flags, width, &mut out);
    if path == ROOT {
        let rows = globals.iter().map(|arg| (flag_text(arg), describe_arg(arg)));
        section("Global Flags", rows.collect(), width, &mut out);
    }

    // Usage and flags stay in sight on a small terminal, because the description follows them.
    let long_about = command.get_long_about().map(ToString::to_string).unwrap_or_default();
    if let Some((_, description)) = long_about.split_once("\n\n") {
        out.push_str("\nDescription:\n");
        for line in description.lines() {
            let line = if line.is_empty() {
                String::new()
            } else {
                format!("  {}", to_sentence(line))
            };
            out.push_str(&wrap_paragraph(&line, 0, width));
        }
    }

    if let Some(examples) = command.get_after_help() {
        out.push_str("\nExamples:\n");
        for line in examples.to_string().lines() {
            out.push_str(&wrap_paragraph(line, 2, width));
        }
    }

    out.push('\n');
    if !subs.is_empty() {
        let line = format!("Use `{path} [command] --help` for more information about a command.");
        out.push_str(&wrap_paragraph(&line, 0, width));
    }
    if path != ROOT {
        out.push_str(&wrap_paragraph(GLOBAL_FLAGS_LINE, 0, width));
    }
    out
}

fn section(title: &str, rows: Vec<(String, String)>, width: usize, out: &mut String) {
    if rows.is_empty() {
        return;
    }
    let column = rows.iter().map(|(left, _)| left.chars().count()).max().unwrap_or(0) + 3;
    out.extend(["\n", title, ":\n"]);
    for (left, right) in rows {
        let lead = left.chars().take_while(|c| *c == ' ').count();
        out.push_str(&wrap_paragraph(&format!("{left:column$}{right}"), column - lead, width));
    }
}

/// Returns the usage line: `path <required> [optional] [flags]`.
pub(super) fn usage_text(command: &Command, path: &str) -> String {
    if command.has_subcommands() {
        return format!("{path} [command]");
    }
    let mut out = path.to_owned();
    for arg in command.get_positionals() {
        out.push(' ');
        out.push_str(&value_placeholder(arg));
    }
    out.push_str(" [flags]");
    out
}

fn value_placeholder(arg: &Arg) -> String {
    let name = match arg.get_value_names() {
        Some([name, ..]) => name.to_string(),
        _ => arg.get_id().to_string().replace('_', "-"),
    };
    let several = arg.get_num_args().is_some_and(|count| count.max_values() > 1);
    match (arg.is_required_set(), several) {
        (true, false) => format!("<{name}>"),
        (true, true) => format!("<{name}-1> [{name}-2] ... [{name}-n]"),
        (false, false) => format!("[{name}]"),
        (false, true) => format!("[{name}-1] ... [{name}-n]"),
    }
}

fn flag_text(arg: &Arg) -> String {
    let short = arg
        .get_short()
        .map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
    let long = arg.get_long().unwrap_or_default();
    let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append | ArgAction::Count);
    let value = match arg.get_value_names() {
        Some([name, ..]) if takes_value => format!(" {name}"),
        _ if matches!(arg.get_action(), ArgAction::Count) => " count".to_owned(),
        _ => String::new(),
    };
    format!("  {short}--{long}{value}")
}

fn describe_arg(arg: &Arg) -> String {
    let mut out = to_sentence(&arg.get_help().map(ToString::to_string).unwrap_or_default());
    if arg.is_required_set() && !arg.is_positional() {
        out.insert_str(0, "REQUIRED: ");
    }
    if let ([value], ArgAction::Set) = (arg.get_default_values(), arg.get_action()) {
        let value = value.to_string_lossy();
        let quote = if value.parse::<f64>().is_ok() { "" } else { "\"" };
        out.extend([" (default ", quote, &value, quote, ")"]);
    }
    out
}

/// Adds the full stop that clap strips from the first line of a doc comment.
pub(super) fn to_sentence(text: &str) -> String {
    if text.is_empty() || text.ends_with(['.', ':', '?', '!']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
