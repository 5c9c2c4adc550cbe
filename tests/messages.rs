//! All texts for users, collected from the sources into `tests/messages.txt`, so that wording is reviewed in one place.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, Expr, ExprCall, ExprLit, ExprMacro, ExprMethodCall, Fields, ImplItemFn, ItemEnum, ItemMod, ItemStruct,
    Lit, LitStr, Meta, Token,
    parse::Parser,
    punctuated::Punctuated,
    visit::{self, Visit},
};

const UPDATE_DOCS_VARIABLE: &str = "UPDATE_DOCS";

/// Constructors of an error and how many of their first arguments are texts.
const ERROR_CONSTRUCTORS: &[&str] = &["failed", "refused", "usage", "denied", "new", "findings", "msg"];
const FINDING_CONSTRUCTORS: &[&str] = &["error", "warning", "info", "new"];
const ERROR_METHODS: &[&str] = &["context", "with_context"];
const HINT_METHODS: &[&str] = &["with_hint", "hint", "hints", "with_fix"];
const NOTE_METHODS: &[&str] = &["warn", "info"];

/// Messages with names in double quotes, because the Confluent CLI words and quotes the same message so
/// (docs/reference/cli.md). `{}` stands for any placeholder.
const WORDED_AS_THE_CONFLUENT_CLI: &[&str] = &[
    "unknown command \"{}\" for \"{}\"",
    "unexpected argument \"{}\" for \"{}\"",
    "connector config file \"{}\"",
    "only string values are permitted for the configuration \"{}\"",
];

/// Names with which an error can begin although it begins in lower case.
const PROPER_NAMES: &[&str] = &["Confluent", "Kafka", "Connect", "Schema", "Ctrl-C"];

/// What a text is for; the rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Error,
    Finding,
    Hint,
    Note,
    Help,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Finding => "finding",
            Self::Hint => "hint",
            Self::Note => "note",
            Self::Help => "help",
        }
    }
}

#[derive(Clone, Debug)]
struct Message {
    path: String,
    kind: Kind,
    /// As written, with placeholders.
    text: String,
}

fn repository_root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// All messages, by file and position.
fn collect_messages() -> Vec<Message> {
    let mut files = Vec::new();
    rust_files(&repository_root().join("src"), &mut files);
    files.sort();
    let mut messages = Vec::new();
    for file in files {
        let relative = file.strip_prefix(repository_root()).unwrap();
        let path = relative
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect::<Vec<_>>()
            .join("/");
        if path.ends_with("tests.rs") || path.contains("/tests/") || path.contains("/fixture") {
            continue;
        }
        messages.extend(messages_of(&path, &fs::read_to_string(&file).unwrap()));
    }
    messages
}

fn messages_of(path: &str, text: &str) -> Vec<Message> {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut collector = Collector {
        path: path.to_owned(),
        messages: Vec::new(),
    };
    collector.visit_file(&file);
    collector.messages
}

struct Collector {
    path: String,
    messages: Vec<Message>,
}

impl Collector {
    fn add(&mut self, kind: Kind, text: &str) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.is_empty() {
            self.messages.push(Message {
                path: self.path.clone(),
                kind,
                text,
            });
        }
    }

    /// Adds the texts of which an argument consists: literals, formats, and those in branches, closures and lists.
    fn add_argument(&mut self, kind: Kind, argument: &Expr) {
        for text in TextFinder::texts_in(argument) {
            self.add(kind, &text);
        }
    }

    fn add_docs(&mut self, attributes: &[Attribute]) {
        let mut paragraph: Vec<String> = Vec::new();
        for line in attributes.iter().filter_map(doc_line) {
            if line.trim().is_empty() {
                self.add(Kind::Help, &std::mem::take(&mut paragraph).join(" "));
            } else {
                paragraph.push(line);
            }
        }
        self.add(Kind::Help, &paragraph.join(" "));
        for attribute in attributes {
            self.add_clap_texts(attribute);
        }
    }

    /// `#[command(after_help = "…")]`, `#[arg(help = "…")]`.
    fn add_clap_texts(&mut self, attribute: &Attribute) {
        if !["command", "arg", "clap", "group", "value"]
            .iter()
            .any(|name| attribute.path().is_ident(name))
        {
            return;
        }
        let Meta::List(list) = &attribute.meta else { return };
        let Ok(metas) = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone()) else {
            return;
        };
        for meta in metas {
            if let Meta::NameValue(pair) = meta
                && [
                    "about",
                    "long_about",
                    "help",
                    "long_help",
                    "after_help",
                    "after_long_help",
                    "help_heading",
                ]
                .iter()
                .any(|name| pair.path.is_ident(name))
            {
                self.add_argument(Kind::Help, &pair.value);
            }
        }
    }

    fn add_errors(&mut self, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("error")) {
            if let Ok(text) = attribute.parse_args_with(|input: syn::parse::ParseStream<'_>| {
                let text: LitStr = input.parse()?;
                let _: proc_macro_tokens::Rest = input.parse()?;
                Ok(text)
            }) && !is_placeholder(&text.value())
            {
                self.add(Kind::Error, &text.value());
            }
        }
    }

    fn add_fields(&mut self, fields: &Fields) {
        for field in fields {
            self.add_docs(&field.attrs);
        }
    }
}

