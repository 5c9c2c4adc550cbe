//! Help texts, and the command reference that is generated from them. The layout follows the Confluent CLI
//! (docs/reference/cli.md#help-text), except that flags precede description and examples, and only the top level lists
//! the global flags.

mod page;

use clap::{Arg, Command};

use super::command_tree;
use crate::render::{width, wrap_paragraph};
use page::{render_page, to_sentence, usage_text};

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

/// Returns the text without a command: where the three kinds of users start.
pub(super) fn render_start() -> String {
    let about = command_tree().get_about().map(ToString::to_string).unwrap_or_default();
    let mut out = wrap_paragraph(&to_sentence(&about), 0, width());
    for (reader, command) in [
        (
            "Try it, without an account and without network access:",
            "onboard claims --sandbox",
        ),
        ("I have a profile from the platform team:", "profile import FILE"),
        ("I am the platform team:", "init"),
    ] {
        out.push('\n');
        out.push_str(&wrap_paragraph(reader, 0, width()));
        out.extend(["  $ ", ROOT, " ", command, "\n"]);
    }
    out.push('\n');
    let line = format!("Use `{ROOT} --help` for all commands, `{ROOT} [command] --help` for one of them.");
    out.push_str(&wrap_paragraph(&line, 0, width()));
    out
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Height of a small terminal, in lines.
    const SMALL_HEIGHT: usize = 24;

    /// Commands with more flags or subcommands than a small terminal has lines for.
    const LONG: [&str; 6] = [
        ROOT,
        "confluent ebs access audit",
        "confluent ebs gitops apply",
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
