//! Owner of a denied topic: the prefix of the department decides.

use crate::{
    model::Prefix,
    resources::connector::diagnosis::{FaultOwner, MatchedRule, RemedyStep, TOPIC_DENIED, TOPIC_FOREIGN_STEPS},
};

/// Owner, fix and steps of a denied topic, if the message names topics and the prefix of the department is known.
pub(super) fn judge_topic(
    found: &MatchedRule,
    prefix: Option<&Prefix>,
) -> Option<(FaultOwner, &'static str, &'static [RemedyStep])> {
    if found.rule.id != TOPIC_DENIED {
        return None;
    }
    let topics: Vec<&str> = found.errors.iter().flat_map(|error| named_topics(error)).collect();
    let (prefix, [_, ..]) = (prefix?, topics.as_slice()) else {
        return None;
    };
    Some(if topics.iter().all(|topic| prefix.owns(topic)) {
        let fix = "Ask the platform team for access to the topic: it has the department's prefix.";
        (FaultOwner::Platform, fix, found.rule.next_steps)
    } else {
        let fix = "Use a topic with the department's prefix: access is limited to it.";
        (FaultOwner::Department, fix, TOPIC_FOREIGN_STEPS)
    })
}

/// Returns the topics that a message of Kafka names: `topics: [a, b]` or `topic a`.
fn named_topics(message: &str) -> Vec<&str> {
    if let Some((_, rest)) = message.split_once("topics: [") {
        let list = rest.split(']').next().unwrap_or_default();
        return list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    }
    let mut words = message.split(|c: char| c.is_whitespace() || "\"'`".contains(c));
    let after = words.by_ref().skip_while(|word| *word != "topic").nth(1);
    let is_name = |word: &&str| word.contains(['-', '_', '.']);
    after
        .map(|word| word.trim_end_matches(['.', ',', ':']))
        .filter(is_name)
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::connector::diagnosis::diagnose_message;

    #[test]
    fn the_prefix_decides_who_owns_a_denied_topic() {
        let prefix = Prefix::parse("claims-").unwrap();
        let owner = |message: &str, prefix: Option<&Prefix>| {
            let found = diagnose_message(message);
            assert_eq!(found.rule.id, TOPIC_DENIED, "{message}");
            judge_topic(&found, prefix).map(|(owner, ..)| owner)
        };
        let denied = |topics: &str| {
            format!(
                "org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized to access topics: [{topics}]"
            )
        };
        assert_eq!(
            owner(&denied("claims-orders"), Some(&prefix)),
            Some(FaultOwner::Platform)
        );
        assert_eq!(
            owner(&denied("motor-policies"), Some(&prefix)),
            Some(FaultOwner::Department)
        );
        assert_eq!(
            owner(&denied("claims-a, motor-b"), Some(&prefix)),
            Some(FaultOwner::Department)
        );
        assert_eq!(
            owner("User does not have READ access to topic motor-policies", Some(&prefix)),
            Some(FaultOwner::Department)
        );
        assert_eq!(owner("TOPIC_AUTHORIZATION_FAILED", Some(&prefix)), None);
        assert_eq!(owner(&denied("claims-orders"), None), None);
    }
}
