//! Exit codes, a stable interface for pipelines.
//!
//! They reach the caller only if `confluent-ebs` runs directly: the Confluent CLI replaces every failure of a plugin by
//! 1 (cli `pkg/plugin/plugin.go`), so every failure also prints a message.

/// Exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    /// Success, nothing to do, or a declined prompt.
    Ok = 0,
    /// Failure; the message names it.
    Failed = 1,
    /// Differences exist, and `--detailed-exitcode` is set.
    Differences = 2,
    /// Partly applied; re-running the command finishes it. Of a plan: changes above `--max-risk`.
    Partial = 3,
    /// Not authenticated or not authorized.
    Denied = 4,
    /// Refused by a policy, a naming rule or a quota; nothing was written.
    Refused = 5,
    /// An observed resource is unhealthy.
    Unhealthy = 6,
    /// The plan is stale: files or connectors changed since it was approved; nothing was written.
    Stale = 7,
    /// Invalid arguments, or a prompt without a terminal and without `--yes`.
    Usage = 64,
    /// Interrupted before the first write.
    Interrupted = 130,
}

impl ExitCode {
    /// Every code with its description in `docs/exit-codes.md`.
    pub const ALL: [(ExitCode, &'static str); 10] = [
        (ExitCode::Ok, "success, nothing to do, or a declined prompt"),
        (ExitCode::Failed, "failed; also an invalid file"),
        (
            ExitCode::Differences,
            "differences found (only with --detailed-exitcode)",
        ),
        (
            ExitCode::Partial,
            "partly applied; re-run the command to finish; of `gitops plan`: changes above --max-risk",
        ),
        (ExitCode::Denied, "not authenticated or not authorized"),
        (ExitCode::Refused, "refused by a policy, a naming rule or a quota"),
        (ExitCode::Unhealthy, "an observed resource is unhealthy"),
        (ExitCode::Stale, "the approved plan is stale; nothing was written"),
        (ExitCode::Usage, "invalid arguments, or a prompt without a terminal"),
        (ExitCode::Interrupted, "interrupted before the first write"),
    ];

    /// Returns the numeric code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}
