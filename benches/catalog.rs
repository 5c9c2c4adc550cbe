//! Reading and linting of connector files: one file for every plugin in the catalog, with all required keys.

use std::{hint::black_box, sync::Arc};

use confluent_ebs::{
    catalog::{LintOptions, catalog, lint},
    diag::SourceFile,
    manifest::connector_file,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn plugin_files() -> Vec<Arc<SourceFile>> {
    let file = |plugin: &confluent_ebs::catalog::PluginSchema| {
        let mut config = serde_json::Map::new();
        config.insert("name".into(), format!("claims-{}", plugin.class).into());
        for fact in plugin
            .keys
            .values()
            .filter(|fact| fact.required)
            .chain(plugin.keys.values().take(10))
        {
            let value = fact.allowed.first().copied().or(fact.default).unwrap_or("1");
            config.insert(fact.name.clone(), value.into());
        }
        config.insert("connector.class".into(), plugin.class.into());
        let text = serde_json::json!({ "config": config }).to_string();
        SourceFile::new(format!("claims-{}.json", plugin.class), text)
    };
    catalog().plugins().map(file).collect()
}

#[expect(clippy::print_stderr, reason = "the counts belong to the figures")]
fn bench_lint(criterion: &mut Criterion) {
    let files = plugin_files();
    let found =
        |file| connector_file::parse(file).map_or(0, |file| lint(&file, &LintOptions::default()).findings.len());
    let findings: usize = files.iter().map(found).sum();
    eprintln!("{} files, {findings} findings", files.len());
    let mut group = criterion.benchmark_group("connector files");
    group.throughput(Throughput::Elements(files.len() as u64));
    group.bench_function("parse and lint one of each plugin", |bencher| {
        bencher.iter(|| files.iter().map(|file| found(black_box(file))).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, bench_lint);
criterion_main!(benches);
