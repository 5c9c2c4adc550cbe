//! Rules for connectors that do not start in time, in the words of clients.

use super::{Confluent, DiagnosisRule, Documented, ErrorFamily, alternative, operator_step};

pub(super) static RULES: &[DiagnosisRule] = &[DiagnosisRule {
    id: "provisioning-slow",
    family: ErrorFamily::Provisioning,
    said_by: &[],
    patterns: &[
        "waiting for * connector * to provision",
        "timeout while waiting for state to become",
        "waiting for connector * provision",
        "stuck in * PROVISIONING",
        "stuck in provisioning",
        "unexpected state 'FAILED', wanted target 'RUNNING'",
        "waiting for Connector * to",
    ],
    cause: "The connector did not reach RUNNING while the client waited.",
    fix: "Look at the connector's state; a failed one has its own message.",
    next_steps: &[
        operator_step("Explain its state", "connector explain {name}"),
        alternative(
            "If it has been PROVISIONING for more than 15 min, it is stuck: send its id and the \
                time to the platform team for a support case; on private networking, also check the \
                route to the external system.",
        ),
    ],
    owner: Confluent,
    example: "error waiting for Connector \"lcc-8kq2zm\" to provision: timeout while waiting for \
                state to become 'RUNNING' (last state: 'PROVISIONING', timeout: 1h0m0s)",
    confidence: Documented,
    source: "terraform-provider-confluent issues 42 and 199",
    is_generic: false,
}];
