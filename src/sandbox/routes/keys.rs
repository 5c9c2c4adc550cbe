//! `apikeys/v2`: API keys. Who may make keys for whom: docs `manage-api-keys`, newest table (dossier `rbac.md` §5.2).

use http::{StatusCode, header};
use serde::Deserialize;

use crate::{
    access::Operation,
    api::{self, quota},
    model::{ApiKeyId, Principal},
    sandbox::{
        crypt::{SecretDigest, new_secret},
        page::Pages,
        reply::{Refusal, Reply},
        request::Request,
        settings::Made,
        state::{Change, Key, KeyResource},
        tx::Tx,
    },
};

const KEYS: Pages = Pages {
    api_version: "iam/v2",
    kind: "ApiKeyList",
    most: 100,
    total: true,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    display_name: Option<String>,
    description: Option<String>,
    owner: Option<Reference>,
    resource: Option<Reference>,
    secret: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reference {
    id: String,
}

pub(crate) fn list(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    if !tx.assumptions().own_key_readable {
        tx.require_any_role()?;
    }
    let owner = request.query("spec.owner");
    let resource = request.query("spec.resource");
    let view = tx.view(request);
    let all = tx.state.keys.iter().filter(|(_, key)| {
        tx.lists(&key.life)
            && owner.is_none_or(|wanted| key.owner.id() == wanted)
            && resource.is_none_or(|wanted| key.resource.id() == wanted)
    });
    let list = tx.page(request, KEYS, all, |key| {
        tx.may_with_key(Operation::Describe, key).then(|| view.key(key))
    })?;
    Ok(Reply::ok(list))
}

pub(crate) fn create(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    if !tx.assumptions().own_keys_manageable {
        tx.require_any_role()?;
    }
    let body: Body = request.json()?;
    let owner = body.spec.owner.unwrap_or_default().id;
    if owner.is_empty() {
        return Err(Refusal::invalid("spec.owner.id is required").about("/spec/owner"));
    }
    let owner = Principal::from_id(&owner);
    if matches!(owner, Principal::Other(_)) {
        let detail = "an API key belongs to a user (`u-…`) or a service account (`sa-…`)";
        return Err(Refusal::invalid(detail).about("/spec/owner"));
    }
    // A Cloud key is asked for by name (stock CLI) or by naming nothing (Terraform's provider).
    let wanted = body
        .spec
        .resource
        .map(|resource| resource.id)
        .filter(|id| !id.is_empty());
    let Some(resource) = tx.resource(wanted.as_deref()) else {
        if !tx.may_make_some_key(&owner) {
            return Err(tx.denied_key(&owner));
        }
        let wanted = wanted.unwrap_or_default();
        return Err(
            Refusal::invalid(format!("there is no resource `{wanted}` to make a key for")).about("/spec/resource"),
        );
    };
    if !tx.may_make_key(&owner, &resource) {
        return Err(tx.denied_key(&owner));
    }
    if !tx.state.principal_exists(&owner) {
        let detail = format!("there is no principal `{}`", owner.id());
        return Err(Refusal::invalid(detail).about("/spec/owner"));
    }
    check_quotas(tx, &owner, &resource)?;

    let natural = format!("key {} {}", owner.id(), resource.id());
    let first = tx.state.count(&natural);
    let id = (first..first + 1_000)
        .map(|nth| tx.ids().api_key(&["key", owner.id(), resource.id(), &nth.to_string()]))
        .filter_map(|id| id.parse::<ApiKeyId>().ok())
        .find(|id| !tx.state.keys.contains_key(id))
        .ok_or_else(|| Refusal::broken("no id is left"))?;
    let secret = new_secret().map_err(|error| Refusal::broken(error.to_string()))?;
    let digest = SecretDigest::of(&secret).map_err(|error| Refusal::broken(error.to_string()))?;
    let made = match resource {
        KeyResource::Cloud => Made::CloudKey,
        _ => Made::ResourceKey,
    };
    let key = Key {
        life: tx.born(made, id.as_str()),
        id,
        owner,
        resource,
        display_name: body.spec.display_name.unwrap_or_default(),
        description: body.spec.description.unwrap_or_default(),
        secret: digest,
    };
    let view = tx.view(request);
    let link = view.link(api::keys::API_KEY, key.id.as_str());
    let mut reply = Reply::with(StatusCode::ACCEPTED, view.key(&key));
    if let Some(shown) = &mut reply.body {
        // Here and never again.
        shown["spec"]["secret"] = secret.into();
    }
    tx.change(Change::Count(natural));
    tx.change(Change::Key(key));
    Ok(reply.header(header::LOCATION, link))
}

fn check_quotas(tx: &Tx<'_>, owner: &Principal, resource: &KeyResource) -> Result<(), Refusal> {
    let cloud = *resource == KeyResource::Cloud;
    match resource {
        KeyResource::Cloud => tx.require_quota(quota::CLOUD_KEYS_PER_ORG, None)?,
        KeyResource::Cluster(id) => tx.require_quota(quota::KEYS_PER_CLUSTER, Some(id))?,
        KeyResource::Registry(_) => {}
    }
    tx.require_owner_quota(owner, cloud)
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let key = visible(tx, request)?;
    Ok(Reply::ok(tx.view(request).key(key)))
}

pub(crate) fn update(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let mut key = for_change(tx, Operation::Update, request)?.clone();
    let Body { spec } = request.json()?;
    let differs = |given: &Option<Reference>, is: &str| given.as_ref().is_some_and(|given| given.id != is);
    for (pointer, changed) in [
        ("/spec/owner", differs(&spec.owner, key.owner.id())),
        ("/spec/resource", differs(&spec.resource, key.resource.id())),
        ("/spec/secret", spec.secret.is_some()),
    ] {
        if changed {
            return Err(Refusal::field(pointer, "this field of an API key cannot be changed"));
        }
    }
    if let Some(display_name) = spec.display_name {
        key.display_name = display_name;
    }
    if let Some(description) = spec.description {
        key.description = description;
    }
    key.life.updated = tx.now;
    let reply = Reply::ok(tx.view(request).key(&key));
    tx.change(Change::Key(key));
    Ok(reply)
}

pub(crate) fn delete(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let key = for_change(tx, Operation::Delete, request)?;
    remove_key(tx, key);
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// A deleted key answers 403, like somebody else's (terraform `internal/testdata`).
fn visible<'a>(tx: &Tx<'a>, request: &Request) -> Result<&'a Key, Refusal> {
    let found = tx.state.key(request.segment(0));
    found
        .filter(|key| tx.may_with_key(Operation::Describe, key))
        .ok_or_else(|| Refusal::forbidden("Forbidden Access"))
}

