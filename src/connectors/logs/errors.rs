//! Explains why a log cannot be read and who can help.

use crate::{client::ClientError, error::Error, resources::logs::follow::LogError, session::ConnectorSession};

/// Adds the connector and hints to a failure to read its log.
pub(super) fn explain_log_error(session: &ConnectorSession, name: &str, error: LogError) -> Error {
    let what = format!("cannot read the log of connector `{name}`");
    let LogError::Client(error) = error else {
        return Error::from(error).context(what);
    };
    let (forbidden, moved) = (error.is_forbidden(), may_have_moved(&error));
    let mut explained = Error::from(error).context(what);
    if forbidden {
        // Source: docs/reference/logs.md#who-may-read-logs. The general advice for 403 is less specific.
        explained.hints.clear();
        explained = explained.with_hint(
            "Reading logs requires ConnectManager or ResourceOwner on the connector, or an administrator role on its \
             cluster; read-only roles are not sufficient.",
        );
        let department = session.department.as_ref();
        if let Some(viewer) = department.filter(|department| department.persona.as_deref() == Some("viewer")) {
            explained = explained.with_hint(format!(
                "Use the profile of the operator, such as `--profile {}-operator`.",
                viewer.code
            ));
        }
    } else if moved {
        let hosts = session.telemetry.hosts();
        explained = explained.with_hint(format!(
            "Logs are read from {} with tokens from {}. Both hosts are undocumented and may have changed; set \
             `CONFLUENT_EBS_LOGS_ENDPOINT` and `CONFLUENT_EBS_TOKEN_ENDPOINT` to use other hosts.",
            hosts.logs, hosts.token
        ));
    }
    explained
}

/// Returns whether the host itself may be the problem: not found, unexpected response, or unreachable.
fn may_have_moved(error: &ClientError) -> bool {
    match error {
        ClientError::NoResponse { .. } | ClientError::InvalidResponse { .. } | ClientError::Pagination { .. } => true,
        other => other.status().is_some_and(|status| {
            matches!(status.as_u16(), 301 | 302 | 307 | 308 | 404 | 405 | 410) || status.is_server_error()
        }),
    }
}
