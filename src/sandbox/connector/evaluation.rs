//! Evaluation of a connector: active faults, values that trigger a fault, and missing permissions of its principal
//! (docs/reference/rbac.md#access-of-a-connectors-account).

use jiff::Timestamp;

use super::{
    ConnectorFault as Fault, ConnectorRun,
    config::{ConnectorConfig, tasks_max, value},
    lifecycle::{ConnectorDelays, FaultOnset, FaultProgression, LifecycleState, state_at},
    messages::{FaultContext, FaultDetails, fault_details},
    plugins::SandboxPlugin,
    subjects::subject_suffixes,
};
use crate::{
    access::Operation,
    catalog::{
        topic_keys::uses_dotted_names,
        topics::{ConnectorTopics, connector_topics},
    },
    model::{Crn, NamePattern, Principal, ResourceKind, StageAddress},
    sandbox::state::{ClusterRecord, ConnectorRecord, KeyResource, SandboxState as World, TopicRecord},
};

/// Derived state of a connector at one moment.
#[derive(Clone, Debug)]
pub(crate) struct ConnectorEvaluation {
    pub(crate) plugin: SandboxPlugin,
    pub(crate) state: LifecycleState,
    pub(crate) tasks: u32,
    pub(crate) fault: Option<FaultDetails>,
    /// Start of the fault, even before it becomes visible.
    pub(crate) fault_since: Option<Timestamp>,
    /// Whether the previous configuration is active.
    pub(crate) runs_previous_config: bool,
    /// End of the last period in which the connector ran: now, or the time of an action or fault.
    pub(crate) ran_until: Timestamp,
    /// Topics that the connector creates.
    pub(crate) topics_to_create: Vec<String>,
}

impl ConnectorEvaluation {
    /// Returns the fault, if it is visible already.
    pub(crate) fn visible_fault(&self) -> Option<&FaultDetails> {
        let shows = matches!(self.state, LifecycleState::Failed | LifecycleState::Degraded);
        self.fault.as_ref().filter(|_| shows)
    }
}

/// Evaluator of the connectors of a cluster.
#[derive(Clone)]
pub(crate) struct ConnectorEvaluator<'a> {
    pub(crate) state: &'a World,
    pub(crate) cluster: &'a ClusterRecord,
    pub(crate) address: StageAddress,
    pub(crate) now: Timestamp,
    /// Topics that connectors have created and that are not stored yet.
    pub(crate) new_topics: Vec<TopicRecord>,
}

/// Default number of partitions of a topic (docs `client-configs`, the default of Confluent Cloud).
pub(crate) const DEFAULT_PARTITIONS: u32 = 6;

/// Topics that the connector may create, or the fault caused by a missing permission.
type AccessCheck = Result<Vec<String>, (Fault, String)>;