fn for_change<'a>(tx: &Tx<'a>, operation: Operation, request: &Request) -> Result<&'a Key, Refusal> {
    let key = visible(tx, request)?;
    match tx.may_with_key(operation, key) {
        true => Ok(key),
        false => Err(tx.denied(&format!("{} API key `{}`", operation.word(), key.id))),
    }
}

/// Takes a key away: it opens nothing from this moment on.
pub(crate) fn remove_key(tx: &mut Tx<'_>, key: &Key) {
    tx.change(match tx.lingers(key.id.as_str()) {
        None => Change::NoKey(key.id.clone()),
        gone => {
            let mut key = key.clone();
            key.life.gone = gone;
            Change::Key(key)
        }
    });
}

impl Tx<'_> {
    /// What a key is to open, if there is such a thing. Global keys and those of other products are not offered.
    fn resource(&self, id: Option<&str>) -> Option<KeyResource> {
        match id {
            None | Some(api::keys::CLOUD) => Some(KeyResource::Cloud),
            Some(id) => {
                let cluster = || self.state.clusters.keys().find(|known| known.as_str() == id);
                let registry = || self.state.registries.keys().find(|known| known.as_str() == id);
                cluster()
                    .cloned()
                    .map(KeyResource::Cluster)
                    .or_else(|| registry().cloned().map(KeyResource::Registry))
            }
        }
    }

    fn denied_key(&self, owner: &Principal) -> Refusal {
        self.denied(&format!("create such API keys for `{}`", owner.id()))
    }

    /// Whether the caller manages its own keys: people do, for service accounts it is assumed (Q4).
    fn manages_itself(&self, owner: &Principal) -> bool {
        self.is(owner) && (matches!(owner, Principal::User(_)) || self.assumptions().own_keys_manageable)
    }

    fn may_make_key(&self, owner: &Principal, resource: &KeyResource) -> bool {
        if self.manages_itself(owner) {
            return true;
        }
        let state = self.state;
        let person = matches!(owner, Principal::User(_));
        let owner = state.principal_crn(owner);
        if person {
            // The table is about service accounts. A person's key has the person's roles: only who could give them anyway.
            return self.may(Operation::AlterAccess, &owner);
        }
        match resource {
            KeyResource::Cloud => self.may(Operation::ManageCloudKeys, &owner),
            KeyResource::Cluster(id) => {
                let cluster = state.clusters.get(id);
                let cluster = cluster.map(|found| state.cluster_crn(found.environment.as_str(), id.as_str()));
                self.may(Operation::ManageKafkaKeys, &owner)
                    || cluster.is_some_and(|cluster| self.may(Operation::ManageKafkaKeys, &cluster))
            }
            KeyResource::Registry(id) => {
                let registry = state.registries.get(id);
                let registry = registry.map(|found| state.registry_crn(found.environment.as_str(), id.as_str()));
                self.may(Operation::ManageSchemaRegistryKeys, &owner)
                    || registry.is_some_and(|registry| self.may(Operation::ManageSchemaRegistryKeys, &registry))
            }
        }
    }

    fn may_make_some_key(&self, owner: &Principal) -> bool {
        let clusters = self.state.clusters.keys().cloned().map(KeyResource::Cluster);
        let registries = self.state.registries.keys().cloned().map(KeyResource::Registry);
        [KeyResource::Cloud]
            .into_iter()
            .chain(clusters)
            .chain(registries)
            .any(|resource| self.may_make_key(owner, &resource))
    }

    /// Whether the caller may do something with an existing key: because it could make such a key, or by a role that
    /// covers the key itself.
    fn may_with_key(&self, operation: Operation, key: &Key) -> bool {
        let reads_own = operation == Operation::Describe && self.assumptions().own_key_readable;
        (reads_own && self.is(&key.owner))
            || self.may_make_key(&key.owner, &key.resource)
            || self.may(operation, &self.state.key_crn(key))
    }
}
