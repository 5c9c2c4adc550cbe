//! Redaction of secrets in JSON and text: by the registry of secret values, and by the names of fields.

mod decoding;
mod registry;
pub mod text_redactor;
mod weak_secrets;

pub use registry::SecretRegistry;
pub use text_redactor::TextRedactor;
pub use weak_secrets::WeakSecrets;

use registry::described_secret;
use serde_json::Value;

use crate::catalog::secret::is_secret_name;
pub use crate::catalog::weak_secret::OrdinaryValues;

/// Replacement for a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// Redacts a JSON document of the service: the values of fields with secret names, registered values everywhere, and
/// weak secrets in messages about their keys.
pub(crate) fn redact_document(secrets: &SecretRegistry, weak: &WeakSecrets, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let describes_secret = described_secret(fields).is_some();
            for (name, inner) in fields.iter_mut() {
                let secret = is_secret_name(name) || (describes_secret && name == "value");
                match secret {
                    true => redact_all(inner),
                    false => redact_document(secrets, weak, inner),
                }
                // Free text of the service: log lines.
                if let Value::String(text) = inner
                    && ["message", "stacktrace"].contains(&name.as_str())
                {
                    *text = TextRedactor::default().redact(text).into_owned();
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact_document(secrets, weak, item)),
        Value::String(text) => *text = weak.redact(None, &secrets.redact(text)),
        _ => {}
    }
}

/// Redacts everything below a secret name, whatever its type.
fn redact_all(value: &mut Value) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter_mut().for_each(redact_all),
        Value::Object(fields) => fields.values_mut().for_each(redact_all),
        other => *other = REDACTED.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_redacted_at_any_depth_and_wherever_they_occur_again() {
        let secrets = SecretRegistry::default();
        secrets.add("own-canary");
        let mut value = json!({
            "spec": { "secret": "canary-1", "display_name": "fine" },
            "config": { "connection.password": "canary-2", "tasks.max": "1", "gcs.credentials": { "a": ["canary-3", 7] } },
            "configs": [{ "value": { "name": "db.password", "value": "canary-4", "errors": [] } }],
            "later": "the password canary-2 is wrong, and so is own-canary",
            "token": null,
            "data": [{ "message": "a.password = canary-5", "exception": { "stacktrace": "password=canary-6" } }],
        });
        secrets.add_from_body(value.to_string().as_bytes());
        redact_document(&secrets, &WeakSecrets::default(), &mut value);
        let shown = value.to_string();
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(value["spec"]["display_name"], "fine");
        assert_eq!(value["config"]["tasks.max"], "1");
        assert_eq!(value["token"], Value::Null);
        assert_eq!(secrets.redact("canary-4 is bad"), "[redacted] is bad");
    }
}
