//! Cost of starting the program: `confluent-ebs --version`.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

#[path = "measure/mod.rs"]
mod measure;

const RUNS: usize = 101;

fn main() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let command = || measure::command_in_home(home.path(), &["--version"]);
    let mut times: Vec<_> = (0..RUNS).map(|_| measure::run_and_time(command())).collect();
    times.sort();
    // Sampling the memory takes CPU time, so it is measured in separate runs.
    let watched: Vec<_> = (0..RUNS).map(|_| measure::run_and_measure(command())).collect();
    let peak = watched.iter().map(|taken| taken.peak_kib).max().unwrap_or(0);
    println!("confluent-ebs --version, {RUNS} runs");
    println!("  median     {:.1} ms", times[RUNS / 2].as_secs_f64() * 1e3);
    println!("  fastest    {:.1} ms", times[0].as_secs_f64() * 1e3);
    let slowest = watched.iter().map(|taken| taken.time).max().unwrap_or_default();
    println!(
        "  slowest    {:.1} ms, while its memory was looked at",
        slowest.as_secs_f64() * 1e3
    );
    println!(
        "  peak RSS   {:.1} MiB",
        f64::from(u32::try_from(peak).unwrap_or(u32::MAX)) / 1024.0
    );
}
