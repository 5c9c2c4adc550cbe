//! Output of `-v` and `--unsafe-trace`: events on standard error, and requests with their responses.
//!
//! All output is escaped: untrusted names must not move the cursor, hide a line or forge one (compare RUSTSEC-2025-0055
//! in tracing-subscriber). Registered secrets are redacted, in traces also those with secret field names.

use std::{
    fmt::Write as _,
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use serde_json::Value;
use tracing::{Level, Subscriber};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, registry};

use super::transport::{TransportError, root_cause};
use crate::{
    catalog::secret::is_secret_name,
    redact::{REDACTED, SecretRegistry, WeakSecrets, redact_document},
};

/// Returns the event subscriber that writes to `writer`, without `secrets`.
///
/// Levels follow the Confluent CLI: `-v` shows warnings, `-vv` progress, `-vvv` every request, `-vvvv` everything.
/// Without `-v`, only warnings of this program are shown. Libraries never log more than warnings, because this program
/// does not control the content of their events.
pub fn subscriber<W, T>(verbosity: u8, secrets: SecretRegistry, writer: W) -> impl Subscriber + Send + Sync
where
    W: Fn() -> T + Send + Sync + 'static,
    T: Write + 'static,
{
    let own = match verbosity {
        0 | 1 => Level::WARN,
        2 => Level::INFO,
        3 => Level::DEBUG,
        _ => Level::TRACE,
    };
    let mut filter = Targets::new().with_target(env!("CARGO_CRATE_NAME"), own);
    if verbosity > 0 {
        filter = filter.with_default(Level::WARN);
    }
    let lines = fmt::layer()
        .with_ansi(false)
        .with_target(verbosity > 3)
        .with_writer(move || EventWriter {
            writer: writer(),
            secrets: secrets.clone(),
        });
    registry().with(filter).with(lines)
}

/// Writer that redacts and escapes its input; one call of `write` is one event.
struct EventWriter<W> {
    writer: W,
    secrets: SecretRegistry,
}

impl<W: Write> Write for EventWriter<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        writeln!(self.writer, "{}", escape(&self.secrets.redact(line)))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Returns `text` with control and bidirectional characters written as `\u{…}`.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        let obeyed = letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        match obeyed {
            true => safe.extend(letter.escape_unicode()),
            false => safe.push(letter),
        }
    }
    safe
}

/// Trace of requests and responses for `--unsafe-trace`.
///
/// The Confluent CLI has a flag of the same name, whose trace shows secrets; this one redacts them.
pub struct WireTrace(Mutex<Box<dyn Write + Send>>);

impl std::fmt::Debug for WireTrace {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("WireTrace")
    }
}

impl WireTrace {
    /// Creates a trace that writes to `sink`.
    pub fn new(sink: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(sink)))
    }

    /// Creates a trace on standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self::new(io::stderr())
    }

    pub(super) fn request(&self, request: &Request<Bytes>, secrets: &SecretRegistry) {
        // Secrets of the request stay secret if the response repeats them.
        secrets.add_from_body(request.body());
        let head = format!("{} {}", request.method(), request.uri());
        self.write(&format_message(
            '>',
            &head,
            request.headers(),
            request.body(),
            secrets,
            &WeakSecrets::default(),
        ));
    }

    pub(super) fn response(
        &self,
        request: &Request<Bytes>,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        secrets: &SecretRegistry,
    ) {
        let weak = WeakSecrets::from_body(request.body());
        self.write(&format_message('<', &status.to_string(), headers, body, secrets, &weak));
    }

    pub(super) fn failure(&self, error: &TransportError, secrets: &SecretRegistry) {
        let show = |text: &str| escape(&secrets.redact(text));
        self.write(&format!(
            "< {}: {}\n\n",
            show(&error.to_string()),
            show(&root_cause(error).to_string())
        ));
    }

    /// Writes one message at once, so that concurrent messages do not mix. Write errors are ignored.
    fn write(&self, text: &str) {
        let mut sink = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(sink.write_all(text.as_bytes()).and_then(|()| sink.flush()));
    }
}

/// Headers that carry secrets, even if not marked as sensitive.
const SECRET_HEADERS: [header::HeaderName; 4] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
    header::SET_COOKIE,
];

fn format_message(
    arrow: char,
    head: &str,
    headers: &HeaderMap,
    body: &[u8],
    secrets: &SecretRegistry,
    weak: &WeakSecrets,
) -> String {
    let body = format_body(headers, body, secrets, weak);
    let mut text = format!("{arrow} {}\n", escape(&secrets.redact(head)));
    for (name, value) in headers {
        let secret = value.is_sensitive() || SECRET_HEADERS.contains(name) || is_secret_name(name.as_str());
        let shown = match secret {
            true => REDACTED.to_owned(),
            false => secrets.redact(&String::from_utf8_lossy(value.as_bytes())).into_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{arrow} {name}: {}", escape(&shown));
    }
    for line in body.lines() {
        let _ = writeln!(text, "{arrow} {}", escape(line));
    }
    text.push('\n');
    text
}

/// Returns a body with its secrets redacted. Only JSON is shown, because redaction needs field names.
fn format_body(headers: &HeaderMap, body: &[u8], secrets: &SecretRegistry, weak: &WeakSecrets) -> String {
    if body.is_empty() {
        return String::new();
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value: &HeaderValue| value.to_str().ok());
        return format!(
            "({} bytes of {}, not shown)",
            body.len(),
            kind.unwrap_or("unknown type")
        );
    };
    redact_document(secrets, weak, &mut value);
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_control_characters_are_escaped() {
        assert_eq!(
            escape("a\u{1b}[31mb\r\n\u{9b}c\u{202e}d\u{feff}é"),
            "a\\u{1b}[31mb\\u{d}\\u{a}\\u{9b}c\\u{202e}d\\u{feff}é"
        );
    }
}
