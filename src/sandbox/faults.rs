//! Breaking on request: answers that are refused, lost, late or stale, and a process that dies.

use globset::GlobBuilder;
use serde::{Deserialize, Serialize};

use super::{Sandbox, SandboxError, state::StateChange};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FaultKind {
    /// 429; the request is not processed.
    TooManyRequests {
        /// `Retry-After` and `X-RateLimit-Reset`, in seconds.
        retry_after: u32,
    },
    /// 500; the request is not processed.
    ServerError,
    /// The connection breaks before the request is processed.
    LostBefore,
    /// The request is processed, then the connection breaks.
    LostAfter,
    /// The request is processed after a while.
    Slow {
        /// How long, in milliseconds.
        milliseconds: u32,
    },
    /// A list does not show what was made lately.
    ListLag {
        /// How lately, in seconds.
        seconds: u32,
    },
    /// The caller's process dies before the request is processed (see [`Sandbox::on_kill`](super::Sandbox::on_kill)).
    KillBefore,
    /// The request is processed, then the caller's process dies.
    KillAfter,
}

impl FaultKind {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooManyRequests { .. } => "too-many-requests",
            Self::ServerError => "server-error",
            Self::LostBefore => "lost-before",
            Self::LostAfter => "lost-after",
            Self::Slow { .. } => "slow",
            Self::ListLag { .. } => "list-lag",
            Self::KillBefore => "kill-before",
            Self::KillAfter => "kill-after",
        }
    }
}

/// What goes wrong, with which requests, how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Only requests with this verb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only requests with such a path: `*` is anything within a segment, `**` anything. Without a leading `/api`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only requests of this principal (`sa-…`, `u-…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// So many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// How many requests it hits; without a number all of them, until it is cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

impl Fault {
    /// `kind` for the next request, whichever it is.
    #[must_use]
    pub fn once(kind: FaultKind) -> Self {
        Self {
            times: Some(1),
            ..Self::forever(kind)
        }
    }

    /// `kind` for every request until it is cleared.
    #[must_use]
    pub fn forever(kind: FaultKind) -> Self {
        Self {
            kind,
            method: None,
            path: None,
            principal: None,
            skip: 0,
            times: None,
        }
    }

    /// The same fault for one verb and paths like `path` only.
    #[must_use]
    pub fn for_requests(self, method: &str, path: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: Some(path.to_owned()),
            ..self
        }
    }

    /// The same fault after `skip` matching requests have passed.
    #[must_use]
    pub fn after_requests(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// The same fault for one principal only.
    #[must_use]
    pub fn for_principal(self, principal: &str) -> Self {
        Self {
            principal: Some(principal.to_owned()),
            ..self
        }
    }

    /// The same fault, `times` times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    /// Whether its path can be read.
    pub(crate) fn validate(&self) -> Result<(), String> {
        self.path.as_deref().map_or(Ok(()), |path| {
            glob(path).map(drop).map_err(|error| format!("path `{path}`: {error}"))
        })
    }

    pub(crate) fn matches(&self, method: &str, path: &str, principal: Option<&str>) -> bool {
        self.method
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.principal.as_deref().is_none_or(|wanted| Some(wanted) == principal)
            && self
                .path
                .as_deref()
                .is_none_or(|wanted| glob(wanted).is_ok_and(|glob| glob.is_match(path)))
    }
}

fn glob(path: &str) -> Result<globset::GlobMatcher, globset::Error> {
    let glob = GlobBuilder::new(path).literal_separator(true).build()?;
    Ok(glob.compile_matcher())
}

/// A fault that waits for its requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmedFault {
    /// By this it is cleared.
    pub id: u32,
    /// What was asked for; `skip` and `times` count down.
    #[serde(flatten)]
    pub fault: Fault,
}

