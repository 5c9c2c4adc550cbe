//! A report of `doctor` by names of checks, and profiles.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::Value;

use crate::common::{Cli, CliOutput, JsonAccess as _, make_private};

/// Secret of every profile in these tests.
pub(crate) const CANARY: &str = "cfltcanary/of+the/profile";

/// A report of `doctor`, by names of checks.
#[derive(Debug)]
pub(crate) struct DoctorReport {
    pub(crate) code: Option<i32>,
    pub(crate) json: Value,
    checks: BTreeMap<String, Value>,
}

impl DoctorReport {
    pub(crate) fn parse(output: &CliOutput) -> Self {
        let json = output.json();
        let checks = json.items("/checks").iter();
        let by_name = checks.map(|check| (check.text("/name").to_owned(), check.clone()));
        let checks: BTreeMap<_, _> = by_name.collect();
        assert_eq!(checks.len(), json.items("/checks").len(), "every name occurs once");
        Self {
            code: output.code,
            checks,
            json,
        }
    }

    /// The report, if `doctor` exited with `code`.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{:#}", self.json);
        self
    }

    /// The report, if `doctor` exited with 0.
    #[track_caller]
    pub(crate) fn expect_success(self) -> Self {
        self.expect_code(0)
    }

    fn check_field(&self, name: &str, field: &str) -> &str {
        let check = self.checks.get(name).unwrap_or_else(|| panic!("no check `{name}`"));
        check[field].as_str().unwrap_or_default()
    }

    pub(crate) fn state(&self, name: &str) -> &str {
        self.check_field(name, "state")
    }

    pub(crate) fn detail(&self, name: &str) -> &str {
        self.check_field(name, "detail")
    }

    pub(crate) fn fix(&self, name: &str) -> &str {
        self.check_field(name, "fix")
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.checks.keys().map(String::as_str)
    }

    /// Names of all checks in `state`.
    pub(crate) fn names_in_state(&self, state: &str) -> Vec<&str> {
        self.names().filter(|name| self.state(name) == state).collect()
    }
}

/// Runs `doctor` in the home of `cli`, with additional arguments.
pub(crate) fn run_doctor(cli: &Cli, args: &str) -> DoctorReport {
    DoctorReport::parse(&cli.run(&format!("doctor -o json {args}")))
}

/// A profile of the operator of "claims" whose requests go to `endpoint`.
pub(crate) fn profile_text(endpoint: &str) -> String {
    format!(
        r#"department = "claims"
name = "Claims"
persona = "operator"
prefix = "claims-"
issued = 2026-11-22
stage = "prod"
endpoint = "{endpoint}"
organization = "11111111-2222-3333-4444-555555555555"
environment = "env-prod01"
cluster = "lkc-prod01"
schema_registry = "lsrc-prod01"

[quota]
connectors = 1
tasks = 1
tasks_per_connector = 1
plugins = ["*"]

[key]
id = "ABCDEFGHIJKLMNOP"
secret = "{CANARY}"
"#
    )
}

/// Writes a profile with mode 0600.
pub(crate) fn write_profile(cli: &Cli, endpoint: &str) -> PathBuf {
    let path = cli.write("claims-operator.toml", profile_text(endpoint));
    make_private(&path);
    path
}
