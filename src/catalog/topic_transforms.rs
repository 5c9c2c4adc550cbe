//! Single message transforms that change the topic of a record, so that a source writes elsewhere than its topic keys
//! say.
//!
//! Sources: Debezium's documentation of the outbox event router and of topic routing; Kafka's documentation of
//! `RegexRouter` and `TimestampRouter`; Confluent's documentation of `TopicRegexRouter`, `ExtractTopic` and
//! `MessageTimestampRouter`. A router that names a topic by a regular expression changes only the topics that match it
//! as a whole.

use regex_automata::meta::Regex;
use regex_syntax::hir::{Capture, Hir, HirKind};

use super::regex_prefix;

/// A transform that changes the topic.
#[derive(Clone, Debug)]
pub struct TopicTransform<'a> {
    /// Name in `transforms`.
    pub name: &'a str,
    kind: TopicTransformKind<'a>,
    /// Key that determines the new topic.
    pub key: String,
    /// Whether a predicate restricts it to some records.
    conditional: bool,
}

#[derive(Clone, Debug)]
enum TopicTransformKind<'a> {
    /// `regex` and its `replacement`, with `$1` and `${name}`.
    Regex { regex: &'a str, replacement: &'a str },
    /// A template, with `${routedByValue}` for a value of the record.
    Event { replacement: &'a str },
    /// A format, with `${topic}` and `${timestamp}`.
    Timestamp { format: &'a str },
    /// A field of the record.
    Field,
}

/// Where the records of a source go, compared with a name prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopicPlacement {
    /// Every topic starts with the prefix.
    Inside,
    /// The names depend on the records.
    Unproven,
    /// Some topic does not start with the prefix.
    Outside,
}

/// Returns the transforms of a configuration that change the topic, in the order in which they are applied.
pub fn topic_transforms<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Vec<TopicTransform<'a>> {
    let names = value("transforms").unwrap_or_default();
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.filter_map(|name| read(name, &value)).collect()
}

/// Returns where the records of a source go after all `transforms`, and the transform that leads outside `prefix`.
#[must_use]
pub fn place_transformed<'t, 'a>(
    transforms: &'t [TopicTransform<'a>],
    prefix: &str,
) -> (TopicPlacement, Option<&'t TopicTransform<'a>>) {
    let mut placement = TopicPlacement::Inside;
    let mut cause = None;
    for transform in transforms {
        let after = transform.place(placement, prefix);
        if after != placement {
            cause = (after != TopicPlacement::Inside).then_some(transform);
        }
        placement = after;
    }
    (placement, cause)
}

fn read<'a>(name: &'a str, value: &impl Fn(&str) -> Option<&'a str>) -> Option<TopicTransform<'a>> {
    let key = |setting: &str| format!("transforms.{name}.{setting}");
    let setting = |setting: &str| value(&key(setting));
    let class = setting("type")?;
    let simple = class.rsplit('.').next().unwrap_or(class);
    let (own, kind) = match simple.split('$').next().unwrap_or(simple) {
        "RegexRouter" | "TopicRegexRouter" => (
            "replacement",
            TopicTransformKind::Regex {
                regex: setting("regex")?,
                replacement: setting("replacement")?,
            },
        ),
        "ByLogicalTableRouter" => (
            "topic.replacement",
            TopicTransformKind::Regex {
                regex: setting("topic.regex")?,
                replacement: setting("topic.replacement")?,
            },
        ),
        "EventRouter" => (
            "route.topic.replacement",
            TopicTransformKind::Event {
                replacement: setting("route.topic.replacement").unwrap_or("outbox.event.${routedByValue}"),
            },
        ),
        "TimestampRouter" | "MessageTimestampRouter" => (
            "topic.format",
            TopicTransformKind::Timestamp {
                format: setting("topic.format").unwrap_or("${topic}-${timestamp}"),
            },
        ),
        "ExtractTopic" => ("field", TopicTransformKind::Field),
        _ => return None,
    };
    Some(TopicTransform {
        name,
        kind,
        key: key(own),
        conditional: setting("predicate").is_some(),
    })
}

/// Returns the text before the first variable.
fn literal_head(template: &str) -> &str {
    template.split('$').next().unwrap_or_default()
}

