//! Names: a visible type name is unique, and no name or text uses a word that `docs/glossary.md` replaces.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use syn::{ImplItem, Item, TraitItem, Visibility};

use super::{RustSource, collect_sources, read_sources, repository_root};

/// What the glossary forbids.
struct Glossary {
    /// Identifiers that no type, function or module has.
    identifiers: BTreeSet<String>,
    /// Phrases that no comment, message or page has.
    phrases: Vec<String>,
}

/// Names that say nothing about what a function does, besides those of the glossary.
const EMPTY_NAMES: &[&str] = &[
    "of", "look", "told", "words", "may", "shown", "judge", "whose", "when", "who",
];

fn glossary() -> Glossary {
    let text = fs::read_to_string(repository_root().join("docs/glossary.md")).unwrap();
    let mut glossary = Glossary {
        identifiers: EMPTY_NAMES.iter().map(|name| (*name).to_owned()).collect(),
        phrases: Vec::new(),
    };
    for row in text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| Term"))
    {
        let not = row.trim_end_matches('|').rsplit('|').next().unwrap();
        glossary.identifiers.extend(quoted(not, '`'));
        glossary.phrases.extend(quoted(not, '"'));
    }
    glossary
}

/// The parts of `text` between pairs of `quote`.
fn quoted(text: &str, quote: char) -> Vec<String> {
    let parts = text.split(quote).skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// A declaration in the sources.
struct Declared {
    name: String,
    path: String,
    is_visible_type: bool,
    /// Whether it stands under `#[cfg(…)]`, so that its twin in the same file can have the same name.
    is_conditional: bool,
}

fn declared(source: &RustSource) -> Vec<Declared> {
    let file = syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let mut found = Vec::new();
    collect(&file.items, &source.path, false, &mut found);
    found
}

fn has_condition(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("cfg"))
}

fn collect(items: &[Item], path: &str, is_conditional: bool, found: &mut Vec<Declared>) {
    let mut declare = |name: &syn::Ident, is_visible_type: bool, attributes: &[syn::Attribute]| {
        found.push(Declared {
            name: name.to_string(),
            path: path.to_owned(),
            is_visible_type,
            is_conditional: is_conditional || has_condition(attributes),
        });
    };
    let visible = |visibility: &Visibility| !matches!(visibility, Visibility::Inherited);
    for item in items {
        match item {
            Item::Struct(item) => declare(&item.ident, visible(&item.vis), &item.attrs),
            Item::Enum(item) => declare(&item.ident, visible(&item.vis), &item.attrs),
            Item::Type(item) => declare(&item.ident, visible(&item.vis), &item.attrs),
            Item::Fn(item) => declare(&item.sig.ident, false, &item.attrs),
            Item::Trait(item) => {
                declare(&item.ident, visible(&item.vis), &item.attrs);
                for member in &item.items {
                    if let TraitItem::Fn(member) = member {
                        declare(&member.sig.ident, false, &member.attrs);
                    }
                }
            }
            Item::Impl(item) if item.trait_.is_none() => {
                for member in &item.items {
                    if let ImplItem::Fn(member) = member {
                        declare(&member.sig.ident, false, &member.attrs);
                    }
                }
            }
            Item::Mod(item) => declare(&item.ident, false, &item.attrs),
            _ => {}
        }
    }
    for item in items {
        if let Item::Mod(module) = item
            && let Some((_, items)) = &module.content
        {
            collect(items, path, is_conditional || has_condition(&module.attrs), found);
        }
    }
}

#[test]
fn a_visible_type_name_is_unique_in_the_crate() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in read_sources() {
        for declared in declared(&source)
            .into_iter()
            .filter(|declared| declared.is_visible_type)
        {
            let paths = places.entry(declared.name).or_default();
            if !(declared.is_conditional && paths.contains(&declared.path)) {
                paths.push(declared.path);
            }
        }
    }
    let doubled: Vec<String> = places
        .into_iter()
        .filter(|(_, paths)| paths.len() > 1)
        .map(|(name, paths)| format!("{name}: {}", paths.join(", ")))
        .collect();
    assert!(
        doubled.is_empty(),
        "type names declared more than once:\n{}",
        doubled.join("\n")
    );
}

#[test]
fn no_declaration_has_a_name_that_the_glossary_replaces() {
    let banned = glossary().identifiers;
    assert!(
        banned.len() > 30,
        "the glossary names {} identifiers only",
        banned.len()
    );
    let wrong: Vec<String> = read_sources()
        .iter()
        .flat_map(declared)
        .filter(|declared| banned.contains(&declared.name))
        .map(|declared| format!("{}: `{}`", declared.path, declared.name))
        .collect();
    assert!(wrong.is_empty(), "see docs/glossary.md:\n{}", wrong.join("\n"));
}

