//! Whether the service accepts the key, of which kind it is, whose, and how old.

use jiff::Timestamp;

use super::{
    CheckResult,
    cli_config::CliConfig,
    observation::{ServiceObservation, Unavailable},
};
use crate::{
    api::keys::CLOUD,
    model::{ApiKeyId, Principal, ServiceAccountId},
};

/// A key that is older should be replaced: keys never expire by themselves (docs/reference/rbac.md#api-key-types), so
/// somebody has to think of it (threat T11). No source names a number; audits of cloud accounts ask for this one most
/// often.
const ROTATE_AFTER_DAYS: i64 = 90;
/// A key that is older was forgotten.
const TOO_OLD_AFTER_DAYS: i64 = 365;

/// Whose key it should be.
#[derive(Clone, Debug, Default)]
pub struct ExpectedIdentity {
    /// The account's name, as a profile has it.
    pub account: Option<String>,
    /// The department, as a profile has it.
    pub department: Option<String>,
    /// The provisioner, as `ebs.toml` names it.
    pub provisioner: Option<ServiceAccountId>,
    /// Whether all this is the sandbox's.
    pub sandbox: bool,
}

impl ExpectedIdentity {
    /// Where another key comes from.
    fn new_key_fix(&self) -> String {
        match (&self.department, self.sandbox) {
            (Some(department), true) => {
                format!(
                    "Import the profile that was handed over last, if it was rotated; if the sandbox was reset, `confluent ebs \
                     onboard {department} --sandbox` makes a new one."
                )
            }
            (Some(department), false) => format!(
                "Import the profile that was handed over last, if it was rotated; else ask EBS for a new one: `confluent ebs \
                 onboard {department}` makes what is missing. Only its Cloud key is of use here."
            ),
            (None, true) => "`confluent ebs sandbox info` shows which keys the sandbox has.".to_owned(),
            (None, false) => "Make one with `confluent api-key create --resource cloud --service-account sa-…`, as \
                              docs/provisioner.md shows."
                .to_owned(),
        }
    }

    /// How a key is replaced that still works.
    fn rotation_fix(&self) -> String {
        match (&self.department, self.sandbox) {
            (Some(department), true) => format!("`confluent ebs keys rotate {department} --sandbox` replaces it."),
            (Some(department), false) => format!("Ask EBS to run `confluent ebs keys rotate {department}`."),
            (None, _) => self.new_key_fix(),
        }
    }
}

/// Judges whether the key is accepted, and of which kind it is.
#[must_use]
pub fn check_accepted(
    observed: &ServiceObservation,
    held: Option<&ApiKeyId>,
    cli_config: &CliConfig,
    expected: &ExpectedIdentity,
) -> CheckResult {
    const NAME: &str = "key accepted";
    let global = || {
        CheckResult::problem(
            NAME,
            "it is a Global key, which opens only a few of the services that are needed",
            expected.new_key_fix(),
        )
    };
    match (&observed.organization, &observed.key) {
        (Ok(_), Ok(key)) => match (key.spec.resource.id.as_str(), key.spec.resource.kind.as_deref()) {
            ("" | CLOUD, _) => CheckResult::ok(NAME, "a Cloud key"),
            // Source: docs/reference/rbac.md#credentials-by-api. org/v2 takes Global keys, the other services list
            // Cloud keys alone.
            (_, Some("Global")) | ("global", _) => global(),
            (other, _) => CheckResult::problem(
                NAME,
                format!("it is a key for {other}, and no Cloud key"),
                expected.new_key_fix(),
            ),
        },
        (Ok(_), Err(refused)) if refused.status() == Some(401) => global(),
        (Ok(_), Err(_)) => CheckResult::ok(NAME, "the service accepts it"),
        (Err(refused), _) => match refused.status() {
            Some(401) => {
                let cluster = held.and_then(|key| cli_config.cluster_for_key(key.as_str()));
                let why = match cluster {
                    Some(cluster) => format!("it is a key of Kafka cluster {cluster}, which opens nothing here"),
                    None => {
                        "no: it was revoked, its secret is another, or it is a key of a cluster or Schema Registry \
                             and no Cloud key"
                            .to_owned()
                    }
                };
                CheckResult::problem(NAME, why, expected.new_key_fix())
            }
            // Who is forbidden something has been recognised.
            Some(403) => CheckResult::ok(NAME, "the service knows it"),
            _ => CheckResult::unknown(NAME, refused.reason()),
        },
    }
}

