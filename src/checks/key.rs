//! Checks of the API key: accepted, kind, owner, and age.

use jiff::Timestamp;

use super::{
    CheckResult,
    cli_config::CliConfig,
    observation::{ServiceObservation, Unavailable},
};
use crate::{
    api::keys::CLOUD,
    model::{ApiKeyId, PlatformTeam, Principal, ServiceAccountId},
    session::Options,
};

/// Age at which a key should be rotated. Keys never expire (docs/reference/rbac.md#api-key-types), so this check is the
/// reminder (threat T11). 90 days is the usual limit in audits of cloud accounts; Confluent names none.
const ROTATE_AFTER_DAYS: i64 = 90;
/// Age at which a key is a problem.
const TOO_OLD_AFTER_DAYS: i64 = 365;

/// Expected identity of the caller.
#[derive(Clone, Debug, Default)]
pub struct ExpectedIdentity {
    /// Account name in the profile.
    pub account: Option<String>,
    /// Department in the profile.
    pub department: Option<String>,
    /// Platform team, for suggestions.
    pub platform_team: PlatformTeam,
    /// Provisioner in `ebs.toml`.
    pub provisioner: Option<ServiceAccountId>,
    /// Options of commands that the platform team should run.
    pub platform_options: Options,
}

impl ExpectedIdentity {
    /// Returns the suggestion for replacing an unusable key.
    fn new_key_fix(&self) -> String {
        let onboard = |department: &str| self.platform_options.suggest(&format!("onboard {department}"));
        match (&self.department, self.platform_options.sandbox) {
            (Some(department), true) => format!(
                "If the key was rotated, import the latest profile. If the sandbox was reset, run `{}` for a new one.",
                onboard(department)
            ),
            (Some(department), false) => format!(
                "If the key was rotated, import the latest profile. Otherwise ask {} to run `{}`, which creates a new \
                 one. Only the Cloud key of a profile works here.",
                self.platform_team,
                onboard(department)
            ),
            (None, true) => "List the sandbox's keys with `confluent ebs sandbox info`.".to_owned(),
            (None, false) => "Create one with `confluent api-key create --resource cloud --service-account sa-…`, as \
                              described in docs/provisioner.md."
                .to_owned(),
        }
    }

    /// Returns the suggestion for rotating a working key.
    fn rotation_fix(&self) -> String {
        let rotate = |department: &str| self.platform_options.suggest(&format!("keys rotate {department}"));
        match (&self.department, self.platform_options.sandbox) {
            (Some(department), true) => format!("Rotate it with `{}`.", rotate(department)),
            (Some(department), false) => format!("Ask {} to run `{}`.", self.platform_team, rotate(department)),
            (None, _) => self.new_key_fix(),
        }
    }
}

/// Checks whether the service accepts the key, and whether it is a Cloud key.
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
            "a Global key, which only some of the required services accept",
            expected.new_key_fix(),
        )
    };
    match (&observed.organization, &observed.key) {
        (Ok(_), Ok(key)) => match (key.spec.resource.id.as_str(), key.spec.resource.kind.as_deref()) {
            ("" | CLOUD, _) => CheckResult::ok(NAME, "a Cloud key"),
            // Source: docs/reference/rbac.md#credentials-by-api. org/v2 accepts Global keys, the other services only
            // Cloud keys.
            (_, Some("Global")) | ("global", _) => global(),
            (other, _) => CheckResult::problem(
                NAME,
                format!("a key of {other}, not a Cloud key"),
                expected.new_key_fix(),
            ),
        },
        (Ok(_), Err(refused)) if refused.status() == Some(401) => global(),
        (Ok(_), Err(_)) => CheckResult::ok(NAME, "accepted by the service"),
        (Err(refused), _) => match refused.status() {
            Some(401) => {
                let cluster = held.and_then(|key| cli_config.cluster_for_key(key.as_str()));
                let why = match cluster {
                    Some(cluster) => format!("a key of Kafka cluster {cluster}, not a Cloud key"),
                    None => {
                        "rejected: it was revoked, its secret is wrong, or it is a key of a cluster or Schema Registry, \
                             not a Cloud key"
                            .to_owned()
                    }
                };
                CheckResult::problem(NAME, why, expected.new_key_fix())
            }
            // A 403 means that the service authenticated the key.
            Some(403) => CheckResult::ok(NAME, "authenticated by the service"),
            Some(status @ 500..) => CheckResult::problem(
                NAME,
                format!(
                    "the service fails ({status}), so no command can work: {}",
                    refused.reason()
                ),
                "Try again in a few minutes, and see https://status.confluent.cloud.",
            ),
            _ => CheckResult::unknown(NAME, refused.reason()),
        },
    }
}

