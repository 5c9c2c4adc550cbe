//! API keys: born with a mark, so that no crash leaves one whose secret nobody holds.
//!
//! A key is made with `state=new run=<nonce>` in its description, its secret is put on disk, and only then it becomes
//! `state=live`. A `new` key that an earlier run of ours left behind, or that is older than any run takes, has no holder
//! and is deleted. A create call is never repeated blindly: a lost answer has lost the secret for ever.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{ResourceContext, ResourceError};
use crate::{
    api::keys::{ApiKey, CLOUD, CreateApiKey, DeleteApiKey, GetApiKey, ListApiKeys, UpdateApiKey},
    client::ClientError,
    model::{
        ApiKeyId, DepartmentCode, KeyKind, ObservedKey, Principal, Secret, ServiceAccountId,
        ownership::{MissingOwnershipTag, tag_field},
    },
};

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Made, but its secret may not be on disk yet.
    New,
    /// Its secret is on disk or was handed over.
    Live,
}

/// What the description of a key of ours says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTag {
    /// The stage.
    pub stage: String,
    /// The department.
    pub department: DepartmentCode,
    /// The persona.
    pub persona: String,
    /// Where it is in its life.
    pub state: KeyState,
    /// The run that made it.
    pub run: String,
}

impl fmt::Display for KeyTag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            KeyState::New => "new",
            KeyState::Live => "live",
        };
        write!(
            out,
            "ebs:v1 stage={} dept={} role={} state={state} run={}",
            self.stage, self.department, self.persona, self.run
        )
    }
}

impl FromStr for KeyTag {
    type Err = MissingOwnershipTag;

    fn from_str(description: &str) -> Result<Self, MissingOwnershipTag> {
        let field = |key: &str| tag_field(description, key);
        Ok(Self {
            stage: field("stage").ok_or(MissingOwnershipTag)?.to_owned(),
            department: field("dept")
                .and_then(|code| code.parse().ok())
                .ok_or(MissingOwnershipTag)?,
            persona: field("role").ok_or(MissingOwnershipTag)?.to_owned(),
            state: match field("state") {
                Some("new") => KeyState::New,
                Some("live") => KeyState::Live,
                _ => return Err(MissingOwnershipTag),
            },
            run: field("run").ok_or(MissingOwnershipTag)?.to_owned(),
        })
    }
}

/// What we know of our own keys, from the journal, the evidence files and the folder of profiles.
#[derive(Clone, Debug, Default)]
pub struct KnownKeys {
    /// Keys that a journal, an evidence file or a finished profile names, and whether they were handed over.
    pub keys: BTreeMap<ApiKeyId, bool>,
    /// Keys whose secret lies on disk, not proved yet.
    pub pending: BTreeSet<ApiKeyId>,
    /// The nonces of our earlier runs.
    pub runs: BTreeSet<String>,
    /// The accounts that our earlier runs made.
    pub accounts: BTreeSet<ServiceAccountId>,
    /// What time it is.
    pub now: Timestamp,
    /// How old a `new` key must be for no run to be still working on it.
    pub max_run_time: Duration,
}

/// What a key that was seen on an account of ours is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyStatus {
    /// Ours, and somebody holds its secret.
    Delivered,
    /// Ours, live, its secret is on disk and still to be proved and handed over.
    Pending,
    /// Ours, and nobody holds its secret.
    Orphaned,
    /// Nothing vouches for it.
    Unrecorded,
}

impl KnownKeys {
    /// Whether what was made at `made` may belong to a run that is still at work.
    #[must_use]
    pub fn is_recent(&self, made: Timestamp) -> bool {
        let budget = SignedDuration::try_from(self.max_run_time).unwrap_or(SignedDuration::MAX);
        self.now.duration_since(made) <= budget
    }

    /// What `key` is to us.
    #[must_use]
    pub fn classify(&self, key: &ObservedKey) -> ApiKeyStatus {
        let tag = key.description.parse::<KeyTag>().ok();
        let live = tag.as_ref().is_some_and(|tag| tag.state == KeyState::Live);
        match self.keys.get(&key.id) {
            Some(true) => return ApiKeyStatus::Delivered,
            Some(false) if live && self.pending.contains(&key.id) => return ApiKeyStatus::Pending,
            Some(false) => return ApiKeyStatus::Orphaned,
            None => {}
        }
        let Some(tag) = tag else {
            return ApiKeyStatus::Unrecorded;
        };
        let own = self.runs.contains(&tag.run);
        let stale = key.created_at.is_some_and(|made| !self.is_recent(made));
        match tag.state {
            KeyState::New if own || stale => ApiKeyStatus::Orphaned,
            _ => ApiKeyStatus::Unrecorded,
        }
    }
}

