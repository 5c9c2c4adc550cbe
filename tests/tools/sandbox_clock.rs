//! The clock of the sandbox, as commands see it.

use crate::common::{Cli, RunningCommand};

#[test]
fn a_reset_starts_the_clock_again() {
    let cli = Cli::onboarded("claims");
    let start = cli.sandbox().now().unwrap();
    cli.run("sandbox clock advance 90d").expect_success();
    let ahead = cli.sandbox().now().unwrap();
    assert!(ahead.duration_since(start).as_hours() >= 89 * 24, "{start} {ahead}");
    cli.run("sandbox reset --yes").expect_success();
    assert!(cli.sandbox().now().unwrap() <= start, "{start}");
}

#[test]
fn clients_of_a_served_sandbox_use_its_clock() {
    let cli = Cli::onboarded("claims");
    cli.run("sandbox clock advance 95d").expect_success();
    let mut server = RunningCommand::start(&cli, "sandbox start --port 0");
    server.wait_for_line(0, |line| line.contains("http://127.0.0.1"));
    let listed = cli.run("keys list claims --sandbox").expect_success();
    assert!(listed.stdout.contains("95 d"), "{listed}");
}
