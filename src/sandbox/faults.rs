//! Fault injection: rejected requests, lost, late or stale responses, and a killed process.

use globset::GlobBuilder;
use serde::{Deserialize, Serialize};

use super::{Sandbox, SandboxError, state::StateChange};

/// Kind of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FaultKind {
    /// Reject with 429, without processing the request.
    TooManyRequests {
        /// Value of `Retry-After` and `X-RateLimit-Reset`, in seconds.
        retry_after: u32,
    },
    /// Reject with 500, without processing the request.
    ServerError,
    /// Break the connection before the request is processed.
    LostBefore,
    /// Process the request, then break the connection.
    LostAfter,
    /// Process the request after a delay.
    Slow {
        /// Delay in milliseconds.
        milliseconds: u32,
    },
    /// Omit recently created objects from lists.
    ListLag {
        /// Maximum age of an omitted object, in seconds.
        seconds: u32,
    },
    /// Kill the caller's process before the request is processed (see [`Sandbox::on_kill`](super::Sandbox::on_kill)).
    KillBefore,
    /// Process the request, then kill the caller's process.
    KillAfter,
}

impl FaultKind {
    /// Returns the name of the kind.
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

/// Fault with a request filter and the number of affected requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Kind of the fault.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Filter by HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Filter by path, without a leading `/api`: `*` matches within a segment, `**` matches across segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Filter by principal (`sa-…`, `u-…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Number of matching requests that pass before the fault takes effect.
    #[serde(default)]
    pub skip: u32,
    /// Number of affected requests; `None` for all until the fault is cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

impl Fault {
    /// Creates a fault for the next request.
    #[must_use]
    pub fn once(kind: FaultKind) -> Self {
        Self {
            times: Some(1),
            ..Self::forever(kind)
        }
    }

    /// Creates a fault for all requests until it is cleared.
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

    /// Limits the fault to one method and to paths that match `path`.
    #[must_use]
    pub fn for_requests(self, method: &str, path: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: Some(path.to_owned()),
            ..self
        }
    }

    /// Lets `skip` matching requests pass first.
    #[must_use]
    pub fn after_requests(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// Limits the fault to one principal.
    #[must_use]
    pub fn for_principal(self, principal: &str) -> Self {
        Self {
            principal: Some(principal.to_owned()),
            ..self
        }
    }

    /// Limits the fault to `times` requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    /// Checks the path pattern.
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

/// Active fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmedFault {
    /// Number of the fault, for clearing it.
    pub id: u32,
    /// The fault; `skip` and `times` count down.
    #[serde(flatten)]
    pub fault: Fault,
}

/// Returns the fault for a request and the remaining faults, or `None` if no fault matches.
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
    /// Returns the active faults.
    pub fn faults(&self) -> Result<Vec<ArmedFault>, SandboxError> {
        self.read_state(|state, _| state.faults.clone())
    }

    /// Adds a fault and returns its number.
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

    /// Clears one fault, or all faults including those of connectors. Returns the number of cleared faults.
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
