//! References to the pages of `docs/`: each leads to a heading, and each fact in `docs/reference/` names its source.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Folders and files whose texts are checked.
const ROOTS: &[&str] = &["src", "tests", "benches", "docs", ".ci", "README.md", "CONTRIBUTING.md"];

/// Extensions of files that people write.
const EXTENSIONS: &[&str] = &["rs", "md", "txt", "tsv", "toml", "sh"];

/// Levels of confidence, as defined in `docs/reference/README.md`.
const MARKS: &[&str] = &["documented", "observed", "inferred"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The texts by path below the root, with `/` as separator.
fn texts() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for name in ROOTS {
        visit(&root().join(name), &mut found);
    }
    found
}

fn visit(path: &Path, found: &mut BTreeMap<String, String>) {
    if path.is_dir() {
        if path.file_name().is_some_and(|name| name == "node_modules") {
            return;
        }
        for entry in fs::read_dir(path).unwrap() {
            visit(&entry.unwrap().path(), found);
        }
        return;
    }
    let wanted = path
        .extension()
        .is_none_or(|extension| EXTENSIONS.iter().any(|wanted| extension == *wanted));
    if !wanted {
        return;
    }
    let Ok(text) = fs::read_to_string(path) else {
        return;
    };
    let name: Vec<_> = path
        .strip_prefix(root())
        .unwrap()
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    found.insert(name.join("/"), text);
}

fn is_page(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "md")
}

/// Anchors of a page, derived from its headings like on GitHub.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut fenced = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let title = line.trim_start_matches('#');
        if fenced || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let slug: String = title
            .trim()
            .to_lowercase()
            .chars()
            .filter_map(|character| match character {
                ' ' => Some('-'),
                '-' | '_' => Some(character),
                _ => character.is_alphanumeric().then_some(character),
            })
            .collect();
        let mut unique = slug.clone();
        let mut count = 0;
        while !found.insert(unique.clone()) {
            count += 1;
            unique = format!("{slug}-{count}");
        }
    }
    found
}

/// Length of the beginning of `text` that consists of characters of a path or an anchor.
fn leading(text: &str, also: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c)))
        .unwrap_or(text.len())
}

/// References of the form `docs/PAGE.md` and `docs/PAGE.md#anchor` in a text.
fn references(text: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    for (at, start) in text.match_indices("docs/") {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || "/._-".contains(c)) {
            continue;
        }
        let rest = &text[at + start.len()..];
        let Some(end) = rest[..leading(rest, "/._-")].find(".md") else {
            continue;
        };
        let page = format!("docs/{}.md", &rest[..end]);
        let rest = &rest[end + ".md".len()..];
        let anchor = rest.strip_prefix('#').map(|rest| &rest[..leading(rest, "-_")]);
        // An empty anchor belongs to a format string.
        found.push((page, anchor.filter(|anchor| !anchor.is_empty()).map(str::to_owned)));
    }
    found
}

/// Targets of markdown links to pages of this repository, relative to the root.
fn links(path: &str, text: &str) -> Vec<(String, Option<String>)> {
    let folder: Vec<&str> = path.split('/').rev().skip(1).collect();
    let mut found = Vec::new();
    for (at, start) in text.match_indices("](") {
        let target = text[at + start.len()..]
            .split([')', ' ', '\n'])
            .next()
            .unwrap_or_default();
        if target.contains("://") {
            continue;
        }
        let (page, anchor) = match target.split_once('#') {
            Some((page, anchor)) => (page, Some(anchor.to_owned())),
            None => (target, None),
        };
        if page.is_empty() {
            found.push((path.to_owned(), anchor));
        } else if is_page(page) {
            let mut parts: Vec<&str> = folder.iter().rev().copied().collect();
            for part in page.split('/') {
                match part {
                    "." => {}
                    ".." => drop(parts.pop()),
                    _ => parts.push(part),
                }
            }
            found.push((parts.join("/"), anchor));
        }
    }
    found
}

#[test]
fn each_reference_to_a_page_leads_to_a_heading() {
    let texts = texts();
    // Includes pages in other folders, such as the examples.
    let mut pages: BTreeMap<String, Option<BTreeSet<String>>> = BTreeMap::new();
    let mut broken = Vec::new();
    let mut checked = 0;
    for (path, text) in &texts {
        let mut targets = references(text);
        if is_page(path) {
            targets.extend(links(path, text));
        }
        for (page, anchor) in targets {
            checked += 1;
            let headings = pages
                .entry(page.clone())
                .or_insert_with(|| fs::read_to_string(root().join(&page)).ok().map(|text| anchors(&text)));
            let exists = headings
                .as_ref()
                .is_some_and(|headings| anchor.as_ref().is_none_or(|anchor| headings.contains(anchor)));
            if !exists {
                let anchor = anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
                broken.push(format!("{path}: {page}{anchor}"));
            }
        }
    }
    assert!(broken.is_empty(), "these lead nowhere:\n{}", broken.join("\n"));
    assert!(checked > 100, "only {checked} references found");
}

#[test]
fn no_text_refers_to_a_document_outside_the_repository() {
    // Concatenated, so that this file does not contain the words.
    let sign = '\u{a7}';
    let private = ["dos", "sier"].concat();
    let design = format!("design {sign}");
    let mut found = Vec::new();
    for (path, text) in texts() {
        let lower = text.to_lowercase();
        for word in [&private, &design] {
            if lower.contains(word.as_str()) {
                found.push(format!("{path}: {word}"));
            }
        }
        // A page and a section by its number: `page.md`, an optional backtick and comma, the sign.
        for (at, extension) in text.match_indices(".md") {
            let rest = &text[at + extension.len()..];
            let rest = rest.strip_prefix('`').unwrap_or(rest);
            let rest = rest.strip_prefix(',').unwrap_or(rest);
            if rest.trim_start().starts_with(sign) {
                found.push(format!("{path}: a section of a page by its number"));
            }
        }
    }
    assert!(
        found.is_empty(),
        "name a public source or docs/reference:\n{}",
        found.join("\n")
    );
}

#[test]
fn each_section_of_the_reference_names_its_source_and_its_confidence() {
    let mut wrong = Vec::new();
    let mut sections = 0;
    for (path, text) in texts() {
        let Some(page) = path.strip_prefix("docs/reference/") else {
            continue;
        };
        if page == "README.md" {
            continue;
        }
        for section in text.split("\n## ").skip(1) {
            sections += 1;
            let (title, body) = section.split_once('\n').unwrap_or((section, ""));
            if paragraph(body, "**Source:** ").is_none() {
                wrong.push(format!("{path}: {title}: no source"));
            }
            match paragraph(body, "**Confidence:** ") {
                Some(text) if MARKS.iter().any(|mark| text.contains(mark)) => {}
                Some(_) => wrong.push(format!("{path}: {title}: none of {}", MARKS.join(", "))),
                None => wrong.push(format!("{path}: {title}: no confidence")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(sections > 50, "only {sections} sections found");
}

/// The text of the paragraph that begins with `start`.
fn paragraph(body: &str, start: &str) -> Option<String> {
    let lines: Vec<&str> = body
        .lines()
        .skip_while(|line| !line.starts_with(start))
        .take_while(|line| !line.trim().is_empty())
        .collect();
    let text = lines.join(" ").strip_prefix(start)?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
