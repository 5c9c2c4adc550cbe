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

/// Names of headers and properties with a credential, without `-`, `_` and `.`, by their ends.
const SECRET_NAMES: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "appkey",
    "authkey",
    "accesskey",
    "accountkey",
    "secretkey",
    "privatekey",
    "functionskey",
    "subscriptionkey",
    "accesssignature",
];
const SECRET_HEADERS: [&str; 2] = ["authorization", "cookie"];

/// Tokens that only continue a list of results.
const PAGE_TOKENS: [&str; 3] = ["pagetoken", "continuationtoken", "csrftoken"];

fn is_secret_name(name: &str) -> bool {
    let name = name.replace(['-', '_', '.'], "");
    let ends_with = |word: &&str| name.ends_with(*word);
    SECRET_NAMES.iter().any(ends_with) && !PAGE_TOKENS.iter().any(ends_with)
}

/// Checks for `Authorization: SCHEME …`, whatever the scheme, and for headers such as `X-Api-Key: …`. Headers are
/// separated by `|`, `,`, `;` or line breaks; they may also be the fields of a JSON object.
fn is_authorization_header(lower: &str) -> bool {
    lower.split(['|', '\n', ',', ';']).any(|header| {
        let Some((name, value)) = header.split_once(':') else {
            return false;
        };
        // `url.headers=authorization: …` in a list of properties.
        let name = name
            .rsplit(['=', '"', '\'', ' ', '{'])
            .find(|part| !part.is_empty())
            .unwrap_or_default();
        let value = value.trim_matches([' ', '"', '\'', '}']);
        let credential = value
            .split_once(' ')
            .map_or(value, |(_, credential)| credential.trim_start());
        let secret = SECRET_HEADERS.iter().any(|header| name.ends_with(header)) || is_secret_name(name);
        secret && is_literal(credential)
    })
}

/// Checks for `password=…` and `AccountKey=…`, in JDBC URLs, connection strings, lists of properties and JAAS lines, and
/// for the signature of a URL (`sig=…`).
fn is_secret_property(lower: &str) -> bool {
    let ends_name = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    lower.match_indices('=').any(|(at, _)| {
        let name = lower[..at].trim_end();
        let begin = name.rfind(ends_name).map_or(0, |end| end + 1);
        let name = name.get(begin..).unwrap_or_default();
        let value = lower[at + 1..].trim_start_matches(['"', '\'', ' ']);
        let value = value
            .split([';', '&', '"', '\'', ',', ' ', '\n'])
            .next()
            .unwrap_or_default();
        (is_secret_name(name) || name == "sig") && is_literal(value)
    })
}

/// Returns whether a text is a literal value: not empty, not a placeholder of the service, not masked, not a switch.
fn is_literal(text: &str) -> bool {
    let is_switch = ["true", "false", "null", "none"].contains(&text);
    !text.is_empty() && !is_switch && !text.starts_with("${") && !text.starts_with("**")
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
            "DD-API-KEY:123",
            "X-Vault-Token: s.abc|Accept: */*",
            "Accept: a;Proxy-Authorization: Basic dTpw",
            "{\"Content-Type\": \"a/b\", \"Authorization\": \"Token abc\"}",
            "{\"user\": \"a\", \"password\": \"b\"}",
            "https://x.blob.example.com/c?sv=2024&sig=abc%3D",
            "jdbc:sqlserver://h;trustStorePassword=abc",
            "user=a\nssl.key_password = abc",
            "client-secret=abc",
            "aws_secret_access_key=abc",
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
            "usePassword=false",
            "https://api.example.com/v1?pageToken=${token}&x=1",
            "nextPageToken=abc",
            "Idempotency-Key: abc",
            "jdbc:mysql://h/db?allowPublicKeyRetrieval=true",
            "{\"token_field\": \"a\"}",
        ] {
            assert!(find_credential(value).is_none(), "{value}");
        }
    }
}