/// Whatever follows the text of `#[error(…)]`.
mod proc_macro_tokens {
    pub(super) struct Rest;

    impl syn::parse::Parse for Rest {
        fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
            input.step(|cursor| {
                let mut rest = *cursor;
                while let Some((_, next)) = rest.token_tree() {
                    rest = next;
                }
                Ok((Self, rest))
            })
        }
    }
}

/// Whether a text is nothing but one placeholder, so that its words stand elsewhere.
fn is_placeholder(text: &str) -> bool {
    text.starts_with('{') && text.ends_with('}') && text.matches('{').count() == 1
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Str(line), ..
    }) = &pair.value
    else {
        return None;
    };
    attribute.path().is_ident("doc").then(|| line.value())
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, Meta::List(list) if list.tokens.clone().into_iter().any(|token| token.to_string() == "test"))
    })
}

/// Whether clap reads the doc comments of a type.
fn is_clap_type(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("derive"))
        .any(|attribute| {
            matches!(&attribute.meta, Meta::List(list) if list.tokens.clone().into_iter().any(|token| {
                ["Parser", "Args", "Subcommand", "ValueEnum"].contains(&token.to_string().as_str())
            }))
        })
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.add_errors(&item.attrs);
        if is_clap_type(&item.attrs) {
            self.add_docs(&item.attrs);
            self.add_fields(&item.fields);
        }
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.add_errors(&item.attrs);
        let is_clap = is_clap_type(&item.attrs);
        if is_clap {
            self.add_docs(&item.attrs);
        }
        for variant in &item.variants {
            self.add_errors(&variant.attrs);
            if is_clap {
                self.add_docs(&variant.attrs);
                self.add_fields(&variant.fields);
            }
        }
    }

    // What `hints()` returns of an `impl Advice`.
    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if is_test(&item.attrs) {
            return;
        }
        if item.sig.ident == "hints" || item.sig.ident == "hint" || item.sig.ident == "advice" {
            for text in TextFinder::texts_in_block(&item.block) {
                self.add(Kind::Hint, &text);
            }
            return;
        }
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        let name = match &*call.func {
            Expr::Path(path) => path
                .path
                .segments
                .iter()
                .rev()
                .take(2)
                .map(|part| part.ident.to_string())
                .collect(),
            _ => Vec::new(),
        };
        let kind = match name.as_slice() {
            [function, kind] if kind == "Error" && ERROR_CONSTRUCTORS.contains(&function.as_str()) => Some(Kind::Error),
            [function, kind] if kind == "Finding" && FINDING_CONSTRUCTORS.contains(&function.as_str()) => {
                Some(Kind::Finding)
            }
            [function, kind] if kind == "Hint" && function == "new" => Some(Kind::Hint),
            _ => None,
        };
        if let Some(kind) = kind {
            // The first argument of a finding is the id of its rule.
            for argument in call.args.iter().skip(usize::from(kind == Kind::Finding)) {
                self.add_argument(kind, argument);
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        // First what stands first in the source.
        visit::visit_expr(self, &call.receiver);
        let name = call.method.to_string();
        let kind = [
            (ERROR_METHODS, Kind::Error),
            (HINT_METHODS, Kind::Hint),
            (NOTE_METHODS, Kind::Note),
        ]
        .into_iter()
        .find(|(methods, _)| methods.contains(&name.as_str()));
        for argument in &call.args {
            if let Some((_, kind)) = kind {
                self.add_argument(kind, argument);
            }
            visit::visit_expr(self, argument);
        }
    }
}