impl<'a> TopicTransform<'a> {
    /// Returns the template of the new topic; `None` if a field of the record names it.
    #[must_use]
    pub fn template(&self) -> Option<&'a str> {
        match self.kind {
            TopicTransformKind::Regex { replacement, .. } | TopicTransformKind::Event { replacement } => {
                Some(replacement)
            }
            TopicTransformKind::Timestamp { format } => Some(format),
            TopicTransformKind::Field => None,
        }
    }

    /// Returns where records go whose topics were at `before`.
    #[must_use]
    pub fn place(&self, before: TopicPlacement, prefix: &str) -> TopicPlacement {
        let of_template = |template: &str| match literal_head(template) {
            head if head.starts_with(prefix) => TopicPlacement::Inside,
            head if prefix.starts_with(head) && head.len() < template.len() => TopicPlacement::Unproven,
            _ => TopicPlacement::Outside,
        };
        let after = match self.kind {
            TopicTransformKind::Regex { regex, replacement } => match of_template(replacement) {
                TopicPlacement::Unproven => place_of_group(regex, replacement, prefix, before),
                decided => decided,
            },
            TopicTransformKind::Event { replacement } => of_template(replacement),
            TopicTransformKind::Timestamp { format } if format.starts_with("${topic}") => before,
            TopicTransformKind::Timestamp { format } => of_template(format),
            TopicTransformKind::Field => TopicPlacement::Unproven,
        };
        let all = match self.kind {
            TopicTransformKind::Regex { regex, .. } => matches_everything(regex),
            _ => true,
        };
        match all && !self.conditional {
            true => after,
            false => after.max(before),
        }
    }

    /// Returns the new name of `topic`: the full name, or the part before the first value of a record.
    #[must_use]
    pub fn rename(&self, topic: &str) -> RenamedTopic {
        match self.kind {
            TopicTransformKind::Regex { regex, replacement } => {
                RenamedTopic::Name(replace(regex, replacement, topic).unwrap_or_else(|| topic.to_owned()))
            }
            TopicTransformKind::Event { replacement } => RenamedTopic::Prefix(literal_head(replacement).to_owned()),
            TopicTransformKind::Timestamp { format } => {
                let begin = format.split("${timestamp}").next().unwrap_or_default();
                RenamedTopic::Prefix(begin.replace("${topic}", topic))
            }
            TopicTransformKind::Field => RenamedTopic::Name(topic.to_owned()),
        }
    }
}

/// Topic after a transform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenamedTopic {
    /// Full name.
    Name(String),
    /// Beginning of the name.
    Prefix(String),
}

/// Returns where a replacement goes that begins with a group of the regular expression.
fn place_of_group(regex: &str, replacement: &str, prefix: &str, before: TopicPlacement) -> TopicPlacement {
    let Some(group) = replacement.strip_prefix('$').map(group_name) else {
        return TopicPlacement::Unproven;
    };
    let Some(hir) = regex_prefix::parse(regex) else {
        return TopicPlacement::Unproven;
    };
    if group == "0" {
        return before;
    }
    match find_group(&hir, group) {
        Some(found) if regex_prefix::hir_starts_with(&found.sub, prefix) => TopicPlacement::Inside,
        // `(.*)` as a whole is the former name.
        Some(_) if matches!(hir.kind(), HirKind::Capture(_)) => before,
        _ => TopicPlacement::Unproven,
    }
}

/// Returns the name or number after `$`.
fn group_name(reference: &str) -> &str {
    if let Some(named) = reference.strip_prefix('{') {
        return named.split('}').next().unwrap_or_default();
    }
    let digits = reference.bytes().take_while(u8::is_ascii_digit).count();
    &reference[..digits]
}

fn find_group<'h>(hir: &'h Hir, group: &str) -> Option<&'h Capture> {
    match hir.kind() {
        HirKind::Capture(capture) => {
            let named = capture.name.as_deref() == Some(group) || capture.index.to_string() == group;
            if named {
                Some(capture)
            } else {
                find_group(&capture.sub, group)
            }
        }
        HirKind::Repetition(repetition) => find_group(&repetition.sub, group),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().find_map(|part| find_group(part, group)),
        _ => None,
    }
}

fn matches_everything(regex: &str) -> bool {
    let inner = regex.trim_start_matches('^').trim_end_matches('$');
    let inner = inner
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'))
        .unwrap_or(inner);
    [".*", ".+", "?:.*", "?<topic>.*", "?<routedByValue>.*"].contains(&inner)
}

