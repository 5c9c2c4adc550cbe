//! Checks of the Kafka API key that manages ACLs: whether one is needed, whether it belongs to this cluster, and
//! whether the cluster accepts it.

use super::{
    CheckResult,
    observation::{Observation, Unavailable},
};
use crate::{
    api::keys::ApiKey,
    config::CredentialsError,
    env,
    hint::Advice,
    model::{ApiKeyId, ClusterId},
    session::Options,
};

const NAME: &str = "Kafka key";

/// Need for a Kafka API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KafkaKeyNeed {
    /// Not needed: the command acts for a department, and only the provisioner manages ACLs.
    Department,
    /// Needed for the ACL templates of these departments; not needed if the list is empty.
    Departments(Vec<String>),
    /// Unknown: the platform's files are not available.
    Unknown,
}

/// State of the Kafka API key.
#[derive(Debug)]
pub enum KafkaKeyState<'a> {
    /// No key is configured.
    Missing,
    /// The configured key is invalid.
    Unusable(&'a CredentialsError),
    /// Key id and source; without an id if the sandbox impersonates a principal.
    Present(Option<ApiKeyId>, String),
}

/// Observations about the key and of requests with it.
#[derive(Clone, Debug)]
pub struct KafkaObservation {
    /// The key as the service reports it.
    pub key: Observation<ApiKey>,
    /// Reason why the cluster's reported address is not allowed.
    pub address_error: Option<String>,
    /// Number of ACLs that the key can list.
    pub acls: Observation<usize>,
}

impl KafkaObservation {
    /// Returns an observation without any request, with the reason.
    #[must_use]
    pub fn skipped(why: &str) -> Self {
        let silence = Unavailable::Skipped(why.to_owned());
        Self {
            key: Err(silence.clone()),
            address_error: None,
            acls: Err(silence),
        }
    }
}

/// Checks the key; `cluster` is the cluster of the stage, `account` the provisioner, if known. Suggested commands have
/// the flags of `options`.
#[must_use]
pub fn check_key(
    need: &KafkaKeyNeed,
    held: &KafkaKeyState<'_>,
    cluster: Option<&ClusterId>,
    account: Option<&str>,
    observed: &KafkaObservation,
    options: &Options,
) -> CheckResult {
    let (id, source) = match held {
        KafkaKeyState::Missing => return check_missing_key(need, cluster, account),
        KafkaKeyState::Unusable(error) => {
            let hint = error.hints().first().map(ToString::to_string);
            return CheckResult::problem(
                NAME,
                error.to_string(),
                hint.unwrap_or_else(|| new_key_fix(cluster, account)),
            );
        }
        KafkaKeyState::Present(id, source) => (id.as_ref(), source),
    };
    let shown = id.map_or_else(|| source.clone(), |id| format!("{id}, from {source}"));
    let of = cluster.map_or_else(|| "the cluster".to_owned(), ToString::to_string);
    if let (Ok(key), Some(cluster)) = (&observed.key, cluster)
        && !key.spec.resource.id.is_empty()
        && key.spec.resource.id != cluster.as_str()
    {
        let detail = format!("{shown}, belongs to {}, not to {cluster}", key.spec.resource.id);
        return CheckResult::problem(NAME, detail, new_key_fix(Some(cluster), account));
    }
    if let Some(why) = &observed.address_error {
        return CheckResult::problem(
            NAME,
            format!("{shown}, not sent: {why}"),
            "If you operate the host, allow it with `--trust-endpoint`. If not, find out which server responds instead of Confluent Cloud.",
        );
    }
    match &observed.acls {
        Ok(count) => CheckResult::ok(NAME, format!("{shown}; can list {} of {of}", acl_count(*count))),
        Err(unavailable) => match unavailable.status() {
            Some(401) => CheckResult::problem(
                NAME,
                format!("{shown}, rejected by {of}"),
                format!(
                    "A new key takes a few minutes to propagate; otherwise the key was deleted or belongs to another cluster. {}",
                    new_key_fix(cluster, account)
                ),
            ),
            // The cluster authenticates the key before it checks the permission to list ACLs.
            Some(403) if *need == KafkaKeyNeed::Department => {
                CheckResult::ok(NAME, format!("{shown}; accepted by {of}"))
            }
            Some(403) => CheckResult::problem(
                NAME,
                format!("{shown}, not allowed to list ACLs of {of}"),
                "Use a key whose owner has CloudClusterAdmin on the cluster, such as the provisioner's.",
            ),
            _ => {
                let doctor = options.suggest("doctor");
                CheckResult::unknown(NAME, format!("{shown}; {}", unavailable.reason()))
                    .with_fix(format!("Re-run `{doctor}` when the service responds."))
            }
        },
    }
}

fn check_missing_key(need: &KafkaKeyNeed, cluster: Option<&ClusterId>, account: Option<&str>) -> CheckResult {
    match need {
        KafkaKeyNeed::Department => CheckResult::ok(NAME, "none; a department does not need one"),
        KafkaKeyNeed::Unknown => CheckResult::unknown(
            NAME,
            "none; unknown whether a template needs one, because there are no platform files",
        )
        .with_fix("Run the command in the folder of `ebs.toml`."),
        KafkaKeyNeed::Departments(codes) if codes.is_empty() => CheckResult::ok(NAME, "none; no template has ACLs"),
        KafkaKeyNeed::Departments(codes) => CheckResult::problem(
            NAME,
            format!(
                "none, but the templates of these departments have ACLs: {}",
                codes.join(", ")
            ),
            new_key_fix(cluster, account),
        ),
    }
}

