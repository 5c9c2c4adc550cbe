//! The exit codes, an interface that pipelines rely on.
//!
//! They reach the caller only when `confluent-ebs` is started directly: the Confluent CLI turns every failure of a
//! plugin into 1 (cli `pkg/plugin/plugin.go`), so a message always comes before the code.

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything asked for was done, or there was nothing to do. A declined prompt is also this.
    Ok = 0,
    /// Something failed; the message says what.
    Failed = 1,
    /// Differences were found, and `--detailed-exitcode` asked to be told so.
    Differences = 2,
    /// A part was applied; the same command again does the rest.
    Partial = 3,
    /// Not authenticated or not authorised.
    Denied = 4,
    /// Refused by a policy, a naming rule or a quota before anything was written.
    Refused = 5,
    /// Something that was looked at is unhealthy.
    Unhealthy = 6,
    /// Wrong arguments; also a question without a terminal to ask it on and without `--yes`.
    Usage = 64,
    /// Interrupted before the first write.
    Interrupted = 130,
}

impl ExitCode {
    /// Every code with the sentence that `docs/exit-codes.md` shows for it.
    pub const ALL: [(ExitCode, &'static str); 9] = [
        (ExitCode::Ok, "ok, or nothing to do; also a declined prompt"),
        (ExitCode::Failed, "failed; also an invalid file"),
        (
            ExitCode::Differences,
            "differences found (only with --detailed-exitcode)",
        ),
        (
            ExitCode::Partial,
            "partly applied; the same command again does the rest",
        ),
        (ExitCode::Denied, "not authenticated or not authorised"),
        (ExitCode::Refused, "refused by a policy, a naming rule or a quota"),
        (ExitCode::Unhealthy, "something that was looked at is unhealthy"),
        (ExitCode::Usage, "wrong usage, or a question that nobody could be asked"),
        (ExitCode::Interrupted, "interrupted before the first write"),
    ];

    /// The number the operating system sees.
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
