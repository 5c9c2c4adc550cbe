//! A home with an onboarded department, and its personas.

use crate::common::{CliFixture, CliOutput};

/// Default folder of profiles.
pub(crate) const PROFILES_DIR: &str = ".state/confluent-ebs/sandbox/handover";

/// An organization with the department "claims", template hybrid.
pub(crate) fn fixture_with_claims() -> CliFixture {
    let cli = CliFixture::new();
    let output = cli.run("onboard claims --sandbox --yes");
    assert_eq!(output.code, Some(0), "{output}");
    cli
}

pub(crate) fn run_as_deployer(cli: &CliFixture, args: &str) -> CliOutput {
    cli.run(&format!("{args} --profile {PROFILES_DIR}/claims-deployer.toml"))
}

/// Standard error without line breaks.
pub(crate) fn normalized_stderr(output: &CliOutput) -> String {
    output.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn parse_json(output: &CliOutput) -> serde_json::Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"))
}

pub(crate) fn run_as_operator(cli: &CliFixture, args: &str) -> CliOutput {
    cli.run(&format!("{args} --profile {PROFILES_DIR}/claims-operator.toml"))
}
