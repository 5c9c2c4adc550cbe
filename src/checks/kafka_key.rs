//! The key of the Kafka cluster, which ACLs take: whether anybody needs one, whether it is of this cluster, and whether
//! the cluster takes it.

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
};

const NAME: &str = "Kafka key";

/// Who needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KafkaKeyNeed {
    /// A department is acted for: whoever gives ACLs is the provisioner.
    Department,
    /// The templates of these departments ask for ACLs; possibly of none.
    Departments(Vec<String>),
    /// There are no files to tell by.
    Unknown,
}

/// What there is of it.
#[derive(Debug)]
pub enum KafkaKeyState<'a> {
    /// Nobody names one.
    Missing,
    /// It cannot be used.
    Unusable(&'a CredentialsError),
    /// This one, and where it comes from; without an id where somebody stands in without a key.
    Present(Option<ApiKeyId>, String),
}

/// What was heard about it and with it.
#[derive(Clone, Debug)]
pub struct KafkaObservation {
    /// What the service knows of the key.
    pub key: Observation<ApiKey>,
    /// Why the address that the service tells for the cluster cannot be used.
    pub address_error: Option<String>,
    /// How many ACLs the cluster shows to it.
    pub acls: Observation<usize>,
}

impl KafkaObservation {
    /// Nothing, because nobody was asked.
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

/// Judges it; `cluster` is that of the stage, `account` the provisioner as far as it is known.
#[must_use]
pub fn check_key(
    need: &KafkaKeyNeed,
    held: &KafkaKeyState<'_>,
    cluster: Option<&ClusterId>,
    account: Option<&str>,
    observed: &KafkaObservation,
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
        let detail = format!("{shown}, opens {}, not {cluster}", key.spec.resource.id);
        return CheckResult::problem(NAME, detail, new_key_fix(Some(cluster), account));
    }
    if let Some(why) = &observed.address_error {
        return CheckResult::problem(
            NAME,
            format!("{shown}, was not sent: {why}"),
            "If the host is yours, name it with `--trust-endpoint`; if not, find out who answers in Confluent Cloud's place.",
        );
    }
    match &observed.acls {
        Ok(count) => CheckResult::ok(NAME, format!("{shown}; {of} shows it {}", acl_count(*count))),
        Err(unavailable) => match unavailable.status() {
            Some(401) => CheckResult::problem(
                NAME,
                format!("{shown}, is not accepted by {of}"),
                format!(
                    "A new key may take a few minutes; otherwise it was deleted or is of another cluster. {}",
                    new_key_fix(cluster, account)
                ),
            ),
            // Whoever may not look at ACLs was let in to be told so.
            Some(403) if *need == KafkaKeyNeed::Department => {
                CheckResult::ok(NAME, format!("{shown}; accepted by {of}"))
            }
            Some(403) => CheckResult::problem(
                NAME,
                format!("{shown}, may not look at ACLs of {of}"),
                "Use a key whose owner is CloudClusterAdmin of the cluster, as the provisioner is.",
            ),
            _ => CheckResult::unknown(NAME, format!("{shown}; {}", unavailable.reason()))
                .with_fix("Run `confluent ebs doctor` again when the service answers."),
        },
    }
}

fn check_missing_key(need: &KafkaKeyNeed, cluster: Option<&ClusterId>, account: Option<&str>) -> CheckResult {
    match need {
        KafkaKeyNeed::Department => CheckResult::ok(NAME, "none, and a department needs none"),
        KafkaKeyNeed::Unknown => {
            CheckResult::unknown(NAME, "none, and no platform files to tell whether a template needs one")
                .with_fix("Run it where `ebs.toml` is.")
        }
        KafkaKeyNeed::Departments(codes) if codes.is_empty() => {
            CheckResult::ok(NAME, "none, and no template asks for ACLs")
        }
        KafkaKeyNeed::Departments(codes) => CheckResult::problem(
            NAME,
            format!("none, and templates ask for ACLs: those of {}", codes.join(", ")),
            new_key_fix(cluster, account),
        ),
    }
}

fn new_key_fix(cluster: Option<&ClusterId>, account: Option<&str>) -> String {
    format!(
        "An administrator makes one: `confluent api-key create --resource {} --service-account {}`; set `{}` and `{}` to it.",
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
                message: format!("answered {status}"),
            }),
        }
    }

    fn run_check(need: &KafkaKeyNeed, held: &KafkaKeyState<'_>, observed: &KafkaObservation) -> CheckResult {
        let check = check_key(need, held, Some(&"lkc-1".parse().unwrap()), Some("sa-1"), observed);
        // What stands in the way, or is not known, comes with the next step.
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
        assert!(check.detail.ends_with("those of claims"), "{}", check.detail);
        let fix = check.fix.unwrap();
        assert!(
            fix.contains("`confluent api-key create --resource lkc-1 --service-account sa-1`"),
            "{fix}"
        );
        let half = CredentialsError::Incomplete { set: "A", missing: "B" };
        let check = run_check(&departments_need(), &KafkaKeyState::Unusable(&half), &nothing);
        assert_eq!(check.fix.as_deref(), Some("Set `B` as well."));
    }

    // Source: docs/reference/rbac.md#credentials-by-api. A key opens the one cluster that it was made for.
    #[test]
    fn the_key_must_belong_to_the_cluster_and_be_accepted_by_it() {
        let check = |observed: &KafkaObservation| run_check(&departments_need(), &present_key(), observed);
        let good = check(&observation("lkc-1", Ok(3)));
        assert_eq!(
            (good.state, good.detail.as_str()),
            (CheckState::Ok, "KAFKAKAFKAKAFKA1, from a file; lkc-1 shows it 3 ACLs")
        );
        let other = check(&observation("lkc-2", Ok(3)));
        assert_eq!(other.state, CheckState::Problem);
        assert!(other.detail.ends_with("opens lkc-2, not lkc-1"), "{}", other.detail);
        for (status, expected) in [
            (401, CheckState::Problem),
            (403, CheckState::Problem),
            (404, CheckState::Unknown),
            (429, CheckState::Unknown),
            (500, CheckState::Unknown),
        ] {
            assert_eq!(check(&observation("lkc-1", Err(status))).state, expected, "{status}");
        }
        // A department's own key need not show ACLs.
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
        // What the service does not tell of the key is no reason to doubt what the cluster says.
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
        let mut away = KafkaObservation::skipped("nobody asked");
        away.address_error = Some("`pkc.example.com` is not of confluent.cloud".into());
        let check = run_check(&departments_need(), &present_key(), &away);
        assert_eq!(check.state, CheckState::Problem);
        assert!(check.detail.contains("was not sent"), "{}", check.detail);
        assert!(check.fix.unwrap().contains("--trust-endpoint"));
    }
}
