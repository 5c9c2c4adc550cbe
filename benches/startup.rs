//! What it costs to be started: the stock CLI pays it on every call of a plugin, on top of its own.

#![expect(clippy::print_stdout, reason = "a benchmark prints figures for people")]

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

fn main() {
    let program = env!("CARGO_BIN_EXE_confluent-ebs");
    for arguments in [&["--version"][..], &["--help"], &["onboard", "--help"]] {
        let mut times: Vec<Duration> = (0..50).map(|_| once(program, arguments)).collect();
        times.sort();
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "confluent-ebs {}: median {:.2} ms, fastest {:.2} ms of {} runs",
            arguments.join(" "),
            milliseconds(times[times.len() / 2]),
            milliseconds(times[0]),
            times.len()
        );
    }
}

fn once(program: &str, arguments: &[&str]) -> Duration {
    let begun = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .expect("the program starts");
    assert!(status.success());
    begun.elapsed()
}
