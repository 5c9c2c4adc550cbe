//! Checks of the source text: dependencies between modules, access to the standard streams, length of files.

#[path = "architecture/names.rs"]
mod names;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Maximum number of lines; a longer file has more than one subject.
const MAX_FILE_LINES: usize = 530;
/// Most lines of a file of a command, which has arguments, a result and a view.
const MAX_COMMAND_LINES: usize = 250;

/// Files outside of `render` that may use the standard streams.
const STREAM_EXCEPTIONS: &[(&str, &str)] = &[("src/client/trace.rs", "the wire trace of `--unsafe-trace`")];

/// The pages that describe the product, without the glossary, which names what they must not say.
fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    for entry in fs::read_dir(repository_root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if Path::new(&name).extension().is_some_and(|extension| extension == "md") && name != "glossary.md" {
            pages.push(format!("docs/{name}"));
        }
    }
    pages.sort();
    pages
}

/// The modules that decide and act. `commands` only reads arguments, chooses a view and returns an exit code.
const APPLICATION_MODULES: &[&str] = &["client", "plan", "apply", "probe", "handover"];

/// The library behind the commands: it knows no arguments, no process environment and no terminal.
const LIBRARY_MODULES: &[&str] = &["session", "checks", "provisioning", "connectors", "fleet"];

/// What [`LIBRARY_MODULES`] do not use.
const PROCESS_WORDS: &[&str] = &[
    "clap::",
    "use clap",
    "use std::env",
    "env::var",
    "env::args",
    "env::current_exe",
    "env::home_dir",
    "env::temp_dir",
    "current_dir()",
    "io::stdin",
    "io::stdout",
    "io::stderr",
    "is_terminal()",
    "process::exit",
];

/// Who uses the sandbox, and for what. A folder ends in `/`.
const SANDBOX_USERS: &[(&str, &str)] = &[
    ("src/sandbox/", "itself"),
    ("src/session/", "a connection to the sandbox instead of Confluent Cloud"),
    ("src/commands/sandbox/", "its commands"),
    ("src/checks/doctor/", "checks against the sandbox"),
];

struct RustSource {
    path: String,
    /// Module of `lib.rs` that contains the file.
    module: String,
    text: String,
    /// Source text without comments.
    code: String,
}

fn repository_root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read_sources() -> Vec<RustSource> {
    let mut found = Vec::new();
    collect_sources(&repository_root().join("src"), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect_sources(folder: &Path, found: &mut Vec<RustSource>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(repository_root()).unwrap();
            let name = |part: &Path| part.file_stem().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap();
            found.push(RustSource {
                module: name(relative.components().nth(1).unwrap().as_os_str().as_ref()),
                path: relative
                    .components()
                    .map(|c| c.as_os_str().to_string_lossy())
                    .collect::<Vec<_>>()
                    .join("/"),
                code: strip_comments(&text),
                text,
            });
        }
    }
}

fn strip_comments(text: &str) -> String {
    text.lines()
        .map(|line| {
            line.find("//")
                .map_or(line, |at| if line[..at].contains('"') { line } else { &line[..at] })
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Modules in the order of `lib.rs`.
fn module_order() -> Vec<String> {
    let text = fs::read_to_string(repository_root().join("src/lib.rs")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned))
        .collect()
}

/// Modules of this crate that `code` uses: `crate::x` and the first segments of `crate::{x::y, z}`.
fn used_modules(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut head = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 && c == ',' {
                    used.insert(leading_identifier(&head));
                    head.clear();
                } else if depth == 0 {
                    head.push(c);
                }
            }
            used.insert(leading_identifier(&head));
        } else {
            used.insert(leading_identifier(rest));
        }
    }
    used.remove("");
    used
}

