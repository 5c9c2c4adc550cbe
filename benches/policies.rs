//! Policies: 1,000 connector files and ten rules, with reading, compiling and the tests of the rules.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::{fmt::Write as _, hint::black_box, path::Path, time::Instant};

use confluent_ebs::{
    catalog::{ValueType, catalog},
    gitops::{
        file_tree::{ConnectorTree, KnownNames, RepositoryFile},
        policies::{PolicySet, shipped_policies},
    },
    manifest::policy::PolicyFiles,
};

const FILES: usize = 1_000;
const RUNS: u32 = 20;

/// Rules besides the shipped ones, so that ten rules are evaluated without a plan.
const MORE: [&str; 5] = [
    "connector.name.startsWith(department.prefix)",
    "connector.config.all(key, !key.startsWith(\"internal.\"))",
    "!connector.config.exists(key, connector.config[key].contains(\"example.org\"))",
    "connector.name.matches(\"^[a-z][a-z0-9-]{3,60}$\")",
    "connector.state != \"paused\" || connector.ticket != \"\"",
];

fn main() {
    let mut rules = String::new();
    for (number, expression) in MORE.iter().enumerate() {
        let _ = write!(
            rules,
            "[[rule]]\nid = \"more-{number}\"\nseverity = \"error\"\nexpression = '''{expression}'''\nmessage = \"m\"\nfix = \"F.\"\n"
        );
    }
    let mut texts = shipped_policies().to_vec();
    texts.push(("policies/more.toml", &rules));
    let read = || {
        let files = PolicyFiles::from_texts(&texts);
        PolicySet::new(files, jiff::civil::date(2026, 11, 22))
    };
    let started = Instant::now();
    let set = read();
    let first = started.elapsed();
    let started = Instant::now();
    for _ in 0..RUNS {
        black_box(read());
    }
    let again = started.elapsed() / RUNS;

    let files = (0..FILES).map(|number| RepositoryFile {
        path: format!("claims/prod/claims-{number}.yaml").into(),
        content: file(number).into_bytes(),
    });
    let tree = ConnectorTree::from_files(Path::new("connectors"), files.collect(), &KnownNames::default());
    let check = || {
        let findings = tree
            .connectors
            .values()
            .map(|file| set.check_file(file, None, catalog()).len());
        findings.sum::<usize>()
    };
    let findings = check();
    let started = Instant::now();
    for _ in 0..RUNS {
        assert_eq!(check(), findings);
    }
    let evaluated = started.elapsed() / RUNS;
    println!(
        "policies: {} rules, {FILES} files, {findings} findings",
        set.descriptions().len()
    );
    println!("  compile and test, first  {:.1} ms", first.as_secs_f64() * 1e3);
    println!("  compile and test, again  {:.1} ms", again.as_secs_f64() * 1e3);
    println!("  evaluate all files       {:.1} ms", evaluated.as_secs_f64() * 1e3);
}

/// A sink of 25 keys; every tenth violates a rule.
fn file(number: usize) -> String {
    let mut text =
        String::from("config:\n  connector.class: S3_SINK\n  errors.deadletterqueue.topic.name: claims-dlq\n");
    let tasks = if number.is_multiple_of(10) { 9 } else { 2 };
    let _ = writeln!(
        text,
        "  tasks.max: \"{tasks}\"\n  aws.secret.access.key: ${{env:EBS_SECRET_X}}"
    );
    let keys = catalog()
        .plugin("S3_SINK")
        .expect("a plugin of the catalog")
        .keys
        .values();
    let others = keys.filter(|key| key.value_type == ValueType::String && !text.contains(&key.name));
    let others: Vec<&str> = others.map(|key| key.name.as_str()).take(21).collect();
    for key in others {
        let _ = writeln!(text, "  {key}: a value of usual length");
    }
    text
}
