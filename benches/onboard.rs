//! Onboarding on a served sandbox that delays every response by 50 ms, compared with the time of the round trips; and
//! onboarding of 200 departments on an in-process sandbox.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "measure/mod.rs"]
mod measure;

use std::time::Duration;

use common::{Cli, EBS_TOML};
use confluent_ebs::sandbox::SandboxJournalEntry;

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

fn bench_served_sandbox() {
    let cli = Cli::new();
    let _server = measure::ServedSandbox::start(&cli);
    let delay = format!("{}ms", RESPONSE_DELAY.as_millis());
    let slow = ["sandbox", "fault", "add", "slow", "--delay", &delay, "--forever"];
    measure::run_and_time(measure::command(&cli, &slow));
    let width = CONCURRENCY.to_string();
    let onboard = ["onboard", "--all", "--sandbox", "--yes", "--concurrency", &width];
    let took = measure::run_and_time(measure::command(&cli, &onboard));

    let journal = cli.sandbox().journal().expect("the journal of the sandbox");
    let is_probe = |entry: &&SandboxJournalEntry| {
        entry.path.contains("/connectors/") || (entry.method == "POST" && entry.path.ends_with("/connectors"))
    };
    let requests = journal.len();
    let writes = journal.iter().filter(|entry| entry.is_write()).count();
    let probes = journal.iter().filter(is_probe).count();
    let first_write = journal.iter().position(SandboxJournalEntry::is_write).unwrap_or(0);
    let reads = journal[..first_write].len();
    let other = requests - writes - probes - reads;
    let rounds = u32::try_from(requests).unwrap_or(u32::MAX).div_ceil(CONCURRENCY);
    let bound = RESPONSE_DELAY * rounds + RESPONSE_DELAY * SEQUENTIAL_REQUESTS;
    let allowed = 1.3 * f64::from(u32::try_from(writes).unwrap_or(u32::MAX))
        + f64::from(u32::try_from(probes + reads).unwrap_or(u32::MAX));
    println!(
        "onboard --all on a served sandbox, every answer {} ms late, concurrency {CONCURRENCY}",
        RESPONSE_DELAY.as_millis()
    );
    println!("  requests   {requests}: {writes} writes, {probes} probes, {reads} to observe, {other} other");
    println!("  allowed    {allowed:.0} (1.3 x writes + probes + reads to observe)");
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

fn bench_many_departments() {
    let departments = (0..DEPARTMENTS).map(|number| {
        let text = format!(
            "name = \"Department {number}\"\nprefix = \"dept{number:03}-\"\n[quota]\nplugins = [\"DatagenSource\"]\n"
        );
        (format!("dept{number:03}"), text)
    });
    let departments: Vec<(String, String)> = departments.collect();
    let cli = Cli::with_platform(departments.iter().map(|(code, text)| (code.as_str(), text)));
    cli.write("ebs.toml", format!("{EBS_TOML}task_ceiling = 9000\n"));
    let onboard = || measure::run_and_measure(measure::command(&cli, &["onboard", "--all", "--sandbox", "--yes"]));
    let (first, second) = (onboard(), onboard());
    println!("{DEPARTMENTS} departments on the sandbox in the same process");
    for (name, usage) in [("first run ", first), ("second run", second)] {
        let peak = measure::to_mebibytes(usage.peak_kib);
        println!("  {name} {:.2} s, peak {peak:.0} MiB", usage.time.as_secs_f64());
    }
}
