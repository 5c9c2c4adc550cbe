//! Checks before a connector is written: configuration, Kafka principal, task limit of the cluster.

use serde_json::Value;

use super::{bad_request, invalid_config};
use crate::{
    access::{Operation, roles::operations_of_role},
    catalog::secret::is_masked_value,
    model::{Crn, CrnPattern, Principal, ResourceKind, StageAddress},
    sandbox::{
        connector::{
            TASK_CEILING, TASKS_PER_CLUSTER,
            config::{self, ConnectorConfig, tasks_max, value},
            config_check::{check_config, error_lines},
            evaluation::ConnectorEvaluator,
            plugins::SandboxPlugin,
        },
        reply::{ErrorReply, ErrorShape},
        seed::ClusterKind,
        state::{ClusterRecord, ConnectorRecord, KeyResource, StateChange},
        tx::Tx,
    },
};

/// Configuration that passed validation.
pub(super) struct AcceptedConfig {
    pub(super) config: ConnectorConfig,
    pub(super) plugin: SandboxPlugin,
}

/// Parses and validates a configuration for a cluster. The inner error is the class of an unknown plugin.
pub(super) fn accept_config(
    written: &Value,
    name: &str,
    cluster: ClusterKind,
) -> Result<Result<AcceptedConfig, String>, ErrorReply> {
    let config = config::parse_config(written, name).map_err(|errors| invalid_config(&errors))?;
    let class = value(&config, "connector.class").unwrap_or_default();
    let Some(plugin) = SandboxPlugin::find(class) else {
        return Ok(Err(class.to_owned()));
    };
    let errors = check_config(&plugin, &config, cluster);
    match errors.is_empty() {
        true => Ok(Ok(AcceptedConfig { config, plugin })),
        false => Err(invalid_config(&error_lines(&errors))),
    }
}

/// Returns whether a name is in use, also by a connector that is being deleted.
pub(super) fn is_name_taken(tx: &Tx<'_>, cluster: &ClusterRecord, name: &str) -> bool {
    let lingering = || {
        let old = tx.state.connectors.get(&(cluster.id.clone(), name.to_owned()));
        old.is_some_and(|old| old.lifetime.is_listed_at(tx.now))
    };
    tx.state.connector(&cluster.id, name).is_some()
        || (tx.assumptions().connect.deleted_name_stays_reserved && lingering())
}

/// Returns the error for a name in use, with text and format of self-managed Connect; those of Confluent Cloud are not
/// published (docs/reference/connect.md#connector-names).
pub(super) fn name_conflict(tx: &Tx<'_>, name: &str) -> ErrorReply {
    let text = format!("Connector {name} already exists");
    match tx.assumptions().connect.taken_name_is_conflict {
        true => ErrorReply::conflict(text).with_shape(ErrorShape::SelfManagedConnect),
        false => bad_request(text),
    }
}

/// Checks the Kafka principal: a service account requires the role Assigner on it
/// (docs/reference/rbac.md#roles-on-a-service-account), and an API key must belong to the cluster.
pub(super) fn check_identity(
    tx: &Tx<'_>,
    cluster: &ClusterRecord,
    config: &ConnectorConfig,
    old: Option<&ConnectorRecord>,
    crn: &Crn,
) -> Result<(), ErrorReply> {
    tx.require(Operation::ConfigureCredentials, crn)?;
    if value(config, "kafka.auth.mode") == Some("SERVICE_ACCOUNT") {
        let id = value(config, "kafka.service.account.id").unwrap_or_default();
        let account = tx.state.account(id);
        let assignable = account.is_some_and(|account| {
            let principal = Principal::ServiceAccount(account.id.clone());
            tx.is_allowed(Operation::Assign, &tx.state.principal_crn(&principal))
        });
        if assignable {
            return Ok(());
        }
        // Callers who may assign any account learn that this one does not exist.
        let anything = tx.is_allowed(Operation::Assign, &tx.state.principal_crn(&Principal::from_id(id)));
        if account.is_none() && anything {
            return Err(invalid_config(&[format!(
                "kafka.service.account.id: {id} does not exist"
            )]));
        }
        return Err(match tx.assumptions().missing_assigner_is_forbidden {
            true => tx.forbidden(&format!("assign service account `{id}`")),
            false => invalid_config(&[format!("kafka.service.account.id: {id} cannot be assigned")]),
        });
    }
    let (id, secret) = (value(config, "kafka.api.key"), value(config, "kafka.api.secret"));
    let key = id.and_then(|id| tx.state.key(id));
    let key =
        key.filter(|key| key.resource == KeyResource::Cluster(cluster.id.clone()) && key.lifetime.effective <= tx.now);
    let right = key.is_some_and(|key| {
        let kept = old.and_then(|old| {
            Some((
                value(&old.config, "kafka.api.key")?,
                old.secrets.get("kafka.api.secret")?,
            ))
        });
        let same = kept.is_some_and(|(old, _)| Some(old) == id) && secret.is_some_and(is_masked_value);
        same || secret.is_some_and(|secret| key.secret.matches(secret))
    });
    match right {
        true => Ok(()),
        // Pattern 1.
        false => Err(invalid_config(&[
            "kafka.api.key: Provided Kafka ApiKey is invalid".into(),
            "kafka.api.secret: Provided Kafka ApiKey is invalid".into(),
        ])),
    }
}

