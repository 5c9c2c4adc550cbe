//! The key of the Kafka cluster, which ACLs take: whether anybody needs one, whether it is of this cluster, and whether
//! the cluster takes it.

use super::{
    Check,
    heard::{Answer, Silence},
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
pub enum Need {
    /// A department is acted for: whoever gives ACLs is the provisioner.
    Department,
    /// The templates of these departments ask for ACLs; possibly of none.
    Departments(Vec<String>),
    /// There are no files to tell by.
    Unknown,
}

/// What there is of it.
#[derive(Debug)]
pub enum Held<'a> {
    /// Nobody names one.
    Nothing,
    /// It cannot be used.
    Broken(&'a CredentialsError),
    /// This one, and where it comes from; without an id where somebody stands in without a key.
    Key(Option<ApiKeyId>, String),
}

/// What was heard about it and with it.
#[derive(Clone, Debug)]
pub struct Heard {
    /// What the service knows of the key.
    pub key: Answer<ApiKey>,
    /// Why the address that the service tells for the cluster cannot be used.
    pub detour: Option<String>,
    /// How many ACLs the cluster shows to it.
    pub acls: Answer<usize>,
}

impl Heard {
    /// Nothing, because nobody was asked.
    #[must_use]
    pub fn nothing(why: &str) -> Self {
        let silence = Silence::NotAsked(why.to_owned());
        Self {
            key: Err(silence.clone()),
            detour: None,
            acls: Err(silence),
        }
    }
}

/// Judges it; `cluster` is that of the stage, `account` the provisioner as far as it is known.
#[must_use]
pub fn judge(need: &Need, held: &Held<'_>, cluster: Option<&ClusterId>, account: Option<&str>, heard: &Heard) -> Check {
    let (id, source) = match held {
        Held::Nothing => return missing(need, cluster, account),
        Held::Broken(error) => {
            let hint = error.hints().first().map(ToString::to_string);
            return Check::problem(
                NAME,
                error.to_string(),
                hint.unwrap_or_else(|| another(cluster, account)),
            );
        }
        Held::Key(id, source) => (id.as_ref(), source),
    };
    let shown = id.map_or_else(|| source.clone(), |id| format!("{id}, from {source}"));
    let of = cluster.map_or_else(|| "the cluster".to_owned(), ToString::to_string);
    if let (Ok(key), Some(cluster)) = (&heard.key, cluster)
        && !key.spec.resource.id.is_empty()
        && key.spec.resource.id != cluster.as_str()
    {
        let detail = format!("{shown}, opens {}, not {cluster}", key.spec.resource.id);
        return Check::problem(NAME, detail, another(Some(cluster), account));
    }
    if let Some(why) = &heard.detour {
        return Check::problem(
            NAME,
            format!("{shown}, was not sent: {why}"),
            "If the host is yours, name it with `--trust-endpoint`; if not, find out who answers in Confluent Cloud's place.",
        );
    }
    match &heard.acls {
        Ok(count) => Check::ok(NAME, format!("{shown}; {of} shows it {}", acls(*count))),
        Err(silence) => match silence.status() {
            Some(401) => Check::problem(
                NAME,
                format!("{shown}, is not accepted by {of}"),
                format!(
                    "A new key may take a few minutes; otherwise it was deleted or is of another cluster. {}",
                    another(cluster, account)
                ),
            ),
            // Whoever may not look at ACLs was let in to be told so.
            Some(403) if *need == Need::Department => Check::ok(NAME, format!("{shown}; accepted by {of}")),
            Some(403) => Check::problem(
                NAME,
                format!("{shown}, may not look at ACLs of {of}"),
                "Use a key whose owner is CloudClusterAdmin of the cluster, as the provisioner is.",
            ),
            _ => Check::unknown(NAME, format!("{shown}; {}", silence.reason()))
                .then("Run `confluent ebs doctor` again when the service answers."),
        },
    }
}

fn missing(need: &Need, cluster: Option<&ClusterId>, account: Option<&str>) -> Check {
    match need {
        Need::Department => Check::ok(NAME, "none, and a department needs none"),
        Need::Unknown => Check::unknown(NAME, "none, and no platform files to tell whether a template needs one")
            .then("Run it where `ebs.toml` is."),
        Need::Departments(codes) if codes.is_empty() => Check::ok(NAME, "none, and no template asks for ACLs"),
        Need::Departments(codes) => Check::problem(
            NAME,
            format!("none, and templates ask for ACLs: those of {}", codes.join(", ")),
            another(cluster, account),
        ),
    }
}

fn another(cluster: Option<&ClusterId>, account: Option<&str>) -> String {
    format!(
        "An administrator makes one: `confluent api-key create --resource {} --service-account {}`; set `{}` and `{}` to it.",
        cluster.map_or("lkc-…", ClusterId::as_str),
        account.unwrap_or("sa-…"),
        env::CONFLUENT_EBS_KAFKA_API_KEY,
        env::CONFLUENT_EBS_KAFKA_API_SECRET
    )
}

fn acls(count: usize) -> String {
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

    fn heard(resource: &str, acls: Result<usize, u16>) -> Heard {
        let key = serde_json::json!({
            "id": "KAFKAKAFKAKAFKA1", "spec": { "owner": { "id": "sa-1" }, "resource": { "id": resource, "kind": "Cluster" } }
        });
        Heard {
            key: Ok(serde_json::from_value(key).unwrap()),
            detour: None,
            acls: acls.map_err(|status| Silence::Failed {
                status: Some(status),
                said: format!("answered {status}"),
            }),
        }
    }

    fn judged(need: &Need, held: &Held<'_>, heard: &Heard) -> Check {
        let check = judge(need, held, Some(&"lkc-1".parse().unwrap()), Some("sa-1"), heard);
        // What stands in the way, or is not known, comes with the next step.
        assert_eq!(check.state == CheckState::Ok, check.fix.is_none(), "{check:?}");
        check
    }

    fn asked() -> Need {
        Need::Departments(vec!["claims".into()])
    }

    fn key() -> Held<'static> {
        Held::Key(Some("KAFKAKAFKAKAFKA1".parse().unwrap()), "a file".into())
    }

    #[test]
    fn it_is_missed_where_a_template_asks_for_acls_alone() {
        let nothing = Heard::nothing("there is none");
        let state = |need: &Need| judged(need, &Held::Nothing, &nothing).state;
        assert_eq!(state(&Need::Department), CheckState::Ok);
        assert_eq!(state(&Need::Departments(Vec::new())), CheckState::Ok);
        assert_eq!(state(&Need::Unknown), CheckState::Unknown);
        let check = judged(&asked(), &Held::Nothing, &nothing);
        assert_eq!(check.state, CheckState::Problem);
        assert!(check.detail.ends_with("those of claims"), "{}", check.detail);
        let fix = check.fix.unwrap();
        assert!(
            fix.contains("`confluent api-key create --resource lkc-1 --service-account sa-1`"),
            "{fix}"
        );
        let half = CredentialsError::Half { set: "A", missing: "B" };
        let check = judged(&asked(), &Held::Broken(&half), &nothing);
        assert_eq!(check.fix.as_deref(), Some("Set `B` as well."));
    }

    // Dossier `rbac.md` §5.3: a key opens the one cluster that it was made for.
    #[test]
    fn the_cluster_must_be_its_own_and_take_it() {
        let check = |heard: &Heard| judged(&asked(), &key(), heard);
        let good = check(&heard("lkc-1", Ok(3)));
        assert_eq!(
            (good.state, good.detail.as_str()),
            (CheckState::Ok, "KAFKAKAFKAKAFKA1, from a file; lkc-1 shows it 3 ACLs")
        );
        let other = check(&heard("lkc-2", Ok(3)));
        assert_eq!(other.state, CheckState::Problem);
        assert!(other.detail.ends_with("opens lkc-2, not lkc-1"), "{}", other.detail);
        for (status, expected) in [
            (401, CheckState::Problem),
            (403, CheckState::Problem),
            (404, CheckState::Unknown),
            (429, CheckState::Unknown),
            (500, CheckState::Unknown),
        ] {
            assert_eq!(check(&heard("lkc-1", Err(status))).state, expected, "{status}");
        }
        // A department's own key need not show ACLs.
        let own = |status| judged(&Need::Department, &key(), &heard("lkc-1", Err(status))).state;
        assert_eq!(own(403), CheckState::Ok);
        assert_eq!(own(401), CheckState::Problem);
        // What the service does not tell of the key is no reason to doubt what the cluster says.
        let mut silent = heard("lkc-1", Ok(0));
        silent.key = Err(Silence::NotAsked("403".into()));
        assert_eq!(check(&silent).state, CheckState::Ok);
        assert_eq!(check(&Heard::nothing("--offline")).state, CheckState::Unknown);
    }

    #[test]
    fn an_address_that_leads_away_is_a_problem() {
        let mut away = Heard::nothing("nobody asked");
        away.detour = Some("`pkc.example.com` is not of confluent.cloud".into());
        let check = judged(&asked(), &key(), &away);
        assert_eq!(check.state, CheckState::Problem);
        assert!(check.detail.contains("was not sent"), "{}", check.detail);
        assert!(check.fix.unwrap().contains("--trust-endpoint"));
    }
}