/// Finds the texts of an expression.
#[derive(Default)]
struct TextFinder {
    texts: Vec<String>,
    /// Whether to collect the constructors of messages, too.
    enters_constructors: bool,
}

impl TextFinder {
    fn texts_in(expression: &Expr) -> Vec<String> {
        let mut finder = Self::default();
        finder.visit_expr(expression);
        finder.texts
    }

    fn texts_in_block(block: &syn::Block) -> Vec<String> {
        let mut finder = Self {
            enters_constructors: true,
            ..Self::default()
        };
        finder.visit_block(block);
        finder.texts
    }

    /// A text of one word is a name, a separator or an argument of a call.
    fn add(&mut self, text: &str) {
        let is_word = |word: &&str| word.contains(|c: char| c.is_alphanumeric() || c == '{');
        if text.split_whitespace().filter(is_word).count() > 1 {
            self.texts.push(text.to_owned());
        }
    }
}

impl<'ast> Visit<'ast> for TextFinder {
    fn visit_expr_lit(&mut self, literal: &'ast ExprLit) {
        if let Lit::Str(text) = &literal.lit {
            self.add(&text.value());
        }
    }

    fn visit_expr_macro(&mut self, call: &'ast ExprMacro) {
        let Ok(arguments) = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(call.mac.tokens.clone()) else {
            return;
        };
        for argument in &arguments {
            self.visit_expr(argument);
        }
    }

    // Constructors of messages collect their own texts.
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        let collects = |path: &syn::ExprPath| {
            let kind = path
                .path
                .segments
                .iter()
                .rev()
                .nth(1)
                .map(|part| part.ident.to_string());
            kind.is_some_and(|kind| ["Error", "Finding", "Hint"].contains(&kind.as_str()))
        };
        if self.enters_constructors || !matches!(&*call.func, Expr::Path(path) if collects(path)) {
            visit::visit_expr_call(self, call);
        }
    }
}

fn to_page(messages: &[Message]) -> String {
    let mut page = String::from(
        "All texts for users, by file and position, with placeholders as written. Made from `src`:\n\
         `UPDATE_DOCS=1 cargo test --test messages`.\n",
    );
    let mut path = "";
    for message in messages {
        if message.path != path {
            path = &message.path;
            page.extend(["\n# ", path, "\n"]);
        }
        page.extend([message.kind.name(), ": ", &message.text, "\n"]);
    }
    page
}

#[test]
fn the_page_of_messages_matches_the_sources() {
    let page = to_page(&collect_messages());
    let file = repository_root().join("tests/messages.txt");
    if env::var_os(UPDATE_DOCS_VARIABLE).is_some() {
        fs::write(&file, page).unwrap();
        return;
    }
    let found = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    let first = found
        .lines()
        .zip(page.lines())
        .find(|(found, expected)| found != expected);
    assert!(
        found == page,
        "tests/messages.txt is not up to date: run `{UPDATE_DOCS_VARIABLE}=1 cargo test --test messages` and review \
         the difference; it starts with {first:#?}"
    );
}

/// The text with empty placeholders.
fn without_placeholders(text: &str) -> String {
    let mut plain = String::new();
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '{' => {
                depth += 1;
                if depth == 1 {
                    plain.push_str("{}");
                }
            }
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

fn starts_with_name(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or_default();
    let is_acronym = first.chars().nth(1).is_some_and(char::is_uppercase);
    is_acronym || PROPER_NAMES.contains(&first.trim_end_matches([',', ':']))
}

/// What is wrong with the form of `text`.
fn broken_rules(kind: Kind, text: &str) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let plain = without_placeholders(text);
    let first = text.chars().next().unwrap_or(' ');
    match kind {
        Kind::Error | Kind::Finding => {
            if first.is_uppercase() && !starts_with_name(text) {
                broken.push("starts in upper case");
            }
            if text.ends_with('.') && !text.ends_with("..") {
                broken.push("ends with a full stop");
            }
        }
        Kind::Hint | Kind::Note => {
            if kind == Kind::Hint && first.is_lowercase() {
                broken.push("starts in lower case");
            }
            if kind == Kind::Hint && !text.ends_with(['.', '?', '}', ':']) {
                broken.push("does not end with a full stop");
            }
        }
        Kind::Help => {}
    }
    let as_cli = WORDED_AS_THE_CONFLUENT_CLI.iter().any(|known| plain.starts_with(known));
    if plain.contains("\"{}\"") && !as_cli {
        broken.push("has a name in double quotes instead of backticks");
    }
    broken
}

