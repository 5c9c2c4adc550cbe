//! Child processes in a sealed home, with their CPU time and memory.

#![allow(
    clippy::allow_attributes,
    dead_code,
    reason = "each benchmark uses a part of this module"
)]

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use confluent_ebs::sandbox::Sandbox;

use crate::common::Cli;

/// Command for the binary in the home of `cli`, without streams.
pub(crate) fn command(cli: &Cli, args: &[&str]) -> Command {
    let mut command = cli.process(env!("CARGO_BIN_EXE_confluent-ebs"));
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// The sandbox of a home, served until this is dropped.
pub(crate) struct ServedSandbox(Child);

impl ServedSandbox {
    /// Starts the server and waits until it accepts requests.
    pub(crate) fn start(cli: &Cli) -> Self {
        Self::start_scaled(cli, 1)
    }

    /// Starts a server in which `scale` seconds pass per second, and waits until it accepts requests.
    pub(crate) fn start_scaled(cli: &Cli, scale: u32) -> Self {
        let scale = scale.to_string();
        let server = command(cli, &["sandbox", "start", "--port", "0", "--time-scale", &scale]).spawn();
        let server = Self(server.expect("the binary starts"));
        let started = Instant::now();
        while Sandbox::running_server_url(&cli.state_dir()).is_none() {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "the sandbox does not start"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }
}

impl Drop for ServedSandbox {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// KiB as MiB.
pub(crate) fn to_mebibytes(kibibytes: u64) -> f64 {
    f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX)) / 1024.0
}

/// Resources used by a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessUsage {
    pub(crate) time: Duration,
    /// Peak memory in KiB; 0 if the system does not report it.
    pub(crate) peak_kib: u64,
}

/// Runs the command to its end and samples its memory.
pub(crate) fn run_and_measure(mut command: Command) -> ProcessUsage {
    let started = Instant::now();
    let mut child = command.spawn().expect("the binary starts");
    let mut peak = 0;
    let status = loop {
        peak = peak_memory_kib(&child).max(peak);
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        std::thread::sleep(Duration::from_micros(500));
    };
    let time = started.elapsed();
    assert!(status.success(), "{command:?} ended with {status}");
    ProcessUsage { time, peak_kib: peak }
}

/// Runs the command to its end without sampling.
pub(crate) fn run_and_time(command: Command) -> Duration {
    run_and_time_with_code(command, 0)
}

/// Like [`run_and_time`], for a command that exits with `code`.
pub(crate) fn run_and_time_with_code(mut command: Command, code: i32) -> Duration {
    let started = Instant::now();
    let status = command.status().expect("the binary starts");
    assert_eq!(status.code(), Some(code), "{command:?} ended with {status}");
    started.elapsed()
}

/// Average CPU time of one run over `runs`; `None` if the system does not report it. The unit is a hundredth of a
/// second, so many runs are needed.
pub(crate) fn mean_cpu_time(runs: u32, command: impl Fn() -> Command) -> Option<Duration> {
    let before = children_cpu_time();
    for _ in 0..runs {
        run_and_time(command());
    }
    Some(children_cpu_time()?.saturating_sub(before?) / runs)
}

/// CPU time of all ended children: `cutime` and `cstime` of proc(5), in ticks, of which Linux reports 100 per second.
fn children_cpu_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may contain blanks; the third field follows its closing bracket.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks(16)? + ticks(17)?)))
}

/// High-water mark of a process's memory, in KiB.
fn peak_memory_kib(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}