fn leading_identifier(text: &str) -> String {
    text.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn each_module_uses_only_modules_above_it() {
    let order = module_order();
    let places = order
        .iter()
        .enumerate()
        .map(|(place, name)| (name.as_str(), place))
        .collect::<BTreeMap<_, _>>();
    let mut wrong = Vec::new();
    for source in read_sources() {
        let Some(own) = places.get(source.module.as_str()) else {
            assert!(
                ["lib", "main"].contains(&source.module.as_str()),
                "{} is not in lib.rs",
                source.path
            );
            continue;
        };
        for name in used_modules(&source.code) {
            match places.get(name.as_str()) {
                Some(place) if place > own => wrong.push(format!("{} uses {name}, which stands below it", source.path)),
                Some(_) => {}
                None => wrong.push(format!(
                    "{} uses crate::{name}, which is no module of lib.rs",
                    source.path
                )),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_use_no_application_module() {
    let mut wrong = Vec::new();
    for source in read_sources().iter().filter(|source| source.module == "commands") {
        let used = used_modules(&source.code).into_iter();
        let used = used.filter(|module| APPLICATION_MODULES.contains(&module.as_str()));
        wrong.extend(used.map(|module| format!("{}: {module}", source.path)));
    }
    assert!(
        wrong.is_empty(),
        "commands use what belongs into session, checks, provisioning, connectors or fleet:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_library_behind_the_commands_knows_neither_arguments_nor_the_process() {
    for source in read_sources() {
        if !LIBRARY_MODULES.contains(&source.module.as_str()) {
            continue;
        }
        for word in PROCESS_WORDS {
            assert!(
                !source.code.contains(word),
                "{} has `{word}`: the environment is a value that the caller passes",
                source.path
            );
        }
    }
}

#[test]
fn only_the_listed_modules_use_the_sandbox() {
    let mut stale: BTreeSet<&str> = SANDBOX_USERS.iter().map(|(path, _)| *path).collect();
    for source in read_sources() {
        if ["lib", "main"].contains(&source.module.as_str()) || !used_modules(&source.code).contains("sandbox") {
            continue;
        }
        let user = SANDBOX_USERS.iter().find(|(path, _)| source.path.starts_with(path));
        let (path, _) = user.unwrap_or_else(|| panic!("{} uses the sandbox", source.path));
        stale.remove(path);
    }
    assert!(stale.is_empty(), "these no longer use the sandbox: {stale:?}");
}

/// Files that read the text of a secret, and for what.
const SECRET_READERS: &[(&str, &str)] = &[
    ("src/client/credentials.rs", "the `Authorization` header of a request"),
    ("src/client/token_cache.rs", "comparison with a rejected token"),
    ("src/config/profile_keys.rs", "registration"),
    ("src/config/profile_text.rs", "the file of the hand-over"),
    ("src/connectors/secrets.rs", "the body of a request, and registration"),
    ("src/handover/age.rs", "the encrypted file of the hand-over"),
    ("src/handover/profile_store.rs", "the file of the hand-over"),
    ("src/provisioning/onboarding/outcome.rs", "`onboard --show-secrets`"),
    ("src/resources/api_key.rs", "registration"),
    ("src/session/profiles.rs", "an imported profile"),
];

/// Results that show secrets because the user asked for them.
const SECRET_RESULTS: &[&str] = &[
    "src/commands/onboard/result_view.rs",
    "src/commands/sandbox/info.rs",
    "src/render/view.rs",
];

// Exempt from redaction are request bodies, the files and the standard input of the hand-over, and `--show-secrets`.
#[test]
fn secrets_are_read_only_for_the_listed_purposes() {
    let mut readers: BTreeSet<&str> = SECRET_READERS.iter().map(|(path, _)| *path).collect();
    let mut results: BTreeSet<&str> = SECRET_RESULTS.iter().copied().collect();
    for source in read_sources() {
        // Tests of a module read secrets to compare them.
        let code = source.code.split("#[cfg(test)]").next().unwrap_or_default();
        if source.path.ends_with("_tests.rs") || source.path == "src/model/secret.rs" {
            continue;
        }
        if code.contains(".expose()") {
            assert!(readers.remove(source.path.as_str()), "{} reads a secret", source.path);
        }
        if code.contains("fn shows_secrets") {
            assert!(results.remove(source.path.as_str()), "{} shows secrets", source.path);
        }
    }
    assert!(readers.is_empty() && results.is_empty(), "{readers:?} {results:?}");
}

#[test]
fn only_the_child_module_starts_processes() {
    for source in read_sources() {
        let is_child = source.path == "src/child.rs";
        for word in ["Command::new(", "process::Command::", "use std::process::Command"] {
            assert!(
                is_child || !source.code.contains(word),
                "{} has `{word}`: `child` withholds secrets",
                source.path
            );
        }
    }
}

#[test]
fn only_the_render_module_prints() {
    for source in read_sources() {
        if source.module == "render" || STREAM_EXCEPTIONS.iter().any(|(path, _)| *path == source.path) {
            continue;
        }
        for word in [
            "println!",
            "print!",
            "eprintln!",
            "eprint!",
            "dbg!",
            "io::stdout",
            "io::stderr",
        ] {
            assert!(
                !source.code.contains(word),
                "{} has `{word}`: only render prints",
                source.path
            );
        }
    }
}

#[test]
fn no_source_file_exceeds_the_line_limit() {
    let long = read_sources().into_iter().filter_map(|source| {
        let lines = source.text.lines().count();
        let is_command = source.path.starts_with("src/commands/");
        let limit = if is_command { MAX_COMMAND_LINES } else { MAX_FILE_LINES };
        (lines > limit).then(|| format!("{} has {lines} lines", source.path))
    });
    let long = long.collect::<Vec<_>>();
    assert!(
        long.is_empty(),
        "these files have more than one subject:\n{}",
        long.join("\n")
    );
}

#[test]
fn the_architecture_page_lists_every_module_in_order() {
    let page = fs::read_to_string(repository_root().join("docs/architecture.md")).unwrap();
    let mut from = 0;
    for module in module_order() {
        let at = page[from..].find(&format!("`{module}`"));
        from += at.unwrap_or_else(|| panic!("docs/architecture.md does not name `{module}` after those above it"));
    }
}

#[test]
fn the_scanner_finds_nested_and_plain_imports() {
    let code = "use crate::{\n  model::{Crn, role::{Role}},\n  exit,\n};\nlet x = crate::env::var(\"A\"); use crate::hint::{self};";
    let expected = ["env", "exit", "hint", "model"].map(str::to_owned);
    assert_eq!(used_modules(code), expected.into());
}
