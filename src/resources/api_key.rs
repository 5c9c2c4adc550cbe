//! Operations on API keys, marked so that a crash leaves no unknown key with a lost secret.
//!
//! A key is created with `state=new run=<run id>` in its description. After its secret is saved, it is updated to
//! `state=live`. A `new` key of an earlier run, or one older than any active run can be, is orphaned and is deleted. A
//! create request is never retried blindly: a lost response means a lost secret.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{ResourceContext, ResourceError, poll::create_or_find, sleep_or_cancel};
use crate::{
    access::audit::RejectedKeyRecord,
    api::keys::{ApiKey, CLOUD, CreateApiKey, DeleteApiKey, GetApiKey, ListApiKeys, UpdateApiKey},
    client::ClientError,
    model::{
        ApiKeyId, DepartmentCode, KeyKind, ObservedKey, Principal, Secret, ServiceAccountId,
        ownership::{MissingOwnershipTag, tag_field},
    },
};

/// State of a key in its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Created; the secret may not be saved yet.
    New,
    /// The secret is saved or delivered.
    Live,
}

/// Content of the description of a managed key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTag {
    /// Stage name.
    pub stage: String,
    /// Department.
    pub department: DepartmentCode,
    /// Persona.
    pub persona: String,
    /// State.
    pub state: KeyState,
    /// Id of the run that created the key.
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

/// Recorded keys from the journal, the evidence files and the profile store.
#[derive(Clone, Debug, Default)]
pub struct KnownKeys {
    /// Keys in the journal, in evidence files or in finished profiles, and whether they are delivered.
    pub keys: BTreeMap<ApiKeyId, bool>,
    /// Keys in pending profiles.
    pub pending: BTreeSet<ApiKeyId>,
    /// Evidence and profiles that name a key they cannot record.
    pub rejected: Vec<RejectedKeyRecord>,
    /// Ids of recorded runs.
    pub runs: BTreeSet<String>,
    /// Accounts created by recorded runs.
    pub accounts: BTreeSet<ServiceAccountId>,
    /// Current time.
    pub now: Timestamp,
    /// Maximum duration of a run: an older `new` key belongs to no active run.
    pub max_run_time: Duration,
}

/// Status of an API key on a managed account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ApiKeyStatus {
    /// The key is recorded, and its profile is delivered.
    Delivered,
    /// The key is recorded and live, but its profile is pending: the next run tests the key and delivers the profile.
    Pending,
    /// The key is managed, but an interrupted run lost its secret.
    Orphaned,
    /// Neither evidence nor the journal names the key.
    Unrecorded,
}

impl KnownKeys {
    /// Returns whether an object created at `made` may belong to an active run.
    #[must_use]
    pub fn is_recent(&self, made: Timestamp) -> bool {
        let budget = SignedDuration::try_from(self.max_run_time).unwrap_or(SignedDuration::MAX);
        self.now.duration_since(made) <= budget
    }

    /// Returns the status of `key`.
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

/// Creates a key for `owner` and returns its id and secret.
///
/// # Errors
/// When the request fails. After a lost response, the key that may have been created is deleted before a retry.
pub async fn create(
    context: &ResourceContext,
    owner: &ServiceAccountId,
    kind: KeyKind,
    tag: &KeyTag,
) -> Result<(ApiKeyId, Secret), ResourceError> {
    let environment = (kind != KeyKind::Cloud).then(|| context.address.environment.to_string());
    let resource = match kind {
        KeyKind::Cloud => CLOUD.to_owned(),
        KeyKind::Kafka => context.address.cluster.to_string(),
        KeyKind::SchemaRegistry => match &context.address.schema_registry {
            Some(registry) => registry.to_string(),
            None => {
                return Err(ResourceError::Conflict(
                    "the environment has no Schema Registry to create a key for".into(),
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
    let create = || async {
        let answered = context
            .retry_until_visible(owner, || context.client.send(&request))
            .await?;
        context.record_request(answered.value.id.as_str(), answered.request_id.as_ref());
        Ok(answered.value)
    };
    // A key whose secret was lost with the response is useless.
    let delete_orphans = || async { delete_orphaned_keys(context, owner, &tag.run).await.map(|()| None) };
    let key = create_or_find(
        &context.clock,
        &context.interrupt,
        ClientError::is_outcome_unknown,
        create,
        delete_orphans,
    )
    .await?;
    match key.spec.secret {
        Some(secret) => {
            context.client.secrets().add_pair(key.id.as_str(), secret.expose());
            Ok((key.id, secret))
        }
        None => Err(ResourceError::Conflict(format!(
            "the service created API key `{}` without returning its secret: delete the key",
            key.id
        ))),
    }
}

/// Checks that no other key was created on `owner` while this run created `own_key`. Every run checks after it has
/// created its key, so concurrent runs detect each other. `existed_before` identifies older keys.
///
/// # Errors
/// When there is such a key; `own_key` is then deleted. When a request fails.
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

/// Deletes the keys of `owner` that this run created without receiving their secrets. Lists more than once, because a
/// list may be stale; after a cancellation, lists only once more.
async fn delete_orphaned_keys(
    context: &ResourceContext,
    owner: &ServiceAccountId,
    run: &str,
) -> Result<(), ClientError> {
    for wait in [1, 4, 10] {
        let uncancelled = sleep_or_cancel(&context.clock, &context.interrupt, Duration::from_secs(wait)).await;
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
        if found || !uncancelled {
            return Ok(());
        }
    }
    Ok(())
}

/// Marks a key as live after its secret was saved.
///
/// # Errors
/// When the request fails.
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
    // A new key may not have propagated yet.
    context
        .retry_until_visible(owner, || context.client.send(&request))
        .await?;
    Ok(())
}

/// Checks that a key exists and belongs to `owner`.
///
/// # Errors
/// When it does not exist, belongs to another owner, or the request fails.
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

/// Deletes a key if it belongs to `owner`. A missing key is not an error.
///
/// # Errors
/// When the request fails, or the key belongs to another owner.
pub async fn delete(context: &ResourceContext, id: &ApiKeyId, owner: &ServiceAccountId) -> Result<(), ResourceError> {
    let now = match context.client.send(&GetApiKey(id.clone())).await {
        Ok(now) => now.value,
        // The service returns 403 for a deleted key (docs/reference/rbac.md#error-bodies); this key could read it
        // during planning.
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

    // Keys without evidence are unrecorded; unfinished keys of known runs are orphaned.
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
