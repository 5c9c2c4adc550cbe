//! What is wrong with a connector: failures that were asked for, values that stand for one, and rights that the identity
//! behind it lacks (dossier `connect.md` §6, `rbac.md` §2.1).

use jiff::Timestamp;

use super::{
    ConnectorFault as Fault, Run,
    config::{Config, tasks_max, value},
    life::{Course, Onset, State, Times, state},
    plugins::Plugin,
    texts::{Subject, Trouble, trouble},
    topics::{Topics, subjects, topics},
};
use crate::{
    access::Operation,
    catalog::topic_keys::dotted,
    model::{Address, Crn, NamePattern, Principal, ResourceKind},
    sandbox::state::{Cluster, Connector, KeyResource, State as World, Topic},
};

/// Everything that follows from a connector's records at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) plugin: Plugin,
    pub(crate) state: State,
    pub(crate) tasks: u32,
    pub(crate) trouble: Option<Trouble>,
    /// Since when something is wrong, whether it shows or not.
    pub(crate) wrong_since: Option<Timestamp>,
    /// The previous configuration is in force.
    pub(crate) on_previous: bool,
    /// It has worked until then: now, or when something was done to it or went wrong.
    pub(crate) worked_until: Timestamp,
    /// Topics that it has made, or would have by now.
    pub(crate) makes: Vec<String>,
}

impl Seen {
    /// What is wrong, once it shows.
    pub(crate) fn shown(&self) -> Option<&Trouble> {
        let shows = matches!(self.state, State::Failed | State::Degraded);
        self.trouble.as_ref().filter(|_| shows)
    }
}

/// A world in which a connector is looked at.
#[derive(Clone)]
pub(crate) struct Eye<'a> {
    pub(crate) world: &'a World,
    pub(crate) cluster: &'a Cluster,
    pub(crate) address: Address,
    pub(crate) now: Timestamp,
    /// Topics that have come to be by now, and are not stored yet.
    pub(crate) fresh: Vec<Topic>,
}

/// Partitions of a topic that nobody made by hand (docs `client-configs`, the default of Confluent Cloud).
pub(crate) const PARTITIONS: u32 = 6;

/// What the grants say: something is missing, or the topics that will be made.
type Granted = Result<Vec<String>, (Fault, String)>;