impl ConnectorEvaluator<'_> {
    /// Returns the delays of a connector.
    pub(crate) fn delays(&self, id: &str) -> ConnectorDelays {
        ConnectorDelays::draw(self.state.settings.timing, self.state.ids(), id)
    }

    /// Returns the connectors that have created topics since the last request, with these topics.
    pub(crate) fn create_topics(&mut self) -> Vec<(ConnectorRecord, Vec<TopicRecord>)> {
        let here = self
            .state
            .connectors
            .values()
            .filter(|found| found.cluster == self.cluster.id);
        let unmade: Vec<_> = here
            .filter(|found| found.lifetime.exists() && found.topics_created_in_run != Some(found.run.since))
            .collect();
        let mut settled = Vec::new();
        // Sources first, because sinks may read the topics that sources create.
        let (sinks, sources): (Vec<_>, Vec<_>) = unmade
            .into_iter()
            .partition(|found| SandboxPlugin::find_or_unknown(found.class()).is_sink());
        for connector in sources.into_iter().chain(sinks) {
            let evaluation = self.evaluate(connector);
            if evaluation.state != LifecycleState::Running || evaluation.fault.is_some() {
                continue;
            }
            let topic = |name| TopicRecord {
                cluster: self.cluster.id.clone(),
                name,
                partitions: DEFAULT_PARTITIONS,
                created: self.now,
            };
            let topics: Vec<_> = evaluation.topics_to_create.into_iter().map(topic).collect();
            self.new_topics.extend(topics.iter().cloned());
            let mut connector = connector.clone();
            connector.topics_created_in_run = Some(connector.run.since);
            settled.push((connector, topics));
        }
        settled
    }

    pub(crate) fn evaluate(&self, connector: &ConnectorRecord) -> ConnectorEvaluation {
        let plugin = SandboxPlugin::find_or_unknown(connector.class());
        let times = self.delays(&connector.id);
        let mut found = self.check_config(connector, &connector.config, &plugin);
        let previous = connector.previous.as_ref().filter(|_| {
            let progression = found.as_ref().err().map(|fault| fault.1.progression);
            progression == Some(FaultProgression::Validation)
        });
        let in_force = previous.unwrap_or(&connector.config);
        let makes = match &mut found {
            Ok(makes) => std::mem::take(makes),
            Err(_) => Vec::new(),
        };
        let tasks = self.task_count(&plugin, in_force, &connector.id);
        let fault = found.err().map(|fault| *fault);
        let onset = fault.as_ref().map(|(since, fault)| FaultOnset {
            since: *since,
            progression: fault.progression,
        });
        let state = match connector.lifetime.exists() {
            true => state_at(&connector.run, &times, onset, tasks, self.now),
            false => LifecycleState::Deleted,
        };
        ConnectorEvaluation {
            ran_until: connector.run.ran_until(&times, onset, state, self.now),
            state,
            tasks,
            runs_previous_config: previous.is_some(),
            fault_since: fault.as_ref().map(|(since, _)| *since),
            fault: fault.map(|(_, fault)| fault),
            topics_to_create: if state == LifecycleState::Running {
                makes
            } else {
                Vec::new()
            },
            plugin,
        }
    }

    /// Returns the fault of a configuration, or the topics that the connector creates.
    fn check_config(
        &self,
        connector: &ConnectorRecord,
        config: &ConnectorConfig,
        plugin: &SandboxPlugin,
    ) -> Result<Vec<String>, Box<(Timestamp, FaultDetails)>> {
        let subject = FaultContext {
            plugin,
            config,
            id: &connector.id,
            detail: "",
        };
        let armed = self
            .state
            .connector_faults
            .iter()
            .find(|armed| armed.connector == connector.name && armed.kind.fits(plugin));
        if let Some(armed) = armed {
            return Err(Box::new((armed.since, fault_details(armed.kind, subject))));
        }
        if let Some(kind) = connector.triggered_faults.values().next() {
            return Err(Box::new((connector.run.since, fault_details(*kind, subject))));
        }
        if connector.offsets.has_wrong_type {
            return Err(Box::new((
                connector.run.since,
                fault_details(Fault::OffsetType, subject),
            )));
        }
        // A connector recreates a deleted topic only at its next start (docs/reference/quotas.md#connector-limits).
        let made = connector.topics_created_in_run == Some(connector.run.since);
        self.check_access(config, plugin, &connector.id, made)
            .map_err(|(kind, detail)| {
                let subject = FaultContext {
                    detail: &detail,
                    ..subject
                };
                Box::new((connector.run.since, fault_details(kind, subject)))
            })
    }

    /// Returns the number of running tasks: a sink runs at most one task per partition
    /// (docs/reference/connect.md#common-configuration-keys), a CDC source runs one.
    fn task_count(&self, plugin: &SandboxPlugin, config: &ConnectorConfig, id: &str) -> u32 {
        let wanted = tasks_max(config).max(1);
        if plugin.is_sink() {
            let read = connector_topics(plugin.class(), config, id).read;
            let partitions: u32 = read
                .iter()
                .filter_map(|name| self.topic(name))
                .map(|topic| topic.partitions)
                .sum();
            return if partitions == 0 {
                wanted
            } else {
                wanted.min(partitions)
            };
        }
        if uses_dotted_names(plugin.class()) { 1 } else { wanted }
    }

    fn topic(&self, name: &str) -> Option<&TopicRecord> {
        let stored = self.state.topics.get(&self.cluster.id).and_then(|here| here.get(name));
        stored.or_else(|| self.new_topics.iter().find(|topic| topic.name == name))
    }

    /// Returns the Kafka principal of the connector.
    fn kafka_principal(&self, config: &ConnectorConfig) -> Result<Principal, (Fault, String)> {
        if value(config, "kafka.auth.mode") == Some("SERVICE_ACCOUNT") {
            let id = value(config, "kafka.service.account.id").unwrap_or_default();
            return match self.state.account(id) {
                Some(account) => Ok(Principal::ServiceAccount(account.id.clone())),
                None => Err((Fault::KafkaKeyInvalid, id.to_owned())),
            };
        }
        let key = value(config, "kafka.api.key").and_then(|id| self.state.key(id));
        let key = key.filter(|key| key.resource == KeyResource::Cluster(self.cluster.id.clone()));
        key.map(|key| key.owner.clone())
            .ok_or_else(|| (Fault::KafkaKeyInvalid, String::new()))
    }

    fn check_access(&self, config: &ConnectorConfig, plugin: &SandboxPlugin, id: &str, made: bool) -> AccessCheck {
        let identity = self.kafka_principal(config)?;
        let ConnectorTopics {
            read,
            written,
            internal,
            prefix,
            reports,
        } = connector_topics(plugin.class(), config, id);
        let may = |operation, kind, name: &str| {
            let resource = self.address.resource(kind, name);
            resource.is_some_and(|resource| self.is_allowed(&identity, operation, &resource))
        };
        let topic = |operation, name: &str| may(operation, ResourceKind::Topic, name);
        let assumed = &self.state.settings.assumptions.connect;
        let mut makes = Vec::new();
        for name in &reports {
            // The service detects this while it validates the configuration, before tasks start.
            let there = self.topic(name).is_some();
            if !(there || made || self.can_create_dead_letter_queue(&identity, name)) {
                return Err((Fault::DlqNotCreatable, format!("CREATE {name}")));
            }
            if !topic(Operation::Write, name) {
                return Err((Fault::DlqNotCreatable, format!("WRITE {name}")));
            }
            if !there && !made {
                makes.push(name.clone());
            }
        }
        for name in &read {
            if !topic(Operation::Read, name) {
                return Err((Fault::TopicDenied, name.clone()));
            }
            if self.topic(name).is_none() && assumed.missing_topic_fails {
                return Err((Fault::MissingTopic, name.clone()));
            }
        }
        if plugin.is_sink() && !may(Operation::Read, ResourceKind::Group, &format!("connect-{id}")) {
            return Err((Fault::GroupDenied, format!("connect-{id}")));
        }
        for name in written.iter().chain(&internal) {
            if !topic(Operation::Write, name) {
                return Err((Fault::TopicDenied, name.clone()));
            }
            if self.topic(name).is_none() {
                match !made && topic(Operation::Create, name) {
                    true => makes.push(name.clone()),
                    false => return Err((Fault::MissingTopic, name.clone())),
                }
            }
        }
        if let Some(prefix) = prefix
            && !self.can_write_prefix(&identity, &prefix)
        {
            return Err((Fault::TopicDenied, prefix));
        }
        let (operation, with_schemas) = match plugin.is_sink() {
            true => (Operation::Read, &read),
            false => (Operation::Write, &written),
        };
        for part in subject_suffixes(plugin, config) {
            for name in with_schemas {
                let subject = format!("{name}-{part}");
                if !may(operation, ResourceKind::Subject, &subject) {
                    return Err((Fault::SchemaDenied, subject));
                }
            }
        }
        Ok(makes)
    }

    /// Returns whether roles and ACLs allow an operation. On a Basic cluster, which has no roles on topics and groups,
    /// only ACLs count (docs/reference/rbac.md#cluster-types-with-rbac).
    fn is_allowed(&self, identity: &Principal, operation: Operation, resource: &Crn) -> bool {
        let rights = self.state.kafka_evaluator_at(identity, self.now);
        rights.decide(identity, operation, resource).is_allowed()
    }

    /// Returns whether the principal may create a dead letter queue. Roles may not be sufficient (CC-39052).
    fn can_create_dead_letter_queue(&self, identity: &Principal, name: &str) -> bool {
        let rights = self.state.kafka_evaluator_at(identity, self.now);
        let by_role = self.state.settings.assumptions.connect.dead_letters_by_role;
        self.address.resource(ResourceKind::Topic, name).is_some_and(|queue| {
            let decision = rights.decide(identity, Operation::Create, &queue);
            let by_acl = || rights.allowing_acl(identity, Operation::Create, &queue).is_some();
            decision.is_allowed() && (by_role || by_acl())
        })
    }

    /// Returns whether the principal may write to all topics with this prefix.
    fn can_write_prefix(&self, identity: &Principal, prefix: &str) -> bool {
        let pattern = self
            .address
            .pattern(ResourceKind::Topic, NamePattern::Prefixed(prefix.to_owned()));
        pattern.is_some_and(|pattern| {
            let rights = self.state.kafka_evaluator_at(identity, self.now);
            rights.decide_pattern(identity, Operation::Write, &pattern).is_allowed()
        })
    }
}

impl ConnectorRecord {
    /// Returns the value of `connector.class`.
    pub(crate) fn class(&self) -> &str {
        value(&self.config, "connector.class").unwrap_or_default()
    }

    /// Records an action on the connector.
    pub(crate) fn record_action(
        &mut self,
        act: super::lifecycle::ConnectorAction,
        before: LifecycleState,
        now: Timestamp,
    ) {
        self.run = ConnectorRun {
            action: act,
            since: now,
            previous_state: before,
        };
    }
}
