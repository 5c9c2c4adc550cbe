//! What the service says to the key in question: each answer by itself, so that one refusal hides no other answer. Every
//! call reads, but for those of `probe`, which change nothing either.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{future::OptionFuture, join};

use crate::{
    api::{
        cmk::{Cluster, GetCluster},
        connect::{Expanded, ListConnectors, Place},
        iam::{GetServiceAccount, ListServiceAccounts, ServiceAccount},
        keys::{ApiKey, GetApiKey},
        mds::{BindingScope, ListRoleBindings},
        org::{Environment, GetEnvironment, ListOrganizations},
        srcm::ListRegistries,
    },
    client::{Client, ClientError, RetryPolicy},
    model::{
        Address, ApiKeyId, ClusterId, Crn, EnvironmentId, OrganizationId, Prefix, Principal, ResourceKind, Role,
        RoleBinding, SchemaRegistryId,
    },
    probe::{self, Call},
};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It was not asked, and why.
    NotAsked(String),
    /// The service refused, or did not answer.
    Failed {
        /// The status, if there was an answer.
        status: Option<u16>,
        /// What was said, or what happened.
        said: String,
    },
}

impl Silence {
    /// The status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::NotAsked(_) => None,
            Self::Failed { status, .. } => *status,
        }
    }

    /// The reason, for people.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::NotAsked(why) => why,
            Self::Failed { said, .. } => said,
        }
    }
}

impl From<ClientError> for Silence {
    fn from(error: ClientError) -> Self {
        Self::Failed {
            status: error.refusal().map(|refusal| refusal.status.as_u16()),
            said: error.to_string(),
        }
    }
}

/// An answer, or why there is none.
pub type Answer<T> = Result<T, Silence>;

/// Where to look, and for whom: as far as it is known beforehand.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The organization, when a file says it.
    pub organization: Option<OrganizationId>,
    /// The environment.
    pub environment: Option<EnvironmentId>,
    /// The Kafka cluster.
    pub cluster: Option<ClusterId>,
    /// The Schema Registry.
    pub schema_registry: Option<SchemaRegistryId>,
    /// The key that is acted with.
    pub key: Option<ApiKeyId>,
    /// Who that is, when it is known without asking.
    pub principal: Option<Principal>,
    /// The name of the account that should be acting: what to look for when its key does not tell.
    pub account_name: Option<String>,
    /// Who it is if nothing else tells.
    pub otherwise: Option<Principal>,
    /// The names of the department that is acted for.
    pub prefix: Option<Prefix>,
}

/// What was heard.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The organization: every valid Cloud key may see its own.
    pub organization: Answer<OrganizationId>,
    /// The key itself.
    pub key: Answer<ApiKey>,
    /// The service account behind it.
    pub account: Answer<ServiceAccount>,
    /// The environment.
    pub environment: Answer<Environment>,
    /// The Kafka cluster.
    pub cluster: Answer<Cluster>,
    /// The Schema Registries of the environment.
    pub registries: Answer<Vec<SchemaRegistryId>>,
    /// The connectors of the cluster.
    pub connectors: Answer<BTreeMap<String, Expanded>>,
    /// The role bindings that the caller holds.
    pub bindings: Answer<Vec<RoleBinding>>,
    /// Role bindings of ConnectManager below the cluster, whoever holds them: what open question Q1 asks for.
    pub managers: Answer<Vec<RoleBinding>>,
    /// What the caller may do to a connector of the department's, tried where no role binding is shown.
    pub may: BTreeMap<&'static str, bool>,
    /// Who is acting.
    pub principal: Option<Principal>,
}

impl Heard {
    /// Nothing, because nobody was asked.
    #[must_use]
    pub fn nothing(why: &str) -> Self {
        fn silent<T>(why: &str) -> Answer<T> {
            Err(Silence::NotAsked(why.to_owned()))
        }
        Self {
            organization: silent(why),
            key: silent(why),
            account: silent(why),
            environment: silent(why),
            cluster: silent(why),
            registries: silent(why),
            connectors: silent(why),
            bindings: silent(why),
            managers: silent(why),
            may: BTreeMap::new(),
            principal: None,
        }
    }

    /// Where everything is, as far as it is known now.
    #[must_use]
    pub fn address(&self, question: &Question) -> Option<Address> {
        let registry = question.schema_registry.clone();
        let found = || self.registries.as_ref().ok().and_then(|found| found.first().cloned());
        Some(Address {
            organization: self
                .organization
                .as_ref()
                .ok()
                .or(question.organization.as_ref())?
                .clone(),
            environment: question.environment.clone()?,
            cluster: question.cluster.clone()?,
            schema_registry: registry.or_else(found),
        })
    }
}

/// How patient a client is that examines: it tells what it sees, now.
#[must_use]
pub fn impatient() -> RetryPolicy {
    RetryPolicy {
        tries: 1,
        budget: Duration::ZERO,
        ..RetryPolicy::default()
    }
}