impl Eye<'_> {
    /// How long things take for a connector.
    pub(crate) fn times(&self, id: &str) -> Times {
        Times::of(self.world.settings.timing, self.world.ids(), id)
    }

    /// The topics that connectors have made by now and that are not stored yet, with the connectors that made them.
    pub(crate) fn settle(&mut self) -> Vec<(Connector, Vec<Topic>)> {
        let here = self
            .world
            .connectors
            .values()
            .filter(|found| found.cluster == self.cluster.id);
        let unmade: Vec<_> = here
            .filter(|found| found.life.exists() && found.made != Some(found.run.since))
            .collect();
        let mut settled = Vec::new();
        // Sources first: sinks may wait for what they write.
        let (sinks, sources): (Vec<_>, Vec<_>) = unmade
            .into_iter()
            .partition(|found| Plugin::of(found.class()).is_sink());
        for connector in sources.into_iter().chain(sinks) {
            let seen = self.look(connector);
            if seen.state != State::Running || seen.trouble.is_some() {
                continue;
            }
            let topic = |name| Topic {
                cluster: self.cluster.id.clone(),
                name,
                partitions: PARTITIONS,
                created: self.now,
            };
            let topics: Vec<_> = seen.makes.into_iter().map(topic).collect();
            self.fresh.extend(topics.iter().cloned());
            let mut connector = connector.clone();
            connector.made = Some(connector.run.since);
            settled.push((connector, topics));
        }
        settled
    }

    pub(crate) fn look(&self, connector: &Connector) -> Seen {
        let plugin = Plugin::of(connector.class());
        let times = self.times(&connector.id);
        let mut found = self.wrong(connector, &connector.config, &plugin);
        let previous = connector.previous.as_ref().filter(|_| {
            let course = found.as_ref().err().map(|wrong| wrong.1.course);
            course == Some(Course::Validation)
        });
        let in_force = previous.unwrap_or(&connector.config);
        let makes = match &mut found {
            Ok(makes) => std::mem::take(makes),
            Err(_) => Vec::new(),
        };
        let tasks = self.tasks(&plugin, in_force, &connector.id);
        let wrong = found.err().map(|wrong| *wrong);
        let onset = wrong.as_ref().map(|(since, trouble)| Onset {
            since: *since,
            course: trouble.course,
        });
        let state = match connector.life.exists() {
            true => state(&connector.run, &times, onset, tasks, self.now),
            false => State::Deleted,
        };
        Seen {
            worked_until: connector.run.worked_until(&times, onset, state, self.now),
            state,
            tasks,
            on_previous: previous.is_some(),
            wrong_since: wrong.as_ref().map(|(since, _)| *since),
            trouble: wrong.map(|(_, trouble)| trouble),
            makes: if state == State::Running { makes } else { Vec::new() },
            plugin,
        }
    }

    /// What would be wrong with a configuration; otherwise the topics that it makes.
    fn wrong(
        &self,
        connector: &Connector,
        config: &Config,
        plugin: &Plugin,
    ) -> Result<Vec<String>, Box<(Timestamp, Trouble)>> {
        let subject = Subject {
            plugin,
            config,
            id: &connector.id,
            detail: "",
        };
        let armed = self
            .world
            .connector_faults
            .iter()
            .find(|armed| armed.connector == connector.name);
        if let Some(armed) = armed {
            return Err(Box::new((armed.since, trouble(armed.kind, subject))));
        }
        if let Some(kind) = connector.telltales.values().next() {
            return Err(Box::new((connector.run.since, trouble(*kind, subject))));
        }
        if connector.offsets.wrong_type {
            return Err(Box::new((connector.run.since, trouble(Fault::OffsetType, subject))));
        }
        // A topic that is deleted comes back only with the next start (dossier `connect.md` §7).
        let made = connector.made == Some(connector.run.since);
        self.granted(config, plugin, &connector.id, made)
            .map_err(|(kind, detail)| {
                let subject = Subject {
                    detail: &detail,
                    ..subject
                };
                Box::new((connector.run.since, trouble(kind, subject)))
            })
    }

    /// How many tasks run: sinks have at most one per partition (dossier `connect.md` §4.1), logs are read by one.
    fn tasks(&self, plugin: &Plugin, config: &Config, id: &str) -> u32 {
        let wanted = tasks_max(config).max(1);
        if plugin.is_sink() {
            let read = topics(plugin, config, id).read;
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
        if dotted(plugin.class()) { 1 } else { wanted }
    }

    fn topic(&self, name: &str) -> Option<&Topic> {
        let stored = self.world.topics.get(&self.cluster.id).and_then(|here| here.get(name));
        stored.or_else(|| self.fresh.iter().find(|topic| topic.name == name))
    }

    /// Who the connector is towards Kafka.
    fn identity(&self, config: &Config) -> Result<Principal, (Fault, String)> {
        if value(config, "kafka.auth.mode") == Some("SERVICE_ACCOUNT") {
            let id = value(config, "kafka.service.account.id").unwrap_or_default();
            return match self.world.account(id) {
                Some(account) => Ok(Principal::ServiceAccount(account.id.clone())),
                None => Err((Fault::KafkaKeyInvalid, id.to_owned())),
            };
        }
        let key = value(config, "kafka.api.key").and_then(|id| self.world.key(id));
        let key = key.filter(|key| key.resource == KeyResource::Cluster(self.cluster.id.clone()));
        key.map(|key| key.owner.clone())
            .ok_or_else(|| (Fault::KafkaKeyInvalid, String::new()))
    }

    fn granted(&self, config: &Config, plugin: &Plugin, id: &str, made: bool) -> Granted {
        let identity = self.identity(config)?;
        let Topics {
            read,
            written,
            history,
            prefix,
            reports,
        } = topics(plugin, config, id);
        let may = |operation, kind, name: &str| {
            let resource = self.address.resource(kind, name);
            resource.is_some_and(|resource| self.may(&identity, operation, &resource))
        };
        let topic = |operation, name: &str| may(operation, ResourceKind::Topic, name);
        let assumed = &self.world.settings.assumptions.connect;
        let mut makes = Vec::new();
        for name in &reports {
            // Found when the configuration is validated, before anything runs.
            let there = self.topic(name).is_some();
            if !(there || made || self.may_make_queue(&identity, name)) {
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
        for name in written.iter().chain(&history) {
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
            && !self.may_below(&identity, &prefix)
        {
            return Err((Fault::TopicDenied, prefix));
        }
        let (operation, with_schemas) = match plugin.is_sink() {
            true => (Operation::Read, &read),
            false => (Operation::Write, &written),
        };
        for part in subjects(plugin, config) {
            for name in with_schemas {
                let subject = format!("{name}-{part}");
                if !may(operation, ResourceKind::Subject, &subject) {
                    return Err((Fault::SchemaDenied, subject));
                }
            }
        }
        Ok(makes)
    }

    /// Roles and ACLs decide together; on a Basic cluster, which knows no roles on topics and groups, ACLs are all there is
    /// (dossier `rbac.md` §1.3).
    fn may(&self, identity: &Principal, operation: Operation, resource: &Crn) -> bool {
        let rights = self.world.kafka_rights_at(identity, self.now);
        rights.decide(identity, operation, resource).is_allowed()
    }

    /// Whether the identity may make a queue for dead letters; roles may not be enough for that (CC-39052).
    fn may_make_queue(&self, identity: &Principal, name: &str) -> bool {
        let rights = self.world.kafka_rights_at(identity, self.now);
        let by_role = self.world.settings.assumptions.connect.dead_letters_by_role;
        self.address.resource(ResourceKind::Topic, name).is_some_and(|queue| {
            let decision = rights.decide(identity, Operation::Create, &queue);
            let by_acl = || rights.allowance(identity, Operation::Create, &queue).is_some();
            decision.is_allowed() && (by_role || by_acl())
        })
    }

    /// Whether the identity may write every topic that begins so.
    fn may_below(&self, identity: &Principal, prefix: &str) -> bool {
        let pattern = self
            .address
            .pattern(ResourceKind::Topic, NamePattern::Prefixed(prefix.to_owned()));
        pattern.is_some_and(|pattern| {
            let rights = self.world.kafka_rights_at(identity, self.now);
            rights.decide_pattern(identity, Operation::Write, &pattern).is_allowed()
        })
    }
}

impl Connector {
    /// The value of `connector.class`.
    pub(crate) fn class(&self) -> &str {
        value(&self.config, "connector.class").unwrap_or_default()
    }

    /// The next thing is done to it.
    pub(crate) fn act(&mut self, act: super::life::Act, before: State, now: Timestamp) {
        self.run = Run {
            act,
            since: now,
            before,
        };
    }
}
