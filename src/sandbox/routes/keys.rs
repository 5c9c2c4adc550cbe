//! `apikeys/v2`: API keys. The permissions to create keys follow docs `manage-api-keys`, newest table
//! (docs/reference/rbac.md#who-may-create-api-keys).

use http::{StatusCode, header};
use serde::Deserialize;

use crate::{
    access::Operation,
    api::{self, quota},
    model::{ApiKeyId, Principal},
    sandbox::{
        crypt::{SecretDigest, new_secret},
        pagination::PagingRules,
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        settings::CreatedObject,
        state::{KeyRecord, KeyResource, StateChange},
        tx::Tx,
    },
};

const KEYS: PagingRules = PagingRules {
    api_version: "iam/v2",
    kind: "ApiKeyList",
    max_size: 100,
    includes_total: true,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ApiKeyBody {
    spec: ApiKeyBodySpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ApiKeyBodySpec {
    display_name: Option<String>,
    description: Option<String>,
    owner: Option<ReferenceBody>,
    resource: Option<ReferenceBody>,
    secret: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReferenceBody {
    id: String,
}

pub(crate) fn list(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    if !tx.assumptions().own_key_readable {
        tx.require_any_role()?;
    }
    let owner = request.query("spec.owner");
    let resource = request.query("spec.resource");
    let view = tx.view(request);
    let all = tx.state.keys.iter().filter(|(_, key)| {
        tx.is_listed(&key.lifetime)
            && owner.is_none_or(|wanted| key.owner.id() == wanted)
            && resource.is_none_or(|wanted| key.resource.id() == wanted)
    });
    let list = tx.page(request, KEYS, all, |key| {
        tx.is_allowed_on_key(Operation::Describe, key).then(|| view.key(key))
    })?;
    Ok(Reply::ok(list))
}

pub(crate) fn create(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    if !tx.assumptions().own_keys_manageable {
        tx.require_any_role()?;
    }
    let body: ApiKeyBody = request.parse_json()?;
    let owner = body.spec.owner.unwrap_or_default().id;
    if owner.is_empty() {
        return Err(ErrorReply::invalid("spec.owner.id is required").with_source("/spec/owner"));
    }
    let owner = Principal::from_id(&owner);
    if matches!(owner, Principal::Other(_)) {
        let detail = "an API key belongs to a user (`u-…`) or a service account (`sa-…`)";
        return Err(ErrorReply::invalid(detail).with_source("/spec/owner"));
    }
    // A Cloud key is requested by the resource `cloud` (the Confluent CLI) or without a resource (the Terraform
    // provider).
    let wanted = body
        .spec
        .resource
        .map(|resource| resource.id)
        .filter(|id| !id.is_empty());
    let Some(resource) = tx.key_resource(wanted.as_deref()) else {
        if !tx.can_create_any_key(&owner) {
            return Err(tx.key_creation_forbidden(&owner));
        }
        let wanted = wanted.unwrap_or_default();
        return Err(ErrorReply::invalid(format!("no resource `{wanted}` for API keys")).with_source("/spec/resource"));
    };
    if !tx.can_create_key(&owner, &resource) {
        return Err(tx.key_creation_forbidden(&owner));
    }
    if !tx.state.principal_exists(&owner) {
        let detail = format!("no principal `{}`", owner.id());
        return Err(ErrorReply::invalid(detail).with_source("/spec/owner"));
    }
    check_quotas(tx, &owner, &resource)?;

    let natural = format!("key {} {}", owner.id(), resource.id());
    let first = tx.state.key_count_of(&natural);
    let id = (first..first + 1_000)
        .map(|nth| tx.ids().api_key(&["key", owner.id(), resource.id(), &nth.to_string()]))
        .filter_map(|id| id.parse::<ApiKeyId>().ok())
        .find(|id| !tx.state.keys.contains_key(id))
        .ok_or_else(|| ErrorReply::internal_error("no unused id left"))?;
    let secret = new_secret().map_err(|error| ErrorReply::internal_error(error.to_string()))?;
    let digest = SecretDigest::new(&secret).map_err(|error| ErrorReply::internal_error(error.to_string()))?;
    let made = match resource {
        KeyResource::Cloud => CreatedObject::CloudKey,
        _ => CreatedObject::ResourceKey,
    };
    let key = KeyRecord {
        lifetime: tx.new_lifetime(made, id.as_str()),
        id,
        owner,
        resource,
        display_name: body.spec.display_name.unwrap_or_default(),
        description: body.spec.description.unwrap_or_default(),
        secret: digest,
    };
    let view = tx.view(request);
    let link = view.link(api::keys::API_KEY, key.id.as_str());
    let mut reply = Reply::with_body(StatusCode::ACCEPTED, view.key(&key));
    if let Some(shown) = &mut reply.body {
        // The only response that contains the secret.
        shown["spec"]["secret"] = secret.into();
    }
    tx.record(StateChange::CountKey(natural));
    tx.record(StateChange::Key(key));
    Ok(reply.with_header(header::LOCATION, link))
}

fn check_quotas(tx: &Tx<'_>, owner: &Principal, resource: &KeyResource) -> Result<(), ErrorReply> {
    let cloud = *resource == KeyResource::Cloud;
    match resource {
        KeyResource::Cloud => tx.require_quota(quota::CLOUD_KEYS_PER_ORG, None)?,
        KeyResource::Cluster(id) => tx.require_quota(quota::KEYS_PER_CLUSTER, Some(id))?,
        KeyResource::Registry(_) => {}
    }
    tx.require_owner_quota(owner, cloud)
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let key = visible_key(tx, request)?;
    Ok(Reply::ok(tx.view(request).key(key)))
}

pub(crate) fn update(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let mut key = changeable_key(tx, Operation::Update, request)?.clone();
    let ApiKeyBody { spec } = request.parse_json()?;
    let differs = |given: &Option<ReferenceBody>, is: &str| given.as_ref().is_some_and(|given| given.id != is);
    for (pointer, changed) in [
        ("/spec/owner", differs(&spec.owner, key.owner.id())),
        ("/spec/resource", differs(&spec.resource, key.resource.id())),
        ("/spec/secret", spec.secret.is_some()),
    ] {
        if changed {
            return Err(ErrorReply::invalid_field(
                pointer,
                "this field of an API key cannot be changed",
            ));
        }
    }
    if let Some(display_name) = spec.display_name {
        key.display_name = display_name;
    }
    if let Some(description) = spec.description {
        key.description = description;
    }
    key.lifetime.updated = tx.now;
    let reply = Reply::ok(tx.view(request).key(&key));
    tx.record(StateChange::Key(key));
    Ok(reply)
}

pub(crate) fn delete(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let key = changeable_key(tx, Operation::Delete, request)?;
    remove_key(tx, key);
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Returns the key, or 403 both for a deleted key and for a key that the caller may not see (terraform
/// `internal/testdata`).
fn visible_key<'a>(tx: &Tx<'a>, request: &ApiRequest) -> Result<&'a KeyRecord, ErrorReply> {
    let found = tx.state.key(request.segment(0));
    found
        .filter(|key| tx.is_allowed_on_key(Operation::Describe, key))
        .ok_or_else(|| ErrorReply::forbidden("Forbidden Access"))
}

fn changeable_key<'a>(tx: &Tx<'a>, operation: Operation, request: &ApiRequest) -> Result<&'a KeyRecord, ErrorReply> {
    let key = visible_key(tx, request)?;
    match tx.is_allowed_on_key(operation, key) {
        true => Ok(key),
        false => Err(tx.forbidden(&format!("{} API key `{}`", operation.as_str(), key.id))),
    }
}

/// Deletes a key; it is invalid from this moment on.
pub(crate) fn remove_key(tx: &mut Tx<'_>, key: &KeyRecord) {
    tx.record(match tx.listed_until(key.id.as_str()) {
        None => StateChange::RemoveKey(key.id.clone()),
        gone => {
            let mut key = key.clone();
            key.lifetime.listed_until = gone;
            StateChange::Key(key)
        }
    });
}

impl Tx<'_> {
    /// Returns the resource of a new key. Global keys and keys of other products are not supported.
    fn key_resource(&self, id: Option<&str>) -> Option<KeyResource> {
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

    fn key_creation_forbidden(&self, owner: &Principal) -> ErrorReply {
        self.forbidden(&format!("create this API key for `{}`", owner.id()))
    }

    /// Returns whether the caller may manage its own keys: always for users, an assumption for service accounts (Q4).
    fn manages_own_keys(&self, owner: &Principal) -> bool {
        self.is_caller(owner) && (matches!(owner, Principal::User(_)) || self.assumptions().own_keys_manageable)
    }

    fn can_create_key(&self, owner: &Principal, resource: &KeyResource) -> bool {
        if self.manages_own_keys(owner) {
            return true;
        }
        let state = self.state;
        let person = matches!(owner, Principal::User(_));
        let owner = state.principal_crn(owner);
        if person {
            // The table covers service accounts only. A user's key has the roles of the user, so it requires the
            // permission to grant them.
            return self.is_allowed(Operation::AlterAccess, &owner);
        }
        match resource {
            KeyResource::Cloud => self.is_allowed(Operation::ManageCloudKeys, &owner),
            KeyResource::Cluster(id) => {
                let cluster = state.clusters.get(id);
                let cluster = cluster.map(|found| state.cluster_crn(found.environment.as_str(), id.as_str()));
                self.is_allowed(Operation::ManageKafkaKeys, &owner)
                    || cluster.is_some_and(|cluster| self.is_allowed(Operation::ManageKafkaKeys, &cluster))
            }
            KeyResource::Registry(id) => {
                let registry = state.registries.get(id);
                let registry = registry.map(|found| state.registry_crn(found.environment.as_str(), id.as_str()));
                self.is_allowed(Operation::ManageSchemaRegistryKeys, &owner)
                    || registry.is_some_and(|registry| self.is_allowed(Operation::ManageSchemaRegistryKeys, &registry))
            }
        }
    }

    fn can_create_any_key(&self, owner: &Principal) -> bool {
        let clusters = self.state.clusters.keys().cloned().map(KeyResource::Cluster);
        let registries = self.state.registries.keys().cloned().map(KeyResource::Registry);
        [KeyResource::Cloud]
            .into_iter()
            .chain(clusters)
            .chain(registries)
            .any(|resource| self.can_create_key(owner, &resource))
    }

    /// Returns whether the caller may perform an operation on an existing key: because it could create such a key, or
    /// by a role that covers the key.
    fn is_allowed_on_key(&self, operation: Operation, key: &KeyRecord) -> bool {
        let reads_own = operation == Operation::Describe && self.assumptions().own_key_readable;
        (reads_own && self.is_caller(&key.owner))
            || self.can_create_key(&key.owner, &key.resource)
            || self.is_allowed(operation, &self.state.key_crn(key))
    }
}