#[test]
fn no_text_has_a_phrase_that_the_glossary_replaces() {
    let phrases = glossary().phrases;
    assert!(phrases.len() > 10, "the glossary names {} phrases only", phrases.len());
    let mut texts: Vec<(String, String)> = read_sources()
        .into_iter()
        .map(|source| (source.path, source.text))
        .collect();
    for page in super::pages() {
        let text = fs::read_to_string(repository_root().join(&page)).unwrap();
        texts.push((page, text));
    }
    let mut wrong = Vec::new();
    for (path, text) in texts {
        let flowing = FlowingText::new(&text);
        for phrase in &phrases {
            wrong.extend(
                flowing
                    .lines_with(phrase)
                    .into_iter()
                    .map(|line| format!("{path}:{line}: \"{phrase}\"")),
            );
        }
    }
    assert!(wrong.is_empty(), "see docs/glossary.md:\n{}", wrong.join("\n"));
}

/// A text without its line breaks, comment markers and indentation, so that a phrase is found where a line wraps.
struct FlowingText {
    text: String,
    /// Where each line starts in `text`.
    starts: Vec<usize>,
}

impl FlowingText {
    fn new(source: &str) -> Self {
        let (mut text, mut starts) = (String::new(), Vec::new());
        for line in source.lines() {
            starts.push(text.len());
            let line = line.trim_start().trim_start_matches(['/', '!', '*', '>']).trim();
            text.push_str(&line.trim_end_matches('\\').trim_end().to_lowercase());
            text.push(' ');
        }
        Self { text, starts }
    }

    /// The numbers of the lines in which `phrase` starts as whole words.
    fn lines_with(&self, phrase: &str) -> Vec<usize> {
        let phrase = phrase.to_lowercase();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        self.text
            .match_indices(&phrase)
            .filter(|(at, _)| {
                let (before, after) = (&self.text[..*at], &self.text[at + phrase.len()..]);
                !before.ends_with(is_word) && !after.starts_with(is_word)
            })
            .map(|(at, _)| self.starts.partition_point(|start| *start <= at))
            .collect()
    }
}

#[test]
fn a_phrase_is_found_where_a_line_wraps_and_only_as_whole_words() {
    let text = FlowingText::new("/// A stock\n    /// CLI, stock\n//! CLIs.\n\"a stock \\\n CLI\"");
    assert_eq!(text.lines_with("stock CLI"), [1, 4]);
}

#[test]
fn the_scanner_sees_each_kind_of_declaration() {
    let source = RustSource {
        path: "x.rs".to_owned(),
        module: "x".to_owned(),
        text: "pub struct A; enum B {} pub(super) trait C { fn d(); } impl A { fn e() {} } mod f { pub type G = A; fn h() {} } \
               impl Iterator for A { fn next() {} }"
            .to_owned(),
        code: String::new(),
    };
    let declared = declared(&source);
    let names: Vec<&str> = declared.iter().map(|declared| declared.name.as_str()).collect();
    assert_eq!(names, ["A", "B", "C", "d", "e", "f", "G", "h"]);
    let visible: Vec<&str> = declared
        .iter()
        .filter(|declared| declared.is_visible_type)
        .map(|declared| declared.name.as_str())
        .collect();
    assert_eq!(visible, ["A", "C", "G"]);
}

/// The names of the tests in a source text.
fn test_names(text: &str) -> Vec<String> {
    let is_test = |line: &&str| line.starts_with("#[test]") || line.starts_with("#[tokio::test");
    let mut lines = text.lines().map(str::trim);
    let mut names = Vec::new();
    while lines.by_ref().any(|line| is_test(&line)) {
        let declaration = lines.by_ref().find_map(|line| line.split_once("fn "));
        let name = declaration.and_then(|(_, rest)| rest.split('(').next());
        names.extend(name.map(str::to_owned));
    }
    names
}

#[test]
fn a_test_name_is_unique_in_the_repository() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut sources = read_sources();
    collect_sources(&repository_root().join("tests"), &mut sources);
    for source in sources {
        for name in test_names(&source.text) {
            places.entry(name).or_default().push(source.path.clone());
        }
    }
    assert!(places.len() > 1000, "{} tests found", places.len());
    places.retain(|_, paths| paths.len() > 1);
    assert!(places.is_empty(), "tests with the same name: {places:#?}");
}
