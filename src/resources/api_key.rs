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

use super::{ResourceError, World};
use crate::{
    api::keys::{ApiKey, CLOUD, CreateApiKey, DeleteApiKey, GetApiKey, ListApiKeys, UpdateApiKey},
    client::ClientError,
    model::{
        ApiKeyId, DepartmentCode, KeyKind, Principal, Secret, SeenKey, ServiceAccountId,
        ownership::{NoTag, tag_field},
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
    type Err = NoTag;

    fn from_str(description: &str) -> Result<Self, NoTag> {
        let field = |key: &str| tag_field(description, key);
        Ok(Self {
            stage: field("stage").ok_or(NoTag)?.to_owned(),
            department: field("dept").and_then(|code| code.parse().ok()).ok_or(NoTag)?,
            persona: field("role").ok_or(NoTag)?.to_owned(),
            state: match field("state") {
                Some("new") => KeyState::New,
                Some("live") => KeyState::Live,
                _ => return Err(NoTag),
            },
            run: field("run").ok_or(NoTag)?.to_owned(),
        })
    }
}

/// What we know of our own keys, from the journal, the evidence files and the folder of profiles.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Keys that a journal, an evidence file or a finished profile names, and whether they were handed over.
    pub keys: BTreeMap<ApiKeyId, bool>,
    /// Keys whose secret lies on disk, not proved yet.
    pub waiting: BTreeSet<ApiKeyId>,
    /// The nonces of our earlier runs.
    pub runs: BTreeSet<String>,
    /// The accounts that our earlier runs made.
    pub accounts: BTreeSet<ServiceAccountId>,
    /// What time it is.
    pub now: Timestamp,
    /// How old a `new` key must be for no run to be still working on it.
    pub budget: Duration,
}

/// What a key that was seen on an account of ours is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyClaim {
    /// Ours, and somebody holds its secret.
    Held,
    /// Ours, live, its secret is on disk and still to be proved and handed over.
    Waiting,
    /// Ours, and nobody holds its secret.
    Orphan,
    /// Nothing vouches for it.
    Unvouched,
}

impl Ledger {
    /// Whether what was made at `made` may belong to a run that is still at work.
    #[must_use]
    pub fn is_young(&self, made: Timestamp) -> bool {
        let budget = SignedDuration::try_from(self.budget).unwrap_or(SignedDuration::MAX);
        self.now.duration_since(made) <= budget
    }

    /// What `key` is to us.
    #[must_use]
    pub fn claim(&self, key: &SeenKey) -> KeyClaim {
        let tag = key.description.parse::<KeyTag>().ok();
        let live = tag.as_ref().is_some_and(|tag| tag.state == KeyState::Live);
        match self.keys.get(&key.id) {
            Some(true) => return KeyClaim::Held,
            Some(false) if live && self.waiting.contains(&key.id) => return KeyClaim::Waiting,
            Some(false) => return KeyClaim::Orphan,
            None => {}
        }
        let Some(tag) = tag else { return KeyClaim::Unvouched };
        let own = self.runs.contains(&tag.run);
        let stale = key.created_at.is_some_and(|made| !self.is_young(made));
        match tag.state {
            KeyState::New if own || stale => KeyClaim::Orphan,
            _ => KeyClaim::Unvouched,
        }
    }
}