/// Makes a key for `owner`; answers its id and its secret.
///
/// # Errors
/// When the service refuses. After lost answers the key that may have been made is deleted before another one is.
pub async fn create(
    context: &ResourceContext,
    owner: &ServiceAccountId,
    kind: KeyKind,
    tag: &KeyTag,
) -> Result<(ApiKeyId, Secret), ResourceError> {
    const ATTEMPTS: usize = 4;
    let environment = (kind != KeyKind::Cloud).then(|| context.address.environment.to_string());
    let resource = match kind {
        KeyKind::Cloud => CLOUD.to_owned(),
        KeyKind::Kafka => context.address.cluster.to_string(),
        KeyKind::SchemaRegistry => match &context.address.schema_registry {
            Some(registry) => registry.to_string(),
            None => {
                return Err(ResourceError::Conflict(
                    "the environment has no Schema Registry to make a key for".into(),
                ));
            }
        },
    };
    let request = CreateApiKey {
        owner: owner.to_string(),
        resource,
        environment,
        display_name: format!("{}-{}", tag.department, tag.persona),
        description: tag.to_string(),
    };
    let mut attempt = 1;
    loop {
        match context
            .retry_until_visible(owner, || context.client.send(&request))
            .await
        {
            Ok(answered) => {
                context.record_request(answered.value.id.as_str(), answered.request_id.as_ref());
                let key = answered.value;
                return match key.spec.secret {
                    Some(secret) => Ok((key.id, secret)),
                    None => Err(ResourceError::Conflict(format!(
                        "the service made API key `{}` but did not tell its secret: delete the key",
                        key.id
                    ))),
                };
            }
            Err(error) if error.is_outcome_unknown() && attempt < ATTEMPTS => {
                delete_orphaned_keys(context, owner, &tag.run).await?;
            }
            Err(error) => {
                if error.is_outcome_unknown() {
                    delete_orphaned_keys(context, owner, &tag.run).await?;
                }
                return Err(error.into());
            }
        }
        attempt += 1;
    }
}

/// Makes sure that nobody else made a key on `owner` while this run made `mine`: two runs that do not know of each other
/// see each other here, because each looks after it has made its own. `known` says which keys were there before.
///
/// # Errors
/// When there is such a key; then `mine` has been deleted. When the service refuses.
pub async fn ensure_no_concurrent_key(
    context: &ResourceContext,
    owner: &ServiceAccountId,
    own_key: &ApiKeyId,
    run: &str,
    existed_before: impl Fn(&ApiKeyId) -> bool,
) -> Result<(), ResourceError> {
    let list = ListApiKeys {
        owner: Some(owner.to_string()),
        resource: None,
    };
    let of_this_run = |key: &ApiKey| key.spec.description.parse::<KeyTag>().is_ok_and(|tag| tag.run == run);
    let keys = context
        .retry_until_visible(owner, || context.client.list(list.clone()))
        .await?;
    let rival = keys
        .into_iter()
        .find(|key| key.id != *own_key && !existed_before(&key.id) && !of_this_run(key));
    match rival {
        None => Ok(()),
        Some(key) => {
            ignore_not_found(context.client.send(&DeleteApiKey(own_key.clone())).await.map(drop))?;
            Err(ResourceError::ConcurrentKey {
                key: key.id,
                owner: owner.clone(),
            })
        }
    }
}

/// Deletes the keys of `owner` that this run made and whose secret it never learnt. Looks more than once, because a list
/// may lag behind a write.
async fn delete_orphaned_keys(
    context: &ResourceContext,
    owner: &ServiceAccountId,
    run: &str,
) -> Result<(), ClientError> {
    for wait in [1, 4, 10] {
        context.clock.sleep(Duration::from_secs(wait)).await;
        let list = ListApiKeys {
            owner: Some(owner.to_string()),
            resource: None,
        };
        let orphan = |key: &ApiKey| {
            let tag = key.spec.description.parse::<KeyTag>();
            tag.is_ok_and(|tag| tag.run == run && tag.state == KeyState::New)
        };
        let mut found = false;
        for key in context
            .retry_until_visible(owner, || context.client.list(list.clone()))
            .await?
            .into_iter()
            .filter(orphan)
        {
            found = true;
            ignore_not_found(context.client.send(&DeleteApiKey(key.id)).await.map(drop))?;
        }
        if found {
            return Ok(());
        }
    }
    Ok(())
}

/// Marks a key as live: its secret is on disk.
///
/// # Errors
/// When the service refuses.
pub async fn mark_live(
    context: &ResourceContext,
    owner: &ServiceAccountId,
    id: &ApiKeyId,
    tag: &KeyTag,
) -> Result<(), ResourceError> {
    let live = KeyTag {
        state: KeyState::Live,
        ..tag.clone()
    };
    let request = UpdateApiKey {
        id: id.clone(),
        description: live.to_string(),
    };
    // A key that was just made may not be known everywhere yet.
    context
        .retry_until_visible(owner, || context.client.send(&request))
        .await?;
    Ok(())
}

