//! The clock of the sandbox, as commands see it.

use crate::common::{Cli, JsonAccess as _, RunningCommand};

fn show_clock(cli: &Cli) -> jiff::Timestamp {
    cli.run("sandbox clock show -o json")
        .json()
        .text("/now")
        .parse()
        .unwrap()
}

#[test]
fn a_reset_starts_the_clock_again() {
    let cli = Cli::onboarded("claims");
    let start = show_clock(&cli);
    cli.run("sandbox clock advance 90d").expect_success();
    let ahead = show_clock(&cli);
    assert!(ahead.duration_since(start).as_hours() >= 89 * 24, "{start} {ahead}");
    cli.run("sandbox reset --yes").expect_success();
    assert!(show_clock(&cli) <= start, "{start}");
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
