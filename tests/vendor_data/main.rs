//! Checks against data of others that is not part of this repository.
//!
//! The variable `CONFLUENT_EBS_VENDOR_DATA` names the folder that holds it. When the variable is unset, each check is
//! skipped, printed and counted; when the folder lacks something, the check fails. The folder holds:
//!
//! - `openapi/*.yaml`: the OpenAPI documents of confluentinc/ccloud-sdk-go-v2 (Apache-2.0), named `<group>-<version>.yaml`
//! - `catalog/plugins.json`: facts about plugins from confluentinc/connect-migration-utility (Apache-2.0)
//! - `corpus/managed`, `corpus/self-managed`: configurations from vdesabou/kafka-docker-playground (MIT)

mod catalogue;
mod corpus;
mod openapi_table;

use std::{
    io::Write as _,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

const VARIABLE: &str = "CONFLUENT_EBS_VENDOR_DATA";

const OPENAPI_TABLE: &str = "the OpenAPI table against the OpenAPI documents";
const CATALOGUE: &str = "the catalogue of plugins against its source";
const MANAGED_CORPUS: &str = "the linter against 113 managed connector files";
const SELF_MANAGED_CORPUS: &str = "the linter against 300 self-managed connector files";
const MANAGED_SCHEMAS: &str = "the schemas against 113 managed connector files";
const SELF_MANAGED_SCHEMAS: &str = "the schemas against 300 self-managed connector files";

/// All checks, for the count of the skipped ones.
const CHECKS: [&str; 6] = [
    OPENAPI_TABLE,
    CATALOGUE,
    MANAGED_CORPUS,
    SELF_MANAGED_CORPUS,
    MANAGED_SCHEMAS,
    SELF_MANAGED_SCHEMAS,
];

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// The folder with the data for a check, or nothing when the variable is unset.
///
/// Writes to standard error directly: the test harness captures what `eprintln!` prints in a test that passes.
fn vendor_data(check: &'static str) -> Option<PathBuf> {
    assert!(CHECKS.contains(&check), "{check}: missing in the list of checks");
    if let Some(folder) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return Some(PathBuf::from(folder));
    }
    let skipped = SKIPPED.fetch_add(1, Ordering::SeqCst) + 1;
    let mut text = format!("skipped: {check}: set {VARIABLE}\n");
    if skipped == CHECKS.len() {
        let count = format!("skipped: {skipped} of {} checks with vendor data\n", CHECKS.len());
        text.push_str(&count);
    }
    // One call, so that lines of parallel tests do not mix.
    std::io::stderr().write_all(text.as_bytes()).unwrap();
    None
}
