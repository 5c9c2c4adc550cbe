//! Whether the service accepts the key, of which kind it is, whose, and how old.

use jiff::Timestamp;

use super::{
    Check,
    heard::{Heard, Silence},
    stock_config::StockConfig,
};
use crate::{
    api::keys::CLOUD,
    model::{ApiKeyId, Principal, ServiceAccountId},
};

/// A key that is older should be replaced: keys never expire by themselves (dossier `rbac.md` §5.1), so somebody has to
/// think of it (threat T11). No source names a number; audits of cloud accounts ask for this one most often.
const RIPE_DAYS: i64 = 90;
/// A key that is older was forgotten.
const OLD_DAYS: i64 = 365;

/// Whose key it should be.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The account's name, as a profile has it.
    pub account: Option<String>,
    /// The department, as a profile has it.
    pub department: Option<String>,
    /// The provisioner, as `ebs.toml` names it.
    pub provisioner: Option<ServiceAccountId>,
    /// Whether all this is the sandbox's.
    pub sandbox: bool,
}

impl Expected {
    /// Where another key comes from.
    fn another(&self) -> String {
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
    fn rotation(&self) -> String {
        match (&self.department, self.sandbox) {
            (Some(department), true) => format!("`confluent ebs keys rotate {department} --sandbox` replaces it."),
            (Some(department), false) => format!("Ask EBS to run `confluent ebs keys rotate {department}`."),
            (None, _) => self.another(),
        }
    }
}

/// Judges whether the key is accepted, and of which kind it is.
#[must_use]
pub fn accepted(heard: &Heard, held: Option<&ApiKeyId>, stock: &StockConfig, expected: &Expected) -> Check {
    const NAME: &str = "key accepted";
    let global = || {
        Check::problem(
            NAME,
            "it is a Global key, which opens only a few of the services that are needed",
            expected.another(),
        )
    };
    match (&heard.organization, &heard.key) {
        (Ok(_), Ok(key)) => match (key.spec.resource.id.as_str(), key.spec.resource.kind.as_deref()) {
            ("" | CLOUD, _) => Check::ok(NAME, "a Cloud key"),
            // Dossier `rbac.md` §5.3: org/v2 takes Global keys, the other services list Cloud keys alone.
            (_, Some("Global")) | ("global", _) => global(),
            (other, _) => Check::problem(
                NAME,
                format!("it is a key for {other}, and no Cloud key"),
                expected.another(),
            ),
        },
        (Ok(_), Err(refused)) if refused.status() == Some(401) => global(),
        (Ok(_), Err(_)) => Check::ok(NAME, "the service accepts it"),
        (Err(refused), _) => match refused.status() {
            Some(401) => {
                let cluster = held.and_then(|key| stock.cluster_of(key.as_str()));
                let why = match cluster {
                    Some(cluster) => format!("it is a key of Kafka cluster {cluster}, which opens nothing here"),
                    None => {
                        "no: it was revoked, its secret is another, or it is a key of a cluster or Schema Registry \
                             and no Cloud key"
                            .to_owned()
                    }
                };
                Check::problem(NAME, why, expected.another())
            }
            // Who is forbidden something has been recognised.
            Some(403) => Check::ok(NAME, "the service knows it"),
            _ => Check::unknown(NAME, refused.reason()),
        },
    }
}

/// Judges whose key it is.
#[must_use]
pub fn owner(heard: &Heard, expected: &Expected) -> Check {
    const NAME: &str = "key owner";
    let Some(principal) = &heard.principal else {
        let silence = heard.key.as_ref().err();
        let check = Check::unknown(NAME, silence.map_or("the service does not tell it", Silence::reason));
        return match silence.is_some_and(|silence| silence.status() == Some(403)) {
            true => check.then("As EBS, name the account in ebs.toml: `provisioner = \"sa-…\"`."),
            false => check,
        };
    };
    let name = heard.account.as_ref().ok().map(|account| account.display_name.as_str());
    let shown = match name {
        Some(name) => format!("{name} ({})", principal.id()),
        None => principal.id().to_owned(),
    };
    match (&expected.account, name, principal) {
        (Some(wanted), Some(found), _) if wanted != found => Check::problem(
            NAME,
            format!("{shown}, but the profile is of {wanted}"),
            expected.another(),
        ),
        (Some(_), _, Principal::User(_)) => Check::problem(
            NAME,
            format!("{shown}, a person: what it does goes on record as theirs, and ends when they leave"),
            expected.another(),
        ),
        (None, _, Principal::User(_)) => {
            Check::ok(NAME, format!("{shown}, a person: right for `init`, not for `onboard`"))
        }
        (None, ..) => match &expected.provisioner {
            Some(wanted) if wanted.as_str() != principal.id() => Check::problem(
                NAME,
                format!("{shown}, but ebs.toml names {wanted} as the provisioner"),
                "Use the key of that account, or correct `provisioner` in ebs.toml.",
            ),
            _ => Check::ok(NAME, shown),
        },
        _ => Check::ok(NAME, shown),
    }
}

/// Judges how old it is.
#[must_use]
pub fn age(heard: &Heard, now: Timestamp, expected: &Expected) -> Check {
    const NAME: &str = "key age";
    let made = match &heard.key {
        Ok(key) => key.metadata.created_at,
        Err(silence) => return Check::unknown(NAME, silence.reason()),
    };
    let Some(made) = made else {
        return Check::unknown(NAME, "the service does not tell it");
    };
    let days = now.duration_since(made).as_hours() / 24;
    let shown = match days {
        ..1 => "made today".to_owned(),
        1 => "1 day old".to_owned(),
        days => format!("{days} days old"),
    };
    if days > OLD_DAYS {
        let detail = format!("{shown}; a year is the most it should be");
        return Check::problem(NAME, detail, expected.rotation());
    }
    match days > RIPE_DAYS {
        true => Check::ok(NAME, format!("{shown}; it is time to replace it")).then(expected.rotation()),
        false => Check::ok(NAME, shown),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::checks::{
        CheckState,
        stock_config::{StockFacts, StockState},
    };

    fn refused(status: u16) -> Silence {
        Silence::Failed {
            status: Some(status),
            said: format!("answered {status}"),
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

    fn heard(owner: &str, resource: &str, kind: &str) -> Heard {
        let mut heard = Heard::nothing("not asked");
        heard.organization = Ok("11111111-2222-3333-4444-555555555555".parse().unwrap());
        heard.key = Ok(api_key(owner, resource, kind));
        heard.principal = Some(Principal::from_id(owner));
        heard
    }

    fn stock(keys: &[(&str, &str)]) -> StockConfig {
        let pairs = keys
            .iter()
            .map(|(key, cluster)| ((*key).to_owned(), (*cluster).to_owned()));
        StockConfig {
            path: "config.json".into(),
            state: StockState::Read(StockFacts {
                kafka_keys: pairs.collect::<BTreeMap<_, _>>(),
                ..StockFacts::default()
            }),
        }
    }

    fn judged(heard: &Heard) -> (CheckState, String) {
        let check = accepted(heard, None, &stock(&[]), &Expected::default());
        (check.state, check.detail)
    }

    // Dossier `rbac.md` §5.3: which API takes which credential.
    #[test]
    fn only_a_cloud_key_will_do() {
        assert_eq!(
            judged(&heard("sa-1", "cloud", "Cloud")),
            (CheckState::Ok, "a Cloud key".into())
        );
        assert_eq!(judged(&heard("sa-1", "", "")).0, CheckState::Ok);
        assert_eq!(judged(&heard("sa-1", "global", "Global")).0, CheckState::Problem);
        let (state, detail) = judged(&heard("sa-1", "lkc-1", "Cluster"));
        assert_eq!(state, CheckState::Problem);
        assert!(detail.contains("lkc-1"), "{detail}");
        // Accepted by org/v2 and by nothing else.
        let mut global = heard("sa-1", "cloud", "Cloud");
        global.key = Err(refused(401));
        assert!(judged(&global).1.contains("Global key"));
        // A key that may not read itself is still one that was accepted.
        global.key = Err(refused(403));
        assert_eq!(judged(&global).0, CheckState::Ok);
    }

    #[test]
    fn a_refused_key_is_explained_as_far_as_it_is_known() {
        let mut heard = Heard::nothing("not asked");
        heard.organization = Err(refused(401));
        let id: ApiKeyId = "KAFKAKAFKAKAFKA1".parse().unwrap();
        let known = stock(&[("KAFKAKAFKAKAFKA1", "lkc-7")]);
        let check = accepted(&heard, Some(&id), &known, &Expected::default());
        assert_eq!(check.state, CheckState::Problem);
        assert!(
            check.detail.contains("a key of Kafka cluster lkc-7"),
            "{}",
            check.detail
        );
        let check = accepted(&heard, Some(&id), &stock(&[]), &Expected::default());
        assert!(check.detail.contains("no Cloud key"), "{}", check.detail);
        let sandbox = Expected {
            department: Some("claims".into()),
            sandbox: true,
            ..Expected::default()
        };
        let check = accepted(&heard, Some(&id), &stock(&[]), &sandbox);
        assert!(check.fix.unwrap().contains("`confluent ebs onboard claims --sandbox`"));
        for (status, expected) in [
            (403, CheckState::Ok),
            (429, CheckState::Unknown),
            (500, CheckState::Unknown),
        ] {
            heard.organization = Err(refused(status));
            assert_eq!(judged(&heard).0, expected, "{status}");
        }
    }

    #[test]
    fn the_owner_must_be_who_the_profile_or_the_platform_says() {
        let mut seen = heard("sa-1", "cloud", "Cloud");
        seen.account = Ok(serde_json::from_str(r#"{"id":"sa-1","display_name":"ebs-prod-claims-viewer"}"#).unwrap());
        let of = |account: &str| Expected {
            account: Some(account.to_owned()),
            ..Expected::default()
        };
        assert_eq!(owner(&seen, &of("ebs-prod-claims-viewer")).state, CheckState::Ok);
        let check = owner(&seen, &of("ebs-prod-claims-operator"));
        assert_eq!(check.state, CheckState::Problem);
        assert_eq!(
            check.detail,
            "ebs-prod-claims-viewer (sa-1), but the profile is of ebs-prod-claims-operator"
        );
        let provisioner = |id: &str| Expected {
            provisioner: Some(id.parse().unwrap()),
            ..Expected::default()
        };
        assert_eq!(owner(&seen, &provisioner("sa-1")).state, CheckState::Ok);
        assert_eq!(owner(&seen, &provisioner("sa-2")).state, CheckState::Problem);
        let person = heard("u-1", "cloud", "Cloud");
        assert_eq!(owner(&person, &Expected::default()).state, CheckState::Ok);
        assert_eq!(
            owner(&person, &of("ebs-prod-claims-operator")).state,
            CheckState::Problem
        );
        assert_eq!(
            owner(&Heard::nothing("offline"), &Expected::default()).state,
            CheckState::Unknown
        );
    }

    #[test]
    fn a_key_may_become_a_year_old() {
        let seen = heard("sa-1", "cloud", "Cloud");
        let judged = |now: &str| {
            let check = age(&seen, now.parse().unwrap(), &Expected::default());
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