/// Makes a key for `owner`; answers its id and its secret.
///
/// # Errors
/// When the service refuses. After lost answers the key that may have been made is deleted before another one is.
pub async fn create(
    world: &World,
    owner: &ServiceAccountId,
    kind: KeyKind,
    tag: &KeyTag,
) -> Result<(ApiKeyId, Secret), ResourceError> {
    const ATTEMPTS: usize = 4;
    let environment = (kind != KeyKind::Cloud).then(|| world.address.environment.to_string());
    let resource = match kind {
        KeyKind::Cloud => CLOUD.to_owned(),
        KeyKind::Kafka => world.address.cluster.to_string(),
        KeyKind::SchemaRegistry => match &world.address.schema_registry {
            Some(registry) => registry.to_string(),
            None => {
                return Err(ResourceError::Foreign(
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
        match world.patiently(owner, || world.client.send(&request)).await {
            Ok(answered) => {
                world.wrote(answered.value.id.as_str(), answered.request_id.as_ref());
                let key = answered.value;
                return match key.spec.secret {
                    Some(secret) => Ok((key.id, secret)),
                    None => Err(ResourceError::Foreign(format!(
                        "the service made API key `{}` but did not tell its secret: delete the key",
                        key.id
                    ))),
                };
            }
            Err(error) if error.is_answer_lost() && attempt < ATTEMPTS => {
                sweep(world, owner, &tag.run).await?;
            }
            Err(error) => {
                if error.is_answer_lost() {
                    sweep(world, owner, &tag.run).await?;
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
pub async fn alone(
    world: &World,
    owner: &ServiceAccountId,
    mine: &ApiKeyId,
    run: &str,
    known: impl Fn(&ApiKeyId) -> bool,
) -> Result<(), ResourceError> {
    let list = ListApiKeys {
        owner: Some(owner.to_string()),
        resource: None,
    };
    let of_this_run = |key: &ApiKey| key.spec.description.parse::<KeyTag>().is_ok_and(|tag| tag.run == run);
    let keys = world.patiently(owner, || world.client.list(list.clone())).await?;
    let rival = keys
        .into_iter()
        .find(|key| key.id != *mine && !known(&key.id) && !of_this_run(key));
    match rival {
        None => Ok(()),
        Some(key) => {
            gone(world.client.send(&DeleteApiKey(mine.clone())).await.map(drop))?;
            Err(ResourceError::Rival {
                key: key.id,
                owner: owner.clone(),
            })
        }
    }
}

/// Deletes the keys of `owner` that this run made and whose secret it never learnt. Looks more than once, because a list
/// may lag behind a write.
async fn sweep(world: &World, owner: &ServiceAccountId, run: &str) -> Result<(), ClientError> {
    for wait in [1, 4, 10] {
        world.clock.sleep(Duration::from_secs(wait)).await;
        let list = ListApiKeys {
            owner: Some(owner.to_string()),
            resource: None,
        };
        let orphan = |key: &ApiKey| {
            let tag = key.spec.description.parse::<KeyTag>();
            tag.is_ok_and(|tag| tag.run == run && tag.state == KeyState::New)
        };
        let mut found = false;
        for key in world
            .patiently(owner, || world.client.list(list.clone()))
            .await?
            .into_iter()
            .filter(orphan)
        {
            found = true;
            gone(world.client.send(&DeleteApiKey(key.id)).await.map(drop))?;
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
pub async fn publish(
    world: &World,
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
    world.patiently(owner, || world.client.send(&request)).await?;
    Ok(())
}

/// Makes sure that a key is still there.
///
/// # Errors
/// When it is not, or belongs to somebody else, or the service refuses to tell.
pub async fn present(world: &World, id: &ApiKeyId, owner: &ServiceAccountId) -> Result<(), ResourceError> {
    let stale = |found: String| ResourceError::Stale {
        what: format!("API key `{id}`"),
        expected: format!("a key of {owner}"),
        found,
    };
    match world.client.send(&GetApiKey(id.clone())).await {
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
pub async fn delete(world: &World, id: &ApiKeyId, owner: &ServiceAccountId) -> Result<(), ResourceError> {
    let now = match world.client.send(&GetApiKey(id.clone())).await {
        Ok(now) => now.value,
        // A deleted key answers 403 (dossier `rbac.md` §4.5); the plan has just seen it with this key.
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
    let deleted = world.client.send(&DeleteApiKey(id.clone())).await;
    Ok(gone(deleted.map(|answered| {
        world.wrote(id.as_str(), answered.request_id.as_ref());
    }))?)
}

fn gone(result: Result<(), ClientError>) -> Result<(), ClientError> {
    match result {
        Err(error) if error.is_not_found() || error.is_forbidden() => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(description: &str, age_minutes: i64) -> SeenKey {
        SeenKey {
            id: "AAAABBBBCCCCDDDD".parse().unwrap(),
            owner: Principal::from_id("sa-1"),
            resource: CLOUD.into(),
            description: description.into(),
            created_at: Some(Timestamp::from_second(-60 * age_minutes).unwrap()),
        }
    }

    fn ledger() -> Ledger {
        let budget = Duration::from_mins(6);
        Ledger {
            runs: ["mine".to_owned()].into(),
            now: Timestamp::UNIX_EPOCH,
            budget,
            ..Ledger::default()
        }
    }

    const NEW_OF_OTHERS: &str = "ebs:v1 stage=prod dept=claims role=operator state=new run=theirs";
    const LIVE_OF_OTHERS: &str = "ebs:v1 stage=prod dept=claims role=operator state=live run=theirs";
    const NEW_OF_OURS: &str = "ebs:v1 stage=prod dept=claims role=operator state=new run=mine";

    // Design §4 "no state file" and §5 "plan and apply".
    #[test]
    fn a_new_key_is_an_orphan_when_it_is_ours_or_old_and_otherwise_nobody_vouches_for_it() {
        assert_eq!(ledger().claim(&key(NEW_OF_OURS, 0)), KeyClaim::Orphan);
        assert_eq!(ledger().claim(&key(NEW_OF_OTHERS, 7)), KeyClaim::Orphan);
        assert_eq!(ledger().claim(&key(NEW_OF_OTHERS, 5)), KeyClaim::Unvouched);
        assert_eq!(ledger().claim(&key(LIVE_OF_OTHERS, 700)), KeyClaim::Unvouched);
        assert_eq!(ledger().claim(&key("made by hand", 700)), KeyClaim::Unvouched);
    }

    #[test]
    fn a_vouched_key_is_held_waiting_or_lost() {
        let id: ApiKeyId = "AAAABBBBCCCCDDDD".parse().unwrap();
        let mut ledger = ledger();
        ledger.keys.insert(id.clone(), true);
        assert_eq!(ledger.claim(&key(LIVE_OF_OTHERS, 0)), KeyClaim::Held);
        ledger.keys.insert(id.clone(), false);
        assert_eq!(ledger.claim(&key(LIVE_OF_OTHERS, 0)), KeyClaim::Orphan);
        ledger.waiting.insert(id);
        assert_eq!(ledger.claim(&key(LIVE_OF_OTHERS, 0)), KeyClaim::Waiting);
        assert_eq!(ledger.claim(&key(NEW_OF_OURS, 0)), KeyClaim::Orphan);
    }

    #[test]
    fn a_tag_is_read_back() {
        let tag: KeyTag = NEW_OF_OURS.parse().unwrap();
        assert_eq!(tag.to_string(), NEW_OF_OURS);
        assert!("claims operator".parse::<KeyTag>().is_err());
    }
}
