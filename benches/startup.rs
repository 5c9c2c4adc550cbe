//! Cost of starting the program: `confluent-ebs --version`.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "measure/mod.rs"]
mod measure;

const RUNS: usize = 101;

fn main() {
    let cli = common::Cli::new();
    let command = || measure::command(&cli, &["--version"]);
    let mut times: Vec<_> = (0..RUNS).map(|_| measure::run_and_time(command())).collect();
    times.sort();
    // Sampling the memory takes CPU time, so it is measured in separate runs.
    let usages: Vec<_> = (0..RUNS).map(|_| measure::run_and_measure(command())).collect();
    let peak = usages.iter().map(|usage| usage.peak_kib).max().unwrap_or(0);
    println!("confluent-ebs --version, {RUNS} runs");
    println!("  median     {:.1} ms", times[RUNS / 2].as_secs_f64() * 1e3);
    println!("  fastest    {:.1} ms", times[0].as_secs_f64() * 1e3);
    let slowest = usages.iter().map(|usage| usage.time).max().unwrap_or_default();
    println!(
        "  slowest    {:.1} ms, with its memory sampled",
        slowest.as_secs_f64() * 1e3
    );
    println!("  peak RSS   {:.1} MiB", measure::to_mebibytes(peak));
}