#[test]
fn messages_have_the_form_that_the_glossary_describes() {
    let wrong: Vec<String> = collect_messages()
        .iter()
        .flat_map(|message| {
            let rules = broken_rules(message.kind, &message.text);
            rules
                .into_iter()
                .map(move |rule| format!("{}: {rule}: {}", message.path, message.text))
        })
        .collect();
    assert!(wrong.is_empty(), "see docs/glossary.md:\n{}", wrong.join("\n"));
}

#[test]
fn each_exception_for_a_message_of_the_confluent_cli_is_used() {
    let messages: Vec<String> = collect_messages()
        .iter()
        .map(|message| without_placeholders(&message.text))
        .collect();
    let unused: Vec<&&str> = WORDED_AS_THE_CONFLUENT_CLI
        .iter()
        .filter(|known| !messages.iter().any(|text| text.starts_with(**known)))
        .collect();
    assert!(unused.is_empty(), "remove from WORDED_AS_THE_CONFLUENT_CLI: {unused:?}");
}

#[test]
fn a_message_in_the_wrong_form_is_found() {
    for (kind, text, rules) in [
        (Kind::Error, "cannot read `{}`", vec![]),
        (Kind::Error, "API key `{}` is gone", vec![]),
        (
            Kind::Error,
            "Cannot read `{}`.",
            vec!["starts in upper case", "ends with a full stop"],
        ),
        (
            Kind::Error,
            "no stage \"{name:?}\"",
            vec!["has a name in double quotes instead of backticks"],
        ),
        (Kind::Error, "connector config file \"{name}\" is empty", vec![]),
        (Kind::Hint, "Did you mean `{near}`?", vec![]),
        (
            Kind::Hint,
            "did you mean it",
            vec!["starts in lower case", "does not end with a full stop"],
        ),
    ] {
        assert_eq!(broken_rules(kind, text), rules, "{text}");
    }
}

#[test]
fn the_collector_sees_each_kind_of_message() {
    let source = r#"
        #[derive(Debug, thiserror::Error)]
        #[error("a of {0}", .0.display())]
        struct A(PathBuf);
        #[derive(thiserror::Error)]
        enum B { #[error("b of it")] One, #[error("{0}")] Two, #[error(transparent)] Three }
        /// Help of c.
        ///
        /// Second paragraph
        /// of c.
        #[derive(clap::Args)]
        #[command(after_help = "Help after c.")]
        struct C {
            /// Help of d.
            d: u8,
        }
        impl Advice for B { fn hints(&self) -> Vec<Hint> { vec!["Do e now.".into(), Hint::new(format!("Do {} f.", 1))] } }
        fn f(ui: &Ui) -> Result<()> {
            let finding = Finding::error("some-rule", format!("g of {x}")).with_fix("Do h now.");
            ui.warn("note i is it");
            if x { return Err(Error::refused(match y { 1 => "j is wrong", _ => "k is wrong" }).with_hint("Do l now.")); }
            read().with_context(|| format!("cannot read {m}"))?;
            Ok(())
        }
        #[cfg(test)]
        mod tests { fn n() { Error::failed("n is hidden"); } }
    "#;
    let messages = messages_of("x.rs", source);
    let texts: Vec<&str> = messages.iter().map(|message| message.text.as_str()).collect();
    let expected = [
        "a of {0}",
        "b of it",
        "Help of c.",
        "Second paragraph of c.",
        "Help after c.",
        "Help of d.",
        "Do e now.",
        "Do {} f.",
        "g of {x}",
        "Do h now.",
        "note i is it",
        "j is wrong",
        "k is wrong",
        "Do l now.",
        "cannot read {m}",
    ];
    assert_eq!(texts, expected);
}
