//! Rule `credential-in-value`: a credential in a value that is not a secret by its type.

use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings, is_transform_key},
        secret::Secrecy,
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "credential-in-value",
    severity: Severity::Warning,
    summary: "a password in a URL, a header or a list of properties",
    explanation: "The service masks values by the type of their key. A password in a URL, an `Authorization` header or \
                  a list of properties is visible to everyone who is allowed to read the configuration.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries() {
        let open = input.secrecy(&entry.key) == Secrecy::NotSecret && !is_transform_key(&entry.key);
        if open && let Some(what) = find_credential(&entry.value) {
            let message = format!("`{}` contains {what}, which the service does not mask", entry.key);
            let fix = "Use the plugin's PASSWORD keys for credentials, if it has any.";
            findings.warning(&entry.value_span, message, fix);
        }
    }
}

/// Returns whether `value` contains a credential.
#[must_use]
pub fn contains_credential(value: &str) -> bool {
    find_credential(value).is_some()
}

fn find_credential(value: &str) -> Option<&'static str> {
    if has_url_password(value) {
        return Some("a password in a URL");
    }
    let lower = value.to_ascii_lowercase();
    if is_authorization_header(&lower) {
        return Some("a credential in a header");
    }
    if is_secret_property(&lower) {
        return Some("a credential in a list of properties");
    }
    value.contains("-----BEGIN").then_some("").and_then(|_| {
        let private = value.contains("PRIVATE KEY-----");
        private.then_some("a private key")
    })
}

/// Checks for `scheme://user:password@host`.
fn has_url_password(value: &str) -> bool {
    value.match_indices("://").any(|(at, mark)| {
        let authority = &value[at + mark.len()..];
        let end = authority
            .find(['/', '?', '#', ' ', ',', '"'])
            .unwrap_or(authority.len());
        let user = authority[..end].rsplit_once('@').map(|(user, _)| user);
        let password = user.and_then(|user| user.split_once(':')).map(|(_, password)| password);
        password.is_some_and(is_literal)
    })
}

/// Checks for `Authorization: SCHEME …`, whatever the scheme, and for headers such as `X-Api-Key: …`. Headers are
/// separated by `|`, `,` or line breaks.
fn is_authorization_header(lower: &str) -> bool {
    const NAMES: [&str; 12] = [
        "authorization",
        "api-key",
        "apikey",
        "api-token",
        "app-key",
        "auth-token",
        "auth-key",
        "access-token",
        "subscription-key",
        "functions-key",
        "private-token",
        "cookie",
    ];
    lower.split(['|', '\n', ',']).any(|header| {
        let Some((name, value)) = header.split_once(':') else {
            return false;
        };
        // `url.headers=authorization: …` in a list of properties.
        let name = name
            .rsplit(['=', '"', ' '])
            .find(|part| !part.is_empty())
            .unwrap_or_default();
        let value = value.trim_matches([' ', '"', '\'']);
        let credential = value
            .split_once(' ')
            .map_or(value, |(_, credential)| credential.trim_start());
        NAMES.into_iter().any(|secret| name.ends_with(secret)) && is_literal(credential)
    })
}

/// Checks for `password=…` and `AccountKey=…`, in JDBC URLs, connection strings and JAAS lines.
fn is_secret_property(lower: &str) -> bool {
    const NAMES: [&str; 8] = [
        "password",
        "passwd",
        "pwd",
        "accountkey",
        "sharedaccesskey",
        "client_secret",
        "access_token",
        "api_key",
    ];
    NAMES.into_iter().any(|name| {
        lower.match_indices(name).any(|(at, _)| {
            let begins = lower[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
            let rest = lower[at + name.len()..].trim_start();
            let value = rest
                .strip_prefix('=')
                .map(|rest| rest.trim_start_matches(['"', '\'', ' ']));
            begins
                && value
                    .is_some_and(|value| is_literal(value.split([';', '&', '"', '\'', ',', ' ']).next().unwrap_or("")))
        })
    })
}

/// Returns whether a text is a literal value: not empty, not a placeholder of the service, not masked.
fn is_literal(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("${") && !text.starts_with("**")
}

#[cfg(test)]
mod tests {
    use super::find_credential;

    #[test]
    fn credentials_are_found_in_urls_headers_and_properties() {
        for value in [
            "https://user:pw@hooks.example.com/in",
            "mongodb+srv://a:b@c.example.com/?x",
            "Authorization: Basic dXNlcjpwdw==",
            "Content-Type: application/json|Authorization:Bearer abc.def",
            "x-api-key: 123",
            "jdbc:postgresql://h/db?user=a&password=secret",
            "Endpoint=sb://x/;SharedAccessKey=abc=",
            "org.example.PlainLoginModule required username=\"a\" password=\"b\";",
        ] {
            assert!(find_credential(value).is_some(), "{value}");
        }
        for value in [
            "https://hooks.example.com/in",
            "https://user@hooks.example.com",
            "https://host:8443/a@b",
            "Content-Type: application/json",
            "Authorization: ",
            "grant_type=client_credentials",
            "https://u:${topic}@x",
            "${topic}",
            "password",
            "passwordless=true",
        ] {
            assert!(find_credential(value).is_none(), "{value}");
        }
    }
}
