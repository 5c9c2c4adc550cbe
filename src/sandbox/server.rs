//! Loopback server: access checks, and discovery of a running server by other processes.

use std::{
    fs::File,
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use http::{header, request::Parts};
use serde::{Deserialize, Serialize};

use super::state_dir;
use crate::private;

const LOCK_FILE: &str = "server.lock";
const SERVER_FILE: &str = "server.json";

/// Content of the server file in the state folder.
#[derive(Debug, Serialize, Deserialize)]
struct ServerFile {
    url: String,
    pid: u32,
}

/// Returns whether `Host`, and the authority of an absolute URI, are on loopback.
pub(crate) fn is_loopback(parts: &Parts) -> bool {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let mut named = host.into_iter().chain(authority).peekable();
    named.peek().is_some() && named.all(is_loopback_host)
}

fn is_loopback_host(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else {
        return false;
    };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Exclusive lock of the server of a state folder, until it is dropped.
#[derive(Debug)]
pub(crate) struct ServerLock {
    _lock: File,
    server_file: PathBuf,
}

impl ServerLock {
    /// Acquires the lock; `None` if another server runs on the folder.
    pub(crate) fn acquire(dir: &Path, url: &str) -> io::Result<Option<Self>> {
        let lock = private::open_lock_file(&dir.join(LOCK_FILE))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        let server_file = dir.join(SERVER_FILE);
        let content = serde_json::to_vec(&ServerFile {
            url: url.to_owned(),
            pid: std::process::id(),
        })?;
        state_dir::replace_file(&server_file, &content)?;
        Ok(Some(Self {
            _lock: lock,
            server_file,
        }))
    }
}

impl Drop for ServerLock {
    fn drop(&mut self) {
        // A remaining file is ignored, because only the lock shows that a server runs.
        let _ = state_dir::remove_file_if_exists(&self.server_file);
    }
}

/// Returns the URL of the server that runs on a state folder, if there is one.
pub(crate) fn running_server_url(dir: &Path) -> Option<String> {
    let lock = File::open(dir.join(LOCK_FILE)).ok()?;
    match lock.try_lock_shared() {
        Err(std::fs::TryLockError::WouldBlock) => {}
        _ => return None,
    }
    let server_file: ServerFile = serde_json::from_slice(&std::fs::read(dir.join(SERVER_FILE)).ok()?).ok()?;
    Some(server_file.url)
}

/// Status of a state folder, available without opening it or waiting for its lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDirStatus {
    /// Whether the folder contains a sandbox.
    pub exists: bool,
    /// URL of the running server.
    pub url: Option<String>,
    /// Whether a stopped server left its server file behind.
    pub stale_server_file: bool,
    /// Whether the folder is locked at the moment; each request locks it briefly.
    pub locked: bool,
}

/// Returns the status of a state folder.
pub(crate) fn state_dir_status(dir: &Path) -> StateDirStatus {
    let is_locked = |file: &str| {
        File::open(dir.join(file))
            .is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
    };
    let url = running_server_url(dir);
    StateDirStatus {
        exists: dir.join(super::store::STATE_FILE).is_file(),
        stale_server_file: url.is_none() && dir.join(SERVER_FILE).is_file(),
        url,
        locked: is_locked(super::store::LOCK_FILE) || is_locked(state_dir::TOKEN_LOCK),
    }
}

#[cfg(test)]
mod tests {
    use super::is_loopback_host;

    #[test]
    fn only_loopback_hosts_are_accepted() {
        for good in [
            "127.0.0.1:1024",
            "localhost",
            "LOCALHOST:80",
            "[::1]:1024",
            "cpdev.cloud@127.0.0.1:1024",
        ] {
            assert!(is_loopback_host(good), "{good}");
        }
        for bad in [
            "example.com",
            "127.0.0.1.example.com",
            "localhost.example.com",
            "192.168.1.2:1024",
            "",
            "127.0.0.1@example.com",
        ] {
            assert!(!is_loopback_host(bad), "{bad}");
        }
    }
}
