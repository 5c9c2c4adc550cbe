//! Help texts, and the command reference that is generated from them. The layout follows the Confluent CLI
//! (docs/reference/cli.md#help-text), except that flags precede description and examples, and only the top level lists
//! the global flags.

use clap::{Arg, ArgAction, Command};

use super::command_tree;
use crate::render::{width, wrap_paragraph};

/// Width of the help texts in `docs/commands.md`, in columns.
const PAGE_WIDTH: usize = 80;

/// Name of the top-level command, the only one whose help lists the global flags.
const ROOT: &str = "confluent ebs";

/// Reference to the global flags in the help of all other commands.
const GLOBAL_FLAGS_LINE: &str = "Use `confluent ebs --help` for the global flags (-o, --profile, --stage, …).";

/// Returns the command tree with our help layout, as wide as the terminal.
pub(super) fn with_cli_layout(root: Command) -> Command {
    let globals = global_args(&root);
    apply_layout(root, ROOT, &globals, width())
}

fn apply_layout(command: Command, path: &str, globals: &[Arg], width: usize) -> Command {
    let text = render_page(&command, path, globals, width);
    let names = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect::<Vec<_>>();
    let mut command = command.override_help(text);
    for name in names {
        let path = format!("{path} {name}");
        command = command.mut_subcommand(name, |sub| apply_layout(sub, &path, globals, width));
    }
    command
}

/// Returns the full command line of a command, such as `confluent ebs connector list`.
pub(super) fn full_name(names: &[String]) -> String {
    std::iter::once(ROOT)
        .chain(names.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns the help text of a command.
pub(super) fn render_help(names: &[String]) -> String {
    let root = command_tree();
    render_page(
        find_command(&root, names),
        &full_name(names),
        &global_args(&root),
        width(),
    )
}

/// Returns the usage line of a command.
pub(super) fn usage_line(names: &[String]) -> String {
    usage_text(find_command(&command_tree(), names), &full_name(names))
}

/// Returns the names of the direct subcommands of a command.
pub(super) fn subcommand_names(names: &[String]) -> Vec<String> {
    find_command(&command_tree(), names)
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect()
}

/// Returns the long flags of a command with their dashes, global flags included.
pub(super) fn flag_names(names: &[String]) -> Vec<String> {
    let root = command_tree();
    let globals = global_args(&root);
    let own = find_command(&root, names).get_arguments();
    let longs = own
        .chain(&globals)
        .filter_map(Arg::get_long)
        .map(|long| format!("--{long}"));
    longs.collect()
}

fn find_command<'a>(root: &'a Command, names: &[String]) -> &'a Command {
    names
        .iter()
        .fold(root, |command, name| command.find_subcommand(name).unwrap_or(command))
}

/// Returns all help texts as one Markdown page.
#[must_use]
pub fn render_reference() -> String {
    let root = command_tree();
    let globals = global_args(&root);
    let mut out = String::from(
        "# Commands\n\nThis page is generated from the help texts of the program (`tests/cli.rs`). Flags are accepted anywhere after `ebs`.\n",
    );
    append_command(&root, ROOT, &globals, &mut out);
    out
}

fn append_command(command: &Command, path: &str, globals: &[Arg], out: &mut String) {
    let page = render_page(command, path, globals, PAGE_WIDTH);
    out.extend(["\n## ", path, "\n\n```text\n", &page, "```\n"]);
    for sub in command.get_subcommands() {
        append_command(sub, &format!("{path} {}", sub.get_name()), globals, out);
    }
}

fn global_args(root: &Command) -> Vec<Arg> {
    root.get_arguments()
        .filter(|arg| arg.is_global_set())
        .cloned()
        .collect()
}

fn render_page(command: &Command, path: &str, globals: &[Arg], width: usize) -> String {
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
fn usage_text(command: &Command, path: &str) -> String {
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
fn to_sentence(text: &str) -> String {
    if text.is_empty() || text.ends_with(['.', ':', '?', '!']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Height of a small terminal, in lines.
    const SMALL_HEIGHT: usize = 24;

    /// Commands with more flags than a small terminal has lines for.
    const LONG: [&str; 4] = [
        "confluent ebs access audit",
        "confluent ebs keys revoke",
        "confluent ebs keys rotate",
        "confluent ebs onboard",
    ];

    fn pages(command: &Command, path: &str, globals: &[Arg], out: &mut Vec<(String, String)>) {
        out.push((path.to_owned(), render_page(command, path, globals, PAGE_WIDTH)));
        for sub in command.get_subcommands() {
            pages(sub, &format!("{path} {}", sub.get_name()), globals, out);
        }
    }

    fn all_pages() -> Vec<(String, String)> {
        let root = command_tree();
        let mut out = Vec::new();
        pages(&root, ROOT, &global_args(&root), &mut out);
        out
    }

    #[test]
    fn only_the_top_level_help_lists_the_global_flags() {
        for (path, page) in all_pages() {
            assert_eq!(page.contains("\nGlobal Flags:\n"), path == ROOT, "{page}");
            assert_eq!(
                page.ends_with(&format!("{GLOBAL_FLAGS_LINE}\n")),
                path != ROOT,
                "{page}"
            );
        }
    }

    #[test]
    fn usage_and_own_flags_fit_on_a_small_terminal() {
        let mut too_long = Vec::new();
        for (path, page) in all_pages() {
            let rest = ["\nGlobal Flags:\n", "\nDescription:\n", "\nExamples:\n"];
            let own = rest.iter().filter_map(|heading| page.find(heading)).min();
            let lines = page[..own.unwrap_or(page.len())].lines().count();
            if lines > SMALL_HEIGHT && !LONG.contains(&path.as_str()) {
                too_long.push(format!("{path}: {lines} lines"));
            }
        }
        assert!(too_long.is_empty(), "{}", too_long.join("\n"));
    }
}