/// Checks the task limit of a cluster, which applies to the configured tasks. Connectors in a Basic cluster have one
/// task (docs/reference/quotas.md#cluster-limits).
pub(super) fn check_task_limit(
    tx: &Tx<'_>,
    cluster: &ClusterRecord,
    config: &ConnectorConfig,
    old: Option<&ConnectorRecord>,
) -> Result<(), ErrorReply> {
    let wanted = i64::from(tasks_max(config));
    let had = old.map_or(0, |old| i64::from(tasks_max(&old.config)));
    let refuse = |what: &str, limit: i64| match tx.assumptions().connect.task_ceiling_is_payment_required {
        true => Err(ErrorReply::quota_exceeded(what, limit).with_shape(ErrorShape::Nested)),
        false => Err(bad_request(format!("{what} is currently limited to {limit}"))),
    };
    if cluster.kind == ClusterKind::Basic && wanted > 1 {
        return refuse("The number of tasks of a connector in a Basic cluster", 1);
    }
    if wanted <= had {
        return Ok(());
    }
    let limit = tx
        .state
        .settings
        .quotas
        .get(TASKS_PER_CLUSTER)
        .copied()
        .unwrap_or(TASK_CEILING);
    let all = tx.state.connectors.values();
    let here = all.filter(|found| found.cluster == cluster.id && found.lifetime.exists());
    let used: i64 = here.map(|found| i64::from(tasks_max(&found.config))).sum();
    match used - had + wanted > limit {
        true => refuse(
            &format!("The number of connector tasks in Kafka cluster {}", cluster.id),
            limit,
        ),
        false => Ok(()),
    }
}

/// Returns whether the caller may create a connector with some name in the cluster.
pub(super) fn can_create_any(tx: &Tx<'_>, address: &StageAddress) -> bool {
    let cluster = CrnPattern::from(address.cluster_crn());
    let Ok(principal) = tx.principal() else { return false };
    tx.state.roles_of(principal).any(|binding| {
        let here = cluster.covers_pattern(&binding.pattern) || binding.pattern.covers(&address.cluster_crn());
        let on_connectors = matches!(
            binding.pattern.kind(),
            ResourceKind::Connector | ResourceKind::Cluster | ResourceKind::Environment | ResourceKind::Organization
        );
        here && on_connectors && operations_of_role(&binding.role, ResourceKind::Connector).contains(Operation::Create)
    })
}

/// Deletes a connector; lists still contain it for a while.
pub(super) fn delete_connector(tx: &mut Tx<'_>, evaluator: &ConnectorEvaluator<'_>, mut connector: ConnectorRecord) {
    let counted_as = format!("connector {} {}", connector.cluster, connector.name);
    tx.record(StateChange::CountKey(counted_as));
    let leave = evaluator.delays(&connector.id).delete;
    if leave.is_zero() {
        tx.record(StateChange::RemoveConnector(connector.cluster, connector.name));
    } else {
        connector.lifetime.listed_until = Some(tx.now.saturating_add(leave).unwrap_or(jiff::Timestamp::MAX));
        tx.record(StateChange::Connector(connector));
    }
}
