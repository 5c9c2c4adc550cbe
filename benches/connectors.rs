//! Daily commands of departments: a list of 150 connectors on a served sandbox, compared with the Confluent CLI; a list
//! of 500; and the linter with 113 files from other projects.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

#[path = "measure/mod.rs"]
mod measure;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

use axum::body::Body;
use confluent_ebs::{
    catalog::{LintOptions, lint},
    manifest::connector_file,
    sandbox::{Sandbox, Seed},
};
use http::Request;
use tower::ServiceExt as _;

/// The Confluent CLI with the same list, measured on the machine of issue 4: CPU time and peak memory.
const CONFLUENT_CLI_CPU: Duration = Duration::from_millis(155);
const CONFLUENT_CLI_MEMORY_MIB: f64 = 65.0;

const RUNS: u32 = 50;

fn main() {
    bench_listing(150);
    bench_listing(500);
    bench_lint();
}

/// Stops the server when it is dropped.
struct ConnectorsBenchServer(Child);

impl Drop for ConnectorsBenchServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// State folder of the sandbox in `home`.
fn sandbox_state_dir(home: &Path) -> PathBuf {
    home.join("state/confluent-ebs/sandbox")
}

fn bench_listing(connectors: usize) {
    let home = tempfile::tempdir().expect("a temporary folder");
    let home = home.path();
    measure::run_and_time(measure::command_in_home(
        home,
        &["onboard", "claims", "--sandbox", "--yes"],
    ));
    create_connectors(home, connectors);
    let _server = ConnectorsBenchServer(
        measure::command_in_home(home, &["sandbox", "start", "--port", "0"])
            .spawn()
            .expect("the binary starts"),
    );
    let begun = Instant::now();
    while Sandbox::running_server_url(&sandbox_state_dir(home)).is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the sandbox does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    let profile = sandbox_state_dir(home).join("handover/claims-operator.toml");
    let profile = profile.display().to_string();
    let list = || measure::command_in_home(home, &["connector", "list", "--profile", &profile]);

    let before = count_requests(home);
    let cpu = measure::mean_cpu_time(RUNS, list);
    let asked = count_requests(home) - before;
    let mut times: Vec<Duration> = (0..RUNS).map(|_| measure::run_and_time(list())).collect();
    times.sort();
    // Sampling the memory takes CPU time, so it is measured in separate runs.
    let peak = (0..RUNS)
        .map(|_| measure::run_and_measure(list()).peak_kib)
        .max()
        .unwrap_or(0);
    let peak = to_mebibytes(peak);
    println!("connector list, {connectors} connectors on a served sandbox, {RUNS} runs");
    println!("  requests   {} for each list", asked / u64::from(RUNS));
    match cpu {
        Some(cpu) => println!("  CPU        {:.1} ms", cpu.as_secs_f64() * 1e3),
        None => println!("  CPU        not told by this system"),
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

fn to_mebibytes(kibibytes: u64) -> f64 {
    f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX)) / 1024.0
}

/// Number of requests that the sandbox has received.
fn count_requests(home: &Path) -> u64 {
    let sandbox = Sandbox::open(&sandbox_state_dir(home), Seed::default(), None).expect("a sandbox");
    let journal = sandbox.journal().expect("a journal");
    journal.last().map_or(0, |entry| entry.seq)
}

/// Creates connectors of "claims", above the limits of a cluster.
fn create_connectors(home: &Path, number: usize) {
    let sandbox = Sandbox::open(&sandbox_state_dir(home), Seed::default(), None).expect("a sandbox");
    let mut settings = sandbox.settings().expect("settings");
    settings.quotas.insert("connect.max_tasks.per_cluster".into(), 100_000);
    sandbox.set_settings(settings).expect("settings");
    let accounts = sandbox.accounts().expect("accounts");
    let runs_as = accounts
        .iter()
        .find(|account| account.display_name.ends_with("claims-runtime"));
    let runs_as = &runs_as.expect("a runtime account").id;
    let admin = sandbox.info(false).expect("an administrator").admin;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for number in 1..=number {
            let name = format!("claims-source-{number:03}");
            let body = serde_json::json!({"name": name, "config": {
                "name": name, "connector.class": "DatagenSource", "kafka.topic": "claims-orders",
                "quickstart": "ORDERS", "output.data.format": "JSON", "kafka.auth.mode": "SERVICE_ACCOUNT",
                "kafka.service.account.id": runs_as, "tasks.max": "1",
            }});
            let mut request =
                Request::post("http://127.0.0.1/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors");
            for (name, value) in sandbox.impersonation_headers(&admin) {
                request = request.header(name, value);
            }
            let request = request.body(Body::from(body.to_string())).expect("a request");
            let Ok(answer) = sandbox.router().oneshot(request).await;
            assert_eq!(answer.status(), 201, "{name}");
        }
    });
}

fn bench_lint() {
    let Some(folder) = std::env::var_os("CONFLUENT_EBS_VENDOR_DATA").filter(|value| !value.is_empty()) else {
        println!("skipped: linting 113 managed connector files: set CONFLUENT_EBS_VENDOR_DATA");
        return;
    };
    let corpus = Path::new(&folder).join("corpus/managed");
    let entries = fs::read_dir(&corpus).expect("the managed connector files");
    let files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let judge = || {
        let judged = files
            .iter()
            .filter_map(|file| connector_file::read(file).ok())
            .map(|file| lint(&file, &LintOptions::default()).findings.len());
        judged.sum::<usize>()
    };
    // The first file loads the catalog.
    let begun = Instant::now();
    let findings = judge();
    let first = begun.elapsed();
    let begun = Instant::now();
    for _ in 0..RUNS {
        assert_eq!(judge(), findings);
    }
    let again = begun.elapsed() / RUNS;
    let home = tempfile::tempdir().expect("a temporary folder");
    let path = corpus.display().to_string();
    let command = || measure::command_in_home(home.path(), &["connector", "lint", &path]);
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| measure::run_and_time_with_code(command(), 5))
        .collect();
    times.sort();
    println!("linting {} files, {findings} findings, aim 100 ms", files.len());
    println!(
        "  first time {:.1} ms, the facts read with it",
        first.as_secs_f64() * 1e3
    );
    println!("  again      {:.1} ms", again.as_secs_f64() * 1e3);
    println!(
        "  process    {:.1} ms, median of {RUNS}",
        times[times.len() / 2].as_secs_f64() * 1e3
    );
}
