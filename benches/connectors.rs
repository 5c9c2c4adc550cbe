//! Daily commands of departments: a list of 150 connectors on a served sandbox, compared with the Confluent CLI; a list
//! of 500; and the linter with 113 files from other projects.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "measure/mod.rs"]
mod measure;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use common::{Cli, PROFILES_DIR};
use confluent_ebs::{
    catalog::{LintOptions, lint},
    manifest::connector_file,
};

/// The Confluent CLI with the same list, measured on the machine of issue 4: CPU time and peak memory.
const CONFLUENT_CLI_CPU: Duration = Duration::from_millis(155);
const CONFLUENT_CLI_MEMORY_MIB: f64 = 65.0;

const RUNS: u32 = 50;

fn main() {
    bench_listing(150);
    bench_listing(500);
    bench_lint();
}

fn bench_listing(connectors: usize) {
    let cli = Cli::onboarded("claims");
    cli.create_claims_connectors(connectors);
    let _server = measure::ServedSandbox::start(&cli);
    let profile = format!("{PROFILES_DIR}/claims-operator.toml");
    let list = || measure::command(&cli, &["connector", "list", "--profile", &profile]);

    let before = cli.last_request_seq();
    let cpu = measure::mean_cpu_time(RUNS, list);
    let requests = cli.last_request_seq() - before;
    let mut times: Vec<Duration> = (0..RUNS).map(|_| measure::run_and_time(list())).collect();
    times.sort();
    // Sampling the memory takes CPU time, so it is measured in separate runs.
    let peak = (0..RUNS)
        .map(|_| measure::run_and_measure(list()).peak_kib)
        .max()
        .unwrap_or(0);
    let peak = measure::to_mebibytes(peak);
    println!("connector list, {connectors} connectors on a served sandbox, {RUNS} runs");
    println!("  requests   {} for each list", requests / u64::from(RUNS));
    match cpu {
        Some(cpu) => println!("  CPU        {:.1} ms", cpu.as_secs_f64() * 1e3),
        None => println!("  CPU        not reported by this system"),
    }
    println!("  median     {:.1} ms", times[times.len() / 2].as_secs_f64() * 1e3);
    println!("  peak RSS   {peak:.1} MiB");
    if let (150, Some(cpu)) = (connectors, cpu) {
        let share = cpu.as_secs_f64() / CONFLUENT_CLI_CPU.as_secs_f64();
        println!(
            "  of the Confluent CLI's CPU time ({} ms) {share:.3}, aim 0.1",
            CONFLUENT_CLI_CPU.as_millis()
        );
        println!(
            "  of the Confluent CLI's memory ({CONFLUENT_CLI_MEMORY_MIB} MiB)       {:.3}, aim 0.2",
            peak / CONFLUENT_CLI_MEMORY_MIB
        );
    }
}

fn bench_lint() {
    let Some(folder) = std::env::var_os("CONFLUENT_EBS_VENDOR_DATA").filter(|value| !value.is_empty()) else {
        println!("skipped: linting 113 managed connector files: set CONFLUENT_EBS_VENDOR_DATA");
        return;
    };
    let corpus = Path::new(&folder).join("corpus/managed");
    let entries = fs::read_dir(&corpus).expect("the managed connector files");
    let files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let lint_all = || {
        let counts = files
            .iter()
            .filter_map(|file| connector_file::read(file).ok())
            .map(|file| lint(&file, &LintOptions::default()).findings.len());
        counts.sum::<usize>()
    };
    // The first file loads the catalog.
    let started = Instant::now();
    let findings = lint_all();
    let first = started.elapsed();
    let started = Instant::now();
    for _ in 0..RUNS {
        assert_eq!(lint_all(), findings);
    }
    let again = started.elapsed() / RUNS;
    let cli = Cli::new();
    let path = corpus.display().to_string();
    let command = || measure::command(&cli, &["connector", "lint", &path]);
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| measure::run_and_time_with_code(command(), 5))
        .collect();
    times.sort();
    println!("linting {} files, {findings} findings, aim 100 ms", files.len());
    println!(
        "  first      {:.1} ms, with reading the catalog",
        first.as_secs_f64() * 1e3
    );
    println!("  again      {:.1} ms", again.as_secs_f64() * 1e3);
    println!(
        "  process    {:.1} ms, median of {RUNS}",
        times[times.len() / 2].as_secs_f64() * 1e3
    );
}