/// Asks everything that `question` gives a place for, as much as possible at once.
pub async fn ask(client: &Client, question: &Question) -> Heard {
    let mut heard = Heard::nothing("no stage is named");
    let place = question.environment.clone().zip(question.cluster.clone());
    let place = place.map(|(environment, cluster)| Place { environment, cluster });
    let organization = async {
        let list = client.list(ListOrganizations).await?;
        let unknown = || Silence::NotAsked("the service names no organization for this key".to_owned());
        list.into_iter().next().map(|found| found.id).ok_or_else(unknown)
    };
    let (organization, key, environment, cluster, registries, connectors) = join!(
        organization,
        OptionFuture::from(question.key.clone().map(|key| read(client, GetApiKey(key)))),
        OptionFuture::from(question.environment.clone().map(|id| read(client, GetEnvironment(id)))),
        OptionFuture::from(place.clone().map(|place| read(
            client,
            GetCluster {
                environment: place.environment,
                id: place.cluster
            }
        ))),
        OptionFuture::from(question.environment.clone().map(|environment| async move {
            let list = client.list(ListRegistries(environment)).await?;
            Ok(list.into_iter().map(|registry| registry.id).collect())
        })),
        OptionFuture::from(place.clone().map(|place| read(client, ListConnectors(place)))),
    );
    heard.organization = organization;
    heard.key = key.unwrap_or_else(|| Err(Silence::NotAsked("acting without a key of its own".to_owned())));
    heard.environment = environment.unwrap_or(heard.environment);
    heard.cluster = cluster.unwrap_or(heard.cluster);
    heard.registries = registries.unwrap_or(heard.registries);
    heard.connectors = connectors.unwrap_or(heard.connectors);
    heard.principal = match (&question.principal, &heard.key) {
        (Some(known), _) => Some(known.clone()),
        (None, Ok(key)) => Some(Principal::from_id(&key.spec.owner.id)),
        (None, Err(_)) => by_name(client, question).await.or_else(|| question.otherwise.clone()),
    };
    about_caller(client, question, &mut heard).await;
    let accepted = heard
        .organization
        .as_ref()
        .map_or_else(|error| error.status() == Some(403), |_| true);
    let shown = heard.bindings.as_ref().is_ok_and(|held| !held.is_empty());
    if let (Some(place), Some(prefix)) = (&place, &question.prefix)
        && accepted
        && !shown
    {
        heard.may = tried(client, place, prefix).await;
    }
    heard
}

/// The account of the name that is expected: a list shows the caller at least itself.
async fn by_name(client: &Client, question: &Question) -> Option<Principal> {
    let name = question.account_name.clone()?;
    let request = ListServiceAccounts {
        display_names: vec![name.clone()],
    };
    let found = client.list(request).await.ok()?;
    let found = found.into_iter().find(|account| account.display_name == name)?;
    Some(found.id.into())
}

/// Who the caller is, and which roles it holds.
async fn about_caller(client: &Client, question: &Question, heard: &mut Heard) {
    let Some(principal) = heard.principal.clone() else {
        let why = || Silence::NotAsked("who owns the key is not to be seen with it".to_owned());
        heard.account = Err(why());
        heard.bindings = Err(why());
        heard.managers = Err(why());
        return;
    };
    let account = principal.service_account().cloned();
    let address = heard.address(question);
    let known = heard
        .organization
        .as_ref()
        .ok()
        .or(question.organization.as_ref())
        .cloned();
    let held = async {
        let organization = known.ok_or_else(|| Silence::NotAsked("the organization is not known".to_owned()))?;
        let crn = Crn::organization(&organization);
        let list = |scope| {
            client.list(ListRoleBindings {
                scope,
                principal: Some(principal.clone()),
                role: None,
            })
        };
        let (below, exactly) = join!(
            list(BindingScope::Below(crn.clone())),
            list(BindingScope::Exactly(crn.into()))
        );
        let found = below?.into_iter().chain(exactly?).map(|object| object.binding);
        // The service's filter is documented only as a partial search.
        let mut own: Vec<RoleBinding> = found.filter(|binding| binding.principal == principal).collect();
        own.sort();
        own.dedup();
        Ok(own)
    };
    let managers = address.map(|address| async move {
        let scope = BindingScope::Below(address.cluster_crn());
        let role = Some(Role::ConnectManager);
        let list = client
            .list(ListRoleBindings {
                scope,
                principal: None,
                role,
            })
            .await?;
        let bindings = list.into_iter().map(|object| object.binding);
        Ok(bindings
            .filter(|binding| binding.role == Role::ConnectManager && binding.pattern.kind() == ResourceKind::Connector)
            .collect())
    });
    let (account, bindings, managers) = join!(
        OptionFuture::from(account.map(|id| read(client, GetServiceAccount(id)))),
        held,
        OptionFuture::from(managers),
    );
    heard.account = account.unwrap_or_else(|| {
        Err(Silence::NotAsked(
            "the key does not belong to a service account".to_owned(),
        ))
    });
    heard.bindings = bindings;
    heard.managers = managers.unwrap_or_else(|| Err(Silence::NotAsked("no stage is named".to_owned())));
}

async fn read<E: crate::api::Endpoint>(client: &Client, endpoint: E) -> Answer<E::Answer> {
    Ok(client.send(&endpoint).await?.value)
}

/// Tries, without changing anything, what may be done to connectors of these names.
async fn tried(client: &Client, place: &Place, prefix: &Prefix) -> BTreeMap<&'static str, bool> {
    let name = format!("{prefix}{}", probe::NOBODYS);
    let (status, create) = join!(
        probe::may(client, place, Call::ReadStatus, &name),
        probe::may(client, place, Call::CreateInvalid, &name),
    );
    let seen = [(Call::ReadStatus, status), (Call::CreateInvalid, create)];
    seen.into_iter()
        .filter_map(|(call, may)| Some((call.operation().word(), may?)))
        .collect()
}