/// Makes sure that a key is still there.
///
/// # Errors
/// When it is not, or belongs to somebody else, or the service refuses to tell.
pub async fn ensure_exists(
    context: &ResourceContext,
    id: &ApiKeyId,
    owner: &ServiceAccountId,
) -> Result<(), ResourceError> {
    let stale = |found: String| ResourceError::Stale {
        what: format!("API key `{id}`"),
        expected: format!("a key of {owner}"),
        found,
    };
    match context.client.send(&GetApiKey(id.clone())).await {
        Ok(now) if Principal::from_id(&now.value.spec.owner.id) == Principal::ServiceAccount(owner.clone()) => Ok(()),
        Ok(now) => Err(stale(format!("a key of {}", now.value.spec.owner.id))),
        Err(error) if error.is_not_found() || error.is_forbidden() => Err(stale("no such key".to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// Deletes a key, if it still belongs to `owner`. Gone already is as good.
///
/// # Errors
/// When the service refuses, or when the key belongs to somebody else.
pub async fn delete(context: &ResourceContext, id: &ApiKeyId, owner: &ServiceAccountId) -> Result<(), ResourceError> {
    let now = match context.client.send(&GetApiKey(id.clone())).await {
        Ok(now) => now.value,
        // A deleted key answers 403 (docs/reference/rbac.md#error-bodies); the plan has just seen it with this key.
        Err(error) if error.is_not_found() || error.is_forbidden() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if Principal::from_id(&now.spec.owner.id) != Principal::ServiceAccount(owner.clone()) {
        return Err(ResourceError::Stale {
            what: format!("API key `{id}`"),
            expected: format!("a key of {owner}"),
            found: format!("a key of {}", now.spec.owner.id),
        });
    }
    let deleted = context.client.send(&DeleteApiKey(id.clone())).await;
    Ok(ignore_not_found(deleted.map(|answered| {
        context.record_request(id.as_str(), answered.request_id.as_ref());
    }))?)
}

fn ignore_not_found(result: Result<(), ClientError>) -> Result<(), ClientError> {
    match result {
        Err(error) if error.is_not_found() || error.is_forbidden() => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(description: &str, age_minutes: i64) -> ObservedKey {
        ObservedKey {
            id: "AAAABBBBCCCCDDDD".parse().unwrap(),
            owner: Principal::from_id("sa-1"),
            resource: CLOUD.into(),
            description: description.into(),
            created_at: Some(Timestamp::from_second(-60 * age_minutes).unwrap()),
        }
    }

    fn known_keys() -> KnownKeys {
        let budget = Duration::from_mins(6);
        KnownKeys {
            runs: ["mine".to_owned()].into(),
            now: Timestamp::UNIX_EPOCH,
            max_run_time: budget,
            ..KnownKeys::default()
        }
    }

    const NEW_KEY_OF_OTHER_RUN: &str = "ebs:v1 stage=prod dept=claims role=operator state=new run=theirs";
    const LIVE_KEY_OF_OTHER_RUN: &str = "ebs:v1 stage=prod dept=claims role=operator state=live run=theirs";
    const NEW_KEY_OF_KNOWN_RUN: &str = "ebs:v1 stage=prod dept=claims role=operator state=new run=mine";

    // A key without evidence is nobody's; one that was being made is an orphan.
    #[test]
    fn a_new_key_is_orphaned_when_its_run_is_known_or_it_is_old_and_unrecorded_otherwise() {
        assert_eq!(
            known_keys().classify(&key(NEW_KEY_OF_KNOWN_RUN, 0)),
            ApiKeyStatus::Orphaned
        );
        assert_eq!(
            known_keys().classify(&key(NEW_KEY_OF_OTHER_RUN, 7)),
            ApiKeyStatus::Orphaned
        );
        assert_eq!(
            known_keys().classify(&key(NEW_KEY_OF_OTHER_RUN, 5)),
            ApiKeyStatus::Unrecorded
        );
        assert_eq!(
            known_keys().classify(&key(LIVE_KEY_OF_OTHER_RUN, 700)),
            ApiKeyStatus::Unrecorded
        );
        assert_eq!(
            known_keys().classify(&key("made by hand", 700)),
            ApiKeyStatus::Unrecorded
        );
    }

    #[test]
    fn a_recorded_key_is_delivered_pending_or_orphaned() {
        let id: ApiKeyId = "AAAABBBBCCCCDDDD".parse().unwrap();
        let mut known_keys = known_keys();
        known_keys.keys.insert(id.clone(), true);
        assert_eq!(
            known_keys.classify(&key(LIVE_KEY_OF_OTHER_RUN, 0)),
            ApiKeyStatus::Delivered
        );
        known_keys.keys.insert(id.clone(), false);
        assert_eq!(
            known_keys.classify(&key(LIVE_KEY_OF_OTHER_RUN, 0)),
            ApiKeyStatus::Orphaned
        );
        known_keys.pending.insert(id);
        assert_eq!(
            known_keys.classify(&key(LIVE_KEY_OF_OTHER_RUN, 0)),
            ApiKeyStatus::Pending
        );
        assert_eq!(
            known_keys.classify(&key(NEW_KEY_OF_KNOWN_RUN, 0)),
            ApiKeyStatus::Orphaned
        );
    }

    #[test]
    fn a_tag_round_trips() {
        let tag: KeyTag = NEW_KEY_OF_KNOWN_RUN.parse().unwrap();
        assert_eq!(tag.to_string(), NEW_KEY_OF_KNOWN_RUN);
        assert!("claims operator".parse::<KeyTag>().is_err());
    }
}
