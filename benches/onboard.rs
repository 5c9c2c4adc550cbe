//! Onboarding on a served sandbox that delays every response by 50 ms, compared with the time of the round trips; and
//! onboarding of 200 departments on an in-process sandbox.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

#[path = "measure/mod.rs"]
mod measure;

use std::{
    fs,
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use confluent_ebs::{
    manifest::Workspace,
    model::StageAddress,
    sandbox::{ClusterKind, Sandbox, SandboxJournalEntry, Seed, SeedStage},
};

const RESPONSE_DELAY: Duration = Duration::from_millis(50);
const CONCURRENCY: u32 = 10;
/// Requests that depend on each other. Observation: a list, then the role bindings, which need the organization. Then
/// an account, its key (create it, check that no other run created one, mark it as live), and the probes: first the
/// allowed requests, then the refused ones.
const SEQUENTIAL_REQUESTS: u32 = 2 + 1 + 3 + 2;
const DEPARTMENTS: usize = 200;

fn main() {
    bench_served_sandbox();
    bench_many_departments();
}

/// State folder of the sandbox in `home`.
fn sandbox_state_dir(home: &Path) -> std::path::PathBuf {
    home.join("state/confluent-ebs/sandbox")
}

/// Stops the server when it is dropped.
struct OnboardBenchServer(Child);

impl Drop for OnboardBenchServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn bench_served_sandbox() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let home = home.path();
    let server = measure::command_in_home(home, &["sandbox", "start", "--port", "0"]).spawn();
    let _server = OnboardBenchServer(server.expect("the binary starts"));
    let begun = Instant::now();
    while Sandbox::running_server_url(&sandbox_state_dir(home)).is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the sandbox does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    let delay = format!("{}ms", RESPONSE_DELAY.as_millis());
    let slow = ["sandbox", "fault", "add", "slow", "--delay", &delay, "--forever"];
    measure::run_and_time(measure::command_in_home(home, &slow));
    let width = CONCURRENCY.to_string();
    let onboard = ["onboard", "--all", "--sandbox", "--yes", "--concurrency", &width];
    let took = measure::run_and_time(measure::command_in_home(home, &onboard));

    let journal = read_journal(home);
    let is_probe = |entry: &&SandboxJournalEntry| {
        entry.path.contains("/connectors/") || (entry.method == "POST" && entry.path.ends_with("/connectors"))
    };
    let requests = journal.len();
    let writes = journal.iter().filter(|entry| entry.is_write()).count();
    let probes = journal.iter().filter(is_probe).count();
    let first_write = journal.iter().position(SandboxJournalEntry::is_write).unwrap_or(0);
    let looks = journal[..first_write].len();
    let other = requests - writes - probes - looks;
    let rounds = u32::try_from(requests).unwrap_or(u32::MAX).div_ceil(CONCURRENCY);
    let bound = RESPONSE_DELAY * rounds + RESPONSE_DELAY * SEQUENTIAL_REQUESTS;
    let allowed = 1.3 * f64::from(u32::try_from(writes).unwrap_or(u32::MAX))
        + f64::from(u32::try_from(probes + looks).unwrap_or(u32::MAX));
    println!(
        "onboard --all on a served sandbox, every answer {} ms late, concurrency {CONCURRENCY}",
        RESPONSE_DELAY.as_millis()
    );
    println!("  requests   {requests}: {writes} writes, {probes} probes, {looks} to look first, {other} other");
    println!("  allowed    {allowed:.0} (1.3 x writes + probes + looks)");
    println!("  wall time  {:.2} s", took.as_secs_f64());
    println!(
        "  bound      {:.2} s ({rounds} rounds and a chain of {SEQUENTIAL_REQUESTS})",
        bound.as_secs_f64()
    );
    println!(
        "  ratio      {:.2} (at most 1.25)",
        took.as_secs_f64() / bound.as_secs_f64()
    );
}

/// Requests that the sandbox of the built-in platform in `home` has received.
fn read_journal(home: &Path) -> Vec<SandboxJournalEntry> {
    let workspace = Workspace::embedded().workspace;
    let organization = workspace.platform.organization.clone().expect("it is in ebs.toml");
    let stages = workspace.platform.stages.iter().map(|(name, stage)| SeedStage {
        name: name.clone(),
        address: StageAddress {
            organization: organization.clone(),
            environment: stage.environment.clone(),
            cluster: stage.cluster.clone(),
            schema_registry: stage.schema_registry.clone(),
        },
        cluster_kind: ClusterKind::Enterprise,
    });
    let seed = Seed {
        organization: organization.clone(),
        stages: stages.collect(),
        clusters: Vec::new(),
        ..Seed::default()
    };
    let sandbox = Sandbox::open(&sandbox_state_dir(home), seed, None).expect("the sandbox's folder");
    sandbox.journal().expect("the sandbox's journal")
}

fn bench_many_departments() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let home = home.path();
    fs::create_dir(home.join("departments")).expect("a folder");
    let platform = "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n\
                    [stages.prod]\nenvironment = \"env-prod01\"\ncluster = \"lkc-prod01\"\n\
                    schema_registry = \"lsrc-prod01\"\ntask_ceiling = 9000\n";
    fs::write(home.join("ebs.toml"), platform).expect("a file");
    for number in 0..DEPARTMENTS {
        let text = format!(
            "name = \"Department {number}\"\nprefix = \"dept{number:03}-\"\n[quota]\nplugins = [\"DatagenSource\"]\n"
        );
        fs::write(home.join(format!("departments/dept{number:03}.toml")), text).expect("a file");
    }
    let taken = measure::run_and_measure(measure::command_in_home(
        home,
        &["onboard", "--all", "--sandbox", "--yes"],
    ));
    let again = measure::run_and_measure(measure::command_in_home(
        home,
        &["onboard", "--all", "--sandbox", "--yes"],
    ));
    println!("{DEPARTMENTS} departments on the sandbox in the same process");
    for (what, taken) in [("first run ", taken), ("second run", again)] {
        let peak = f64::from(u32::try_from(taken.peak_kib).unwrap_or(u32::MAX)) / 1024.0;
        println!("  {what} {:.2} s, peak {peak:.0} MiB", taken.time.as_secs_f64());
    }
}
