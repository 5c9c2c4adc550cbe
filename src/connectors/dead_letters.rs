//! Dead letters of a sink: the topics with the records that it could not write, their number, and how to read them.

use std::time::Duration;

use serde::Serialize;

use super::{
    metrics::{MetricsRange, read_report},
    selectors,
};
use crate::{
    catalog::topics::connector_topics,
    error::Error,
    hint::shell_quote,
    resources::connector::LiveConnector,
    session::{ConnectorSession, RunContext},
};

/// Time for which dead letters are counted.
pub const COUNTED_TIME: Duration = Duration::from_hours(24);

/// Header of a dead letter, which Kafka Connect writes (Kafka's KIP-298; docs.confluent.io, dead letter queue of managed
/// connectors).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetterHeader {
    /// Name of the header in the Kafka record.
    pub header: &'static str,
    /// Meaning of the value.
    pub meaning: &'static str,
}

const fn header(header: &'static str, meaning: &'static str) -> DeadLetterHeader {
    DeadLetterHeader { header, meaning }
}

/// Headers of a dead letter, the most useful first.
pub const HEADERS: [DeadLetterHeader; 9] = [
    header("__connect.errors.exception.message", "what went wrong"),
    header("__connect.errors.exception.class.name", "class of the error"),
    header(
        "__connect.errors.stage",
        "step that failed: a converter, a transform, or the write to the target",
    ),
    header("__connect.errors.topic", "topic of the record"),
    header("__connect.errors.partition", "partition of the record"),
    header("__connect.errors.offset", "offset of the record"),
    header("__connect.errors.task.id", "task that read the record"),
    header(
        "__connect.errors.class.name",
        "class of the converter, transform or task that failed",
    ),
    header("__connect.errors.exception.stacktrace", "stack trace of the error"),
];

/// Dead letters of a connector.
#[derive(Debug, Serialize)]
pub struct DeadLetters {
    /// Id of the connector.
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// Topics with dead letters; empty if the connector stops at the first record that it cannot write.
    pub topics: Vec<DeadLetterTopic>,
    /// Records written to them in the last 24 hours; `None` if it is unknown.
    pub records: Option<u64>,
    /// Reason why the number is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records_unknown: Option<String>,
    /// Headers of each record.
    pub headers: &'static [DeadLetterHeader],
}

/// Topic with dead letters.
#[derive(Debug, Serialize)]
pub struct DeadLetterTopic {
    /// Name of the dead letter topic.
    pub topic: String,
    /// Command of the Confluent CLI that reads the topic.
    pub command: String,
}

/// Describes the dead letters of the sink with the id or name `selector`.
///
/// # Errors
/// There is no such connector, it belongs to another department, or it is a source.
pub async fn describe_dead_letters(
    run: &RunContext,
    session: &ConnectorSession,
    selector: &str,
) -> Result<DeadLetters, Error> {
    let observed = selectors::find(session, selector).await?;
    if observed.direction().eq_ignore_ascii_case("source") {
        return Err(Error::failed(format!(
            "connector `{}` is a source, and only sinks have dead letters",
            observed.name
        )));
    }
    let topics = connector_topics(observed.class(), &observed.expanded.info.config, observed.id()).reports;
    let topics = topics.into_iter().map(|topic| DeadLetterTopic {
        command: consume_command(session, &topic),
        topic,
    });
    let counted = count_records(run, session, &observed).await;
    let (records, records_unknown) = match counted {
        Ok(records) => (records, None),
        Err(error) => (None, Some(error.to_string())),
    };
    Ok(DeadLetters {
        id: observed.id().to_owned(),
        name: observed.name.clone(),
        topics: topics.collect(),
        records,
        records_unknown,
        headers: &HEADERS,
    })
}

/// Returns the command of the Confluent CLI that reads `topic` with a key of the cluster.
fn consume_command(session: &ConnectorSession, topic: &str) -> String {
    let path = &session.connectors.cluster_path;
    // A key may read only in groups with the prefix of its department.
    let group = session.department.as_ref().map_or(String::new(), |department| {
        format!(" --group {}", shell_quote(&format!("{}dlq-reader", department.prefix)))
    });
    format!(
        "confluent kafka topic consume {}{group} --from-beginning --full-header --print-key --environment {} --cluster \
         {} --api-key \"$KAFKA_API_KEY\" --api-secret \"$KAFKA_API_SECRET\"",
        shell_quote(topic),
        path.environment,
        path.cluster
    )
}

async fn count_records(
    run: &RunContext,
    session: &ConnectorSession,
    observed: &LiveConnector,
) -> Result<Option<u64>, Error> {
    let now = session.telemetry.clock().now();
    let range = MetricsRange {
        from: now.saturating_sub(COUNTED_TIME).unwrap_or(jiff::Timestamp::MIN),
        to: now,
        now,
    };
    let (report, error) = read_report(run, session, std::slice::from_ref(observed), range).await?;
    let metrics = report.connectors.iter().flat_map(|connector| &connector.metrics);
    let total = metrics
        .filter(|row| row.metric == "dead_letter_queue_records")
        .find_map(|row| row.total);
    match (total, error) {
        // Metrics are numbers of records, so that they are whole.
        (Some(total), _) => Ok(format!("{total:.0}").parse().ok()),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(None),
    }
}