/// Replaces a topic that matches `regex` as a whole.
fn replace(regex: &str, replacement: &str, topic: &str) -> Option<String> {
    let whole = Regex::new(&format!("^(?:{regex})$")).ok()?;
    let mut captures = whole.create_captures();
    whole.captures(topic, &mut captures);
    if !captures.is_match() {
        return None;
    }
    // Java reads `$1x` as group 1 and `x`.
    let mut template = String::new();
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        template.push_str(before);
        template.push('$');
        if digits > 0 {
            template.extend(["{", &after[..digits], "}"]);
        }
        rest = &after[digits..];
    }
    template.push_str(rest);
    let mut renamed = String::new();
    captures.interpolate_string_into(topic, &template, &mut renamed);
    Some(renamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(settings: &[(&str, &str)]) -> TopicPlacement {
        let value = |key: &str| settings.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        topic_transforms(value)
            .iter()
            .fold(TopicPlacement::Inside, |before, transform| {
                transform.place(before, "claims-")
            })
    }

    // Sources: see the head of this file.
    #[test]
    fn a_transform_keeps_topics_inside_leads_outside_or_depends_on_records() {
        use TopicPlacement::{Inside, Outside, Unproven};
        let router = |class: &'static str, regex, replacement| {
            place(&[
                ("transforms", "r"),
                ("transforms.r.type", class),
                ("transforms.r.regex", regex),
                ("transforms.r.replacement", replacement),
            ])
        };
        let regex_router = "org.apache.kafka.connect.transforms.RegexRouter";
        for (regex, replacement, expected) in [
            ("(.*)", "claims-$1", Inside),
            (".*", "claims-all", Inside),
            ("(.*)", "$1", Inside),
            (r"(claims-x)\.public\.(.*)", "$1.$2", Inside),
            (r"(claims-x)\.public\.(.*)", "${1}_$2", Inside),
            (r"claims-x\.public\.(.*)", "fraud-$1", Outside),
            (r"claims-x\.public\.(.*)", "$1", Unproven),
            ("(.*)-(.*)", "$1_$2", Unproven),
            ("(.*)", "app.all", Outside),
            ("(.*)", "claim$1", Unproven),
        ] {
            assert_eq!(
                router(regex_router, regex, replacement),
                expected,
                "{regex} {replacement}"
            );
        }
        let cloud = "io.confluent.connect.cloud.transforms.TopicRegexRouter";
        assert_eq!(router(cloud, "a.(.*)", "fraud-$1"), Outside);
        let one = |class, key, value| place(&[("transforms", "t"), ("transforms.t.type", class), (key, value)]);
        let event = "io.debezium.transforms.outbox.EventRouter";
        assert_eq!(one(event, "", ""), Outside);
        let key = "transforms.t.route.topic.replacement";
        assert_eq!(one(event, key, "claims-${routedByValue}"), Inside);
        assert_eq!(one(event, key, "${routedByValue}"), Unproven);
        let timestamp = "org.apache.kafka.connect.transforms.TimestampRouter";
        assert_eq!(one(timestamp, "", ""), Inside);
        assert_eq!(one(timestamp, "transforms.t.topic.format", "day-${timestamp}"), Outside);
        let message = "io.confluent.connect.transforms.MessageTimestampRouter";
        assert_eq!(one(message, "transforms.t.topic.format", "claims-${topic}"), Inside);
        assert_eq!(
            one("io.confluent.connect.transforms.ExtractTopic$Value", "", ""),
            Unproven
        );
        let logical = "io.debezium.transforms.ByLogicalTableRouter";
        assert_eq!(
            place(&[
                ("transforms", "l"),
                ("transforms.l.type", logical),
                ("transforms.l.topic.regex", "(.*)"),
                ("transforms.l.topic.replacement", "app.all"),
            ]),
            Outside
        );
    }

    #[test]
    fn a_later_transform_for_all_topics_brings_them_back() {
        let chain = |regex| {
            place(&[
                ("transforms", "o, r"),
                ("transforms.o.type", "io.debezium.transforms.outbox.EventRouter"),
                ("transforms.r.type", "org.apache.kafka.connect.transforms.RegexRouter"),
                ("transforms.r.regex", regex),
                ("transforms.r.replacement", "claims-$1"),
            ])
        };
        assert_eq!(chain("(.*)"), TopicPlacement::Inside);
        assert_eq!(chain("outbox.event.a(.*)"), TopicPlacement::Outside);
    }

    #[test]
    fn a_topic_is_renamed_as_java_does() {
        let rename = |regex, replacement, topic: &str| replace(regex, replacement, topic);
        assert_eq!(rename(r"a\.(.*)", "b-$1", "a.x").unwrap(), "b-x");
        assert_eq!(rename(r"(a)\.(.*)", "$1x$2", "a.b").unwrap(), "axb");
        assert_eq!(rename(r"(?<n>a)\.b", "${n}", "a.b").unwrap(), "a");
        assert_eq!(rename("a", "b", "aa"), None, "only whole names match");
    }
}