/// Checks the owner of the key.
#[must_use]
pub fn check_owner(observed: &ServiceObservation, expected: &ExpectedIdentity) -> CheckResult {
    const NAME: &str = "key owner";
    let Some(principal) = &observed.principal else {
        let silence = observed.key.as_ref().err();
        let check = CheckResult::unknown(NAME, silence.map_or("not reported by the service", Unavailable::reason));
        return match silence.is_some_and(|unavailable| unavailable.status() == Some(403)) {
            true => check.with_fix("As the platform team, set `provisioner = \"sa-…\"` in `ebs.toml`."),
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
            format!("{shown}, but the profile belongs to {wanted}"),
            expected.new_key_fix(),
        ),
        (Some(_), _, Principal::User(_)) => CheckResult::problem(
            NAME,
            format!(
                "{shown}, a user: the audit log attributes actions to that person, and the key ends with the user account"
            ),
            expected.new_key_fix(),
        ),
        (None, _, Principal::User(_)) => {
            CheckResult::ok(NAME, format!("{shown}, a user: suitable for `init`, not for `onboard`"))
        }
        (None, ..) => match &expected.provisioner {
            Some(wanted) if wanted.as_str() != principal.id() => CheckResult::problem(
                NAME,
                format!("{shown}, but the provisioner in `ebs.toml` is `{wanted}`"),
                "Use the key of that account, or correct `provisioner` in `ebs.toml`.",
            ),
            _ => CheckResult::ok(NAME, shown),
        },
        _ => CheckResult::ok(NAME, shown),
    }
}

/// Checks the age of the key.
#[must_use]
pub fn check_age(observed: &ServiceObservation, now: Timestamp, expected: &ExpectedIdentity) -> CheckResult {
    const NAME: &str = "key age";
    let made = match &observed.key {
        Ok(key) => key.metadata.created_at,
        Err(unavailable) => return CheckResult::unknown(NAME, unavailable.reason()),
    };
    let Some(made) = made else {
        return CheckResult::unknown(NAME, "not reported by the service");
    };
    let days = now.duration_since(made).as_hours() / 24;
    let shown = match days {
        ..1 => "created today".to_owned(),
        1 => "1 d old".to_owned(),
        days => format!("{days} d old"),
    };
    if days > TOO_OLD_AFTER_DAYS {
        let detail = format!("{shown}, more than the maximum of 365 d");
        return CheckResult::problem(NAME, detail, expected.rotation_fix());
    }
    match days > ROTATE_AFTER_DAYS {
        true => CheckResult::ok(NAME, format!("{shown}; rotation is due")).with_fix(expected.rotation_fix()),
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
            message: format!("status {status}"),
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
        let mut heard = ServiceObservation::skipped("not checked");
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

    // Source: docs/reference/rbac.md#credentials-by-api
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
        // Only org/v2 accepts it.
        let mut global = observation("sa-1", "cloud", "Cloud");
        global.key = Err(failed_with(401));
        assert!(run_check(&global).1.contains("Global key"));
        // A key that is not allowed to read itself is still accepted.
        global.key = Err(failed_with(403));
        assert_eq!(run_check(&global).0, CheckState::Ok);
    }

    #[test]
    fn a_rejected_key_is_explained_from_what_is_known() {
        let mut heard = ServiceObservation::skipped("not checked");
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
        assert!(check.detail.contains("not a Cloud key"), "{}", check.detail);
        let sandbox = ExpectedIdentity {
            department: Some("claims".into()),
            platform_options: Options {
                sandbox: true,
                stage: Some("test".into()),
                ..Options::default()
            },
            ..ExpectedIdentity::default()
        };
        let check = check_accepted(&heard, Some(&id), &stock(&[]), &sandbox);
        assert!(
            check
                .fix
                .unwrap()
                .contains("`confluent ebs onboard claims --stage test --sandbox`")
        );
        for (status, expected) in [
            (403, CheckState::Ok),
            (429, CheckState::Unknown),
            // Nothing works while the service fails.
            (500, CheckState::Problem),
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
            "ebs-prod-claims-viewer (sa-1), but the profile belongs to ebs-prod-claims-operator"
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
        assert_eq!(judged("2026-01-01T09:00:00Z"), (CheckState::Ok, "created today".into()));
        assert_eq!(judged("2026-04-01T00:00:00Z"), (CheckState::Ok, "90 d old".into()));
        let (state, detail) = judged("2027-01-01T00:00:00Z");
        assert_eq!((state, detail.as_str()), (CheckState::Ok, "365 d old; rotation is due"));
        assert_eq!(judged("2027-01-02T00:00:00Z").0, CheckState::Problem);
        // The clock check covers a wrong clock.
        assert_eq!(judged("2020-01-01T00:00:00Z").0, CheckState::Ok);
    }
}