fn new_key_fix(cluster: Option<&ClusterId>, account: Option<&str>) -> String {
    format!(
        "Ask an administrator to run `confluent api-key create --resource {} --service-account {}`, then set `{}` and `{}`.",
        cluster.map_or("lkc-…", ClusterId::as_str),
        account.unwrap_or("sa-…"),
        env::CONFLUENT_EBS_KAFKA_API_KEY,
        env::CONFLUENT_EBS_KAFKA_API_SECRET
    )
}

fn acl_count(count: usize) -> String {
    match count {
        0 => "no ACLs".to_owned(),
        1 => "1 ACL".to_owned(),
        count => format!("{count} ACLs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::CheckState;

    fn observation(resource: &str, acls: Result<usize, u16>) -> KafkaObservation {
        let key = serde_json::json!({
            "id": "KAFKAKAFKAKAFKA1", "spec": { "owner": { "id": "sa-1" }, "resource": { "id": resource, "kind": "Cluster" } }
        });
        KafkaObservation {
            key: Ok(serde_json::from_value(key).unwrap()),
            address_error: None,
            acls: acls.map_err(|status| Unavailable::Failed {
                status: Some(status),
                message: format!("status {status}"),
            }),
        }
    }

    fn run_check(need: &KafkaKeyNeed, held: &KafkaKeyState<'_>, observed: &KafkaObservation) -> CheckResult {
        let check = check_key(
            need,
            held,
            Some(&"lkc-1".parse().unwrap()),
            Some("sa-1"),
            observed,
            &Options::default(),
        );
        // Every result other than ok has a suggestion.
        assert_eq!(check.state == CheckState::Ok, check.fix.is_none(), "{check:?}");
        check
    }

    fn departments_need() -> KafkaKeyNeed {
        KafkaKeyNeed::Departments(vec!["claims".into()])
    }

    fn present_key() -> KafkaKeyState<'static> {
        KafkaKeyState::Present(Some("KAFKAKAFKAKAFKA1".parse().unwrap()), "a file".into())
    }

    #[test]
    fn a_missing_key_is_a_problem_only_if_a_template_has_acls() {
        let nothing = KafkaObservation::skipped("there is none");
        let state = |need: &KafkaKeyNeed| run_check(need, &KafkaKeyState::Missing, &nothing).state;
        assert_eq!(state(&KafkaKeyNeed::Department), CheckState::Ok);
        assert_eq!(state(&KafkaKeyNeed::Departments(Vec::new())), CheckState::Ok);
        assert_eq!(state(&KafkaKeyNeed::Unknown), CheckState::Unknown);
        let check = run_check(&departments_need(), &KafkaKeyState::Missing, &nothing);
        assert_eq!(check.state, CheckState::Problem);
        assert!(check.detail.ends_with("have ACLs: claims"), "{}", check.detail);
        let fix = check.fix.unwrap();
        assert!(
            fix.contains("`confluent api-key create --resource lkc-1 --service-account sa-1`"),
            "{fix}"
        );
        let half = CredentialsError::Incomplete { set: "A", missing: "B" };
        let check = run_check(&departments_need(), &KafkaKeyState::Unusable(&half), &nothing);
        assert_eq!(check.fix.as_deref(), Some("Set `B` as well."));
    }

    // Source: docs/reference/rbac.md#credentials-by-api. A Kafka API key belongs to one cluster.
    #[test]
    fn the_key_must_belong_to_the_cluster_and_be_accepted_by_it() {
        let check = |observed: &KafkaObservation| run_check(&departments_need(), &present_key(), observed);
        let good = check(&observation("lkc-1", Ok(3)));
        assert_eq!(
            (good.state, good.detail.as_str()),
            (
                CheckState::Ok,
                "KAFKAKAFKAKAFKA1, from a file; can list 3 ACLs of lkc-1"
            )
        );
        let other = check(&observation("lkc-2", Ok(3)));
        assert_eq!(other.state, CheckState::Problem);
        assert!(
            other.detail.ends_with("belongs to lkc-2, not to lkc-1"),
            "{}",
            other.detail
        );
        for (status, expected) in [
            (401, CheckState::Problem),
            (403, CheckState::Problem),
            (404, CheckState::Unknown),
            (429, CheckState::Unknown),
            (500, CheckState::Unknown),
        ] {
            assert_eq!(check(&observation("lkc-1", Err(status))).state, expected, "{status}");
        }
        // A department's own key does not need permission to list ACLs.
        let own = |status| {
            run_check(
                &KafkaKeyNeed::Department,
                &present_key(),
                &observation("lkc-1", Err(status)),
            )
            .state
        };
        assert_eq!(own(403), CheckState::Ok);
        assert_eq!(own(401), CheckState::Problem);
        // A failed read of the key does not make the cluster's response uncertain.
        let mut silent = observation("lkc-1", Ok(0));
        silent.key = Err(Unavailable::Skipped("403".into()));
        assert_eq!(check(&silent).state, CheckState::Ok);
        assert_eq!(
            check(&KafkaObservation::skipped("--offline")).state,
            CheckState::Unknown
        );
    }

    #[test]
    fn an_untrusted_cluster_address_is_a_problem() {
        let mut away = KafkaObservation::skipped("not checked");
        away.address_error = Some("`pkc.example.com` is not a host of confluent.cloud".into());
        let check = run_check(&departments_need(), &present_key(), &away);
        assert_eq!(check.state, CheckState::Problem);
        assert!(check.detail.contains("not sent"), "{}", check.detail);
        assert!(check.fix.unwrap().contains("--trust-endpoint"));
    }
}
