//! Connectors from Git on a served sandbox: a plan of 1,000 connectors in 24 departments, and an apply that creates 200
//! connectors while every response is 50 ms late, compared with the time of the round trips.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "measure/mod.rs"]
mod measure;

use std::time::Duration;

use common::{Cli, ConnectorSpec, EBS_TOML};

const DEPARTMENTS: usize = 24;
const CONNECTORS_PER_DEPARTMENT: usize = 42;
/// Every connector with this number in its department has another value in its file.
const CHANGED: usize = 7;
const MAX_PLAN_CPU: Duration = Duration::from_secs(2);

const CREATIONS: usize = 200;
const RESPONSE_DELAY: Duration = Duration::from_millis(50);
/// Seconds that pass in the sandbox per second: the time until a connector is stable is that of the service, and is not
/// measured here.
const TIME_SCALE: u32 = 1000;
/// Number of connectors that an apply changes at the same time.
const CONCURRENCY: u32 = 4;
const MAX_APPLY_RATIO: f64 = 1.3;

fn main() {
    bench_plan();
    bench_apply();
}

/// A home with onboarded departments, whose quota is large enough.
fn onboarded(departments: usize) -> Cli {
    let files = (0..departments).map(|number| {
        let text = format!(
            "name = \"Department {number}\"\nprefix = \"dept{number:02}-\"\n[quota]\nconnectors = {CREATIONS}\ntasks = \
             {CREATIONS}\nplugins = [\"DatagenSource\"]\n"
        );
        (code(number), text)
    });
    let files: Vec<(String, String)> = files.collect();
    let cli = Cli::with_platform(files.iter().map(|(code, text)| (code.as_str(), text)));
    cli.write("ebs.toml", format!("{EBS_TOML}task_ceiling = 9000\n"));
    cli.run("sandbox reset --yes --timing instant").expect_success();
    cli.run("onboard --all --sandbox --yes").expect_success();
    cli
}

fn code(number: usize) -> String {
    format!("dept{number:02}")
}

fn write_file(cli: &Cli, department: &str, name: &str, tasks: usize) {
    let text = format!(
        "config:\n  connector.class: DatagenSource\n  kafka.topic: {department}-orders\n  quickstart: ORDERS\n  \
         output.data.format: JSON\n  tasks.max: \"{tasks}\"\n"
    );
    cli.write(format!("connectors/{department}/prod/{name}.yaml"), text);
}

fn bench_plan() {
    let cli = onboarded(DEPARTMENTS);
    let names: Vec<(String, String)> = (0..DEPARTMENTS)
        .flat_map(|number| {
            (0..CONNECTORS_PER_DEPARTMENT).map(move |place| (code(number), format!("{}-c{place:02}", code(number))))
        })
        .collect();
    cli.create_connectors(names.iter().map(|(department, name)| ConnectorSpec {
        stage: "prod",
        department,
        name,
        tasks: 1,
    }));
    for (place, (department, name)) in names.iter().enumerate() {
        let is_changed = place % CONNECTORS_PER_DEPARTMENT == CHANGED;
        write_file(&cli, department, name, if is_changed { 2 } else { 1 });
    }
    let _server = measure::ServedSandbox::start(&cli);
    let plan = || measure::command(&cli, &["gitops", "plan", "--stage", "prod", "--sandbox"]);
    let before = cli.last_request_seq();
    measure::run_and_time(plan());
    let requests = cli.requests_since(before);
    let lists = requests
        .iter()
        .filter(|entry| entry.method == "GET" && entry.path.ends_with("/connectors"));
    let lists = lists.count();
    let usage = measure::run_and_measure(plan());
    println!(
        "gitops plan, {} connectors in {DEPARTMENTS} departments on a served sandbox",
        names.len()
    );
    println!("  requests   {}: {lists} lists of connectors", requests.len());
    println!(
        "  wall time  {:.2} s, peak {:.0} MiB",
        usage.time.as_secs_f64(),
        measure::to_mebibytes(usage.peak_kib)
    );
    match measure::mean_cpu_time(5, plan) {
        Some(cpu) => {
            println!(
                "  CPU        {:.2} s (at most {} s)",
                cpu.as_secs_f64(),
                MAX_PLAN_CPU.as_secs()
            );
            assert!(cpu <= MAX_PLAN_CPU, "the plan takes too much CPU time");
        }
        None => println!("  CPU        not reported by this system"),
    }
    assert_eq!(lists, 1, "one list of the cluster is enough");
}

fn bench_apply() {
    let cli = onboarded(1);
    for place in 0..CREATIONS {
        write_file(&cli, "dept00", &format!("dept00-c{place:03}"), 1);
    }
    let _server = measure::ServedSandbox::start_scaled(&cli, TIME_SCALE);
    let delay = format!("{}ms", (RESPONSE_DELAY * TIME_SCALE).as_millis());
    let slow = ["sandbox", "fault", "add", "slow", "--delay", &delay, "--forever"];
    measure::run_and_time(measure::command(&cli, &slow));
    let before = cli.last_request_seq();
    let apply = [
        "gitops",
        "apply",
        "--stage",
        "prod",
        "--sandbox",
        "--max-risk",
        "normal",
    ];
    let took = measure::run_and_time(measure::command(&cli, &apply));
    let requests = cli.requests_since(before);
    let created = requests
        .iter()
        .filter(|entry| entry.is_write() && entry.path.ends_with("/connectors"));
    assert_eq!(created.count(), CREATIONS, "each connector is created once");
    let rounds = u32::try_from(requests.len()).unwrap_or(u32::MAX).div_ceil(CONCURRENCY);
    let bound = RESPONSE_DELAY * rounds;
    let ratio = took.as_secs_f64() / bound.as_secs_f64();
    println!(
        "gitops apply creates {CREATIONS} connectors, every answer {} ms late, {CONCURRENCY} at the same time",
        RESPONSE_DELAY.as_millis()
    );
    println!("  requests   {}", requests.len());
    println!("  wall time  {:.2} s", took.as_secs_f64());
    println!("  bound      {:.2} s ({rounds} rounds)", bound.as_secs_f64());
    println!("  ratio      {ratio:.2} (at most {MAX_APPLY_RATIO})");
    assert!(ratio <= MAX_APPLY_RATIO, "the apply waits for more than its requests");
}