/// Judges whose key it is.
#[must_use]
pub fn check_owner(observed: &ServiceObservation, expected: &ExpectedIdentity) -> CheckResult {
    const NAME: &str = "key owner";
    let Some(principal) = &observed.principal else {
        let silence = observed.key.as_ref().err();
        let check = CheckResult::unknown(
            NAME,
            silence.map_or("the service does not tell it", Unavailable::reason),
        );
        return match silence.is_some_and(|unavailable| unavailable.status() == Some(403)) {
            true => check.with_fix("As EBS, name the account in ebs.toml: `provisioner = \"sa-…\"`."),
            false => check,
        };
    };
    let name = observed
        .account
        .as_ref()
        .ok()
        .map(|account| account.display_name.as_str());
    let shown = match name {
        Some(name) => format!("{name} ({})", principal.id()),
        None => principal.id().to_owned(),
    };
    match (&expected.account, name, principal) {
        (Some(wanted), Some(found), _) if wanted != found => CheckResult::problem(
            NAME,
            format!("{shown}, but the profile is of {wanted}"),
            expected.new_key_fix(),
        ),
        (Some(_), _, Principal::User(_)) => CheckResult::problem(
            NAME,
            format!("{shown}, a person: what it does goes on record as theirs, and ends when they leave"),
            expected.new_key_fix(),
        ),
        (None, _, Principal::User(_)) => {
            CheckResult::ok(NAME, format!("{shown}, a person: right for `init`, not for `onboard`"))
        }
        (None, ..) => match &expected.provisioner {
            Some(wanted) if wanted.as_str() != principal.id() => CheckResult::problem(
                NAME,
                format!("{shown}, but ebs.toml names {wanted} as the provisioner"),
                "Use the key of that account, or correct `provisioner` in ebs.toml.",
            ),
            _ => CheckResult::ok(NAME, shown),
        },
        _ => CheckResult::ok(NAME, shown),
    }
}