/// The fault that hits a request, and the faults that are left after it; `None` when nothing changes.
pub(crate) fn match_request(
    faults: &[ArmedFault],
    method: &str,
    path: &str,
    principal: Option<&str>,
) -> Option<(Option<FaultKind>, Vec<ArmedFault>)> {
    let hit = faults
        .iter()
        .position(|armed| armed.fault.matches(method, path, principal))?;
    let mut left = faults.to_vec();
    let fault = &mut left[hit].fault;
    if fault.skip > 0 {
        fault.skip -= 1;
        return Some((None, left));
    }
    let kind = fault.kind;
    if let Some(times) = &mut fault.times {
        *times = times.saturating_sub(1);
        if *times == 0 {
            left.remove(hit);
        }
    }
    Some((Some(kind), left))
}

impl Sandbox {
    /// The faults that wait for their requests.
    pub fn faults(&self) -> Result<Vec<ArmedFault>, SandboxError> {
        self.read_state(|state, _| state.faults.clone())
    }

    /// Adds a fault and tells its number.
    pub fn add_fault(&self, fault: Fault) -> Result<u32, SandboxError> {
        fault.validate().map_err(SandboxError::Setting)?;
        let mut id = 0;
        self.apply_changes(|state| {
            let mut faults = state.faults.clone();
            id = faults.iter().map(|armed| armed.id).max().unwrap_or(0) + 1;
            faults.push(ArmedFault { id, fault });
            vec![StateChange::Faults(faults)]
        })?;
        Ok(id)
    }

    /// Clears one fault, or all of them, those of connectors too. Tells how many there were.
    pub fn clear_faults(&self, id: Option<u32>) -> Result<usize, SandboxError> {
        let mut cleared = 0;
        self.apply_changes(|state| {
            let all = state.faults.iter().cloned();
            let (gone, left): (Vec<_>, Vec<_>) = all.partition(|armed| id.is_none_or(|id| armed.id == id));
            let connectors = if id.is_none() { state.connector_faults.len() } else { 0 };
            cleared = gone.len() + connectors;
            let recover = (connectors > 0).then(|| StateChange::ConnectorFaults(Vec::new()));
            [StateChange::Faults(left)].into_iter().chain(recover).collect()
        })?;
        Ok(cleared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armed(fault: Fault) -> Vec<ArmedFault> {
        vec![ArmedFault { id: 1, fault }]
    }

    #[test]
    fn a_fault_skips_then_hits_then_expires() {
        let mut faults = armed(Fault::once(FaultKind::ServerError).after_requests(1).times(2));
        let mut hits = Vec::new();
        for _ in 0..4 {
            let Some((hit, left)) = match_request(&faults, "GET", "/x", None) else {
                hits.push(None);
                continue;
            };
            faults = left;
            hits.push(hit);
        }
        let error = Some(FaultKind::ServerError);
        assert_eq!(hits, [None, error, error, None]);
        assert!(faults.is_empty());
    }

    #[test]
    fn a_single_star_matches_within_one_path_segment() {
        let fault = Fault::forever(FaultKind::LostAfter).for_requests("post", "/iam/v2/*");
        assert!(fault.matches("POST", "/iam/v2/api-keys", None));
        assert!(!fault.matches("POST", "/iam/v2/api-keys/KEY", None));
        assert!(!fault.matches("GET", "/iam/v2/api-keys", None));
        assert!(
            Fault::forever(FaultKind::LostAfter)
                .for_requests("POST", "/iam/**")
                .matches("POST", "/iam/v2/api-keys/KEY", None)
        );
        assert!(
            !Fault::forever(FaultKind::LostAfter)
                .for_principal("sa-1")
                .matches("POST", "/", None)
        );
    }

    #[test]
    fn a_fault_survives_a_json_round_trip() {
        let fault = Fault::once(FaultKind::TooManyRequests { retry_after: 3 }).for_requests("GET", "/**");
        let text = serde_json::to_string(&fault).unwrap();
        assert!(text.contains(r#""kind":"too-many-requests","retry_after":3"#), "{text}");
        assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault);
    }
}