/// Judges how old it is.
#[must_use]
pub fn check_age(observed: &ServiceObservation, now: Timestamp, expected: &ExpectedIdentity) -> CheckResult {
    const NAME: &str = "key age";
    let made = match &observed.key {
        Ok(key) => key.metadata.created_at,
        Err(unavailable) => return CheckResult::unknown(NAME, unavailable.reason()),
    };
    let Some(made) = made else {
        return CheckResult::unknown(NAME, "the service does not tell it");
    };
    let days = now.duration_since(made).as_hours() / 24;
    let shown = match days {
        ..1 => "made today".to_owned(),
        1 => "1 day old".to_owned(),
        days => format!("{days} days old"),
    };
    if days > TOO_OLD_AFTER_DAYS {
        let detail = format!("{shown}; a year is the most it should be");
        return CheckResult::problem(NAME, detail, expected.rotation_fix());
    }
    match days > ROTATE_AFTER_DAYS {
        true => CheckResult::ok(NAME, format!("{shown}; it is time to replace it")).with_fix(expected.rotation_fix()),
        false => CheckResult::ok(NAME, shown),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::checks::{
        CheckState,
        cli_config::{CliConfigFacts, CliConfigState},
    };

    fn failed_with(status: u16) -> Unavailable {
        Unavailable::Failed {
            status: Some(status),
            message: format!("answered {status}"),
        }
    }

    fn api_key(owner: &str, resource: &str, kind: &str) -> crate::api::keys::ApiKey {
        serde_json::from_value(serde_json::json!({
            "id": "ABCDEFGHIJKLMNOP",
            "metadata": { "created_at": "2026-01-01T00:00:00Z" },
            "spec": { "owner": { "id": owner }, "resource": { "id": resource, "kind": kind } }
        }))
        .unwrap()
    }

    fn observation(owner: &str, resource: &str, kind: &str) -> ServiceObservation {
        let mut heard = ServiceObservation::skipped("not asked");
        heard.organization = Ok("11111111-2222-3333-4444-555555555555".parse().unwrap());
        heard.key = Ok(api_key(owner, resource, kind));
        heard.principal = Some(Principal::from_id(owner));
        heard
    }

    fn stock(keys: &[(&str, &str)]) -> CliConfig {
        let pairs = keys
            .iter()
            .map(|(key, cluster)| ((*key).to_owned(), (*cluster).to_owned()));
        CliConfig {
            path: "config.json".into(),
            state: CliConfigState::Read(CliConfigFacts {
                kafka_keys: pairs.collect::<BTreeMap<_, _>>(),
                ..CliConfigFacts::default()
            }),
        }
    }

    fn run_check(observed: &ServiceObservation) -> (CheckState, String) {
        let check = check_accepted(observed, None, &stock(&[]), &ExpectedIdentity::default());
        (check.state, check.detail)
    }

    // Source: docs/reference/rbac.md#credentials-by-api. Which API takes which credential.
    #[test]
    fn only_a_cloud_key_is_accepted() {
        assert_eq!(
            run_check(&observation("sa-1", "cloud", "Cloud")),
            (CheckState::Ok, "a Cloud key".into())
        );
        assert_eq!(run_check(&observation("sa-1", "", "")).0, CheckState::Ok);
        assert_eq!(
            run_check(&observation("sa-1", "global", "Global")).0,
            CheckState::Problem
        );
        let (state, detail) = run_check(&observation("sa-1", "lkc-1", "Cluster"));
        assert_eq!(state, CheckState::Problem);
        assert!(detail.contains("lkc-1"), "{detail}");
        // Accepted by org/v2 and by nothing else.
        let mut global = observation("sa-1", "cloud", "Cloud");
        global.key = Err(failed_with(401));
        assert!(run_check(&global).1.contains("Global key"));
        // A key that may not read itself is still one that was accepted.
        global.key = Err(failed_with(403));
        assert_eq!(run_check(&global).0, CheckState::Ok);
    }

    #[test]
    fn a_rejected_key_is_explained_from_what_is_known() {
        let mut heard = ServiceObservation::skipped("not asked");
        heard.organization = Err(failed_with(401));
        let id: ApiKeyId = "KAFKAKAFKAKAFKA1".parse().unwrap();
        let known = stock(&[("KAFKAKAFKAKAFKA1", "lkc-7")]);
        let check = check_accepted(&heard, Some(&id), &known, &ExpectedIdentity::default());
        assert_eq!(check.state, CheckState::Problem);
        assert!(
            check.detail.contains("a key of Kafka cluster lkc-7"),
            "{}",
            check.detail
        );
        let check = check_accepted(&heard, Some(&id), &stock(&[]), &ExpectedIdentity::default());
        assert!(check.detail.contains("no Cloud key"), "{}", check.detail);
        let sandbox = ExpectedIdentity {
            department: Some("claims".into()),
            sandbox: true,
            ..ExpectedIdentity::default()
        };
        let check = check_accepted(&heard, Some(&id), &stock(&[]), &sandbox);
        assert!(check.fix.unwrap().contains("`confluent ebs onboard claims --sandbox`"));
        for (status, expected) in [
            (403, CheckState::Ok),
            (429, CheckState::Unknown),
            (500, CheckState::Unknown),
        ] {
            heard.organization = Err(failed_with(status));
            assert_eq!(run_check(&heard).0, expected, "{status}");
        }
    }

    #[test]
    fn the_owner_must_match_the_profile_or_the_platform() {
        let mut seen = observation("sa-1", "cloud", "Cloud");
        seen.account = Ok(serde_json::from_str(r#"{"id":"sa-1","display_name":"ebs-prod-claims-viewer"}"#).unwrap());
        let of = |account: &str| ExpectedIdentity {
            account: Some(account.to_owned()),
            ..ExpectedIdentity::default()
        };
        assert_eq!(check_owner(&seen, &of("ebs-prod-claims-viewer")).state, CheckState::Ok);
        let check = check_owner(&seen, &of("ebs-prod-claims-operator"));
        assert_eq!(check.state, CheckState::Problem);
        assert_eq!(
            check.detail,
            "ebs-prod-claims-viewer (sa-1), but the profile is of ebs-prod-claims-operator"
        );
        let provisioner = |id: &str| ExpectedIdentity {
            provisioner: Some(id.parse().unwrap()),
            ..ExpectedIdentity::default()
        };
        assert_eq!(check_owner(&seen, &provisioner("sa-1")).state, CheckState::Ok);
        assert_eq!(check_owner(&seen, &provisioner("sa-2")).state, CheckState::Problem);
        let person = observation("u-1", "cloud", "Cloud");
        assert_eq!(check_owner(&person, &ExpectedIdentity::default()).state, CheckState::Ok);
        assert_eq!(
            check_owner(&person, &of("ebs-prod-claims-operator")).state,
            CheckState::Problem
        );
        assert_eq!(
            check_owner(&ServiceObservation::skipped("offline"), &ExpectedIdentity::default()).state,
            CheckState::Unknown
        );
    }

    #[test]
    fn a_key_older_than_a_year_is_a_problem() {
        let seen = observation("sa-1", "cloud", "Cloud");
        let judged = |now: &str| {
            let check = check_age(&seen, now.parse().unwrap(), &ExpectedIdentity::default());
            (check.state, check.detail)
        };
        assert_eq!(judged("2026-01-01T09:00:00Z"), (CheckState::Ok, "made today".into()));
        assert_eq!(judged("2026-04-01T00:00:00Z"), (CheckState::Ok, "90 days old".into()));
        let (state, detail) = judged("2027-01-01T00:00:00Z");
        assert_eq!(
            (state, detail.as_str()),
            (CheckState::Ok, "365 days old; it is time to replace it")
        );
        assert_eq!(judged("2027-01-02T00:00:00Z").0, CheckState::Problem);
        // A clock that goes wrong is another check's business.
        assert_eq!(judged("2020-01-01T00:00:00Z").0, CheckState::Ok);
    }
}
