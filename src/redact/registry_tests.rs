//! Tests of the registry of secret values.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::catalog::weak_secret::{is_vocabulary, is_weak_secret};

const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASCBKcw\n-----END PRIVATE KEY-----\n";

fn registry(values: &[&str]) -> SecretRegistry {
    let registry = SecretRegistry::default();
    for value in values {
        registry.add(value);
    }
    registry
}

#[test]
fn a_value_is_redacted_in_every_notation() {
    let value = "Ge\"h\\ei%m+ü&x";
    let secrets = registry(&[value]);
    let json = json!(value).to_string();
    let nested = json!(json).to_string();
    let percent = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string();
    for text in [
        value.to_owned(),
        json.trim_matches('"').to_owned(),
        nested[3..nested.len() - 3].to_owned(),
        json.trim_matches('"').replace('ü', "\\u00fc"),
        json.trim_matches('"').replace('ü', "\\u00FC"),
        format!("{value:?}").trim_matches('"').to_owned(),
        percent.to_lowercase().replace("ge", "Ge"),
        percent,
        "Ge&#34;h\\ei%m+&#xFC;&amp;x".to_owned(),
        "Ge\"\"h\\ei%m+ü&x".to_owned(),
    ] {
        assert_eq!(secrets.redact(&format!("<{text}>")), "<[redacted]>", "{text}");
    }
    assert_eq!(registry(&["open sesame"]).redact("a=open+sesame&b"), "a=[redacted]&b");
}

#[test]
fn base64_is_redacted_at_every_position_and_as_a_pair() {
    let secrets = SecretRegistry::default();
    secrets.add_pair("ABCDEFGHIJKLMNOP", "canary-12345678");
    for before in ["", "u", "us", "use"] {
        for after in ["", "x", "xy"] {
            let text = format!("{before}canary-12345678{after}");
            for encoded in [
                general_purpose::STANDARD.encode(&text),
                general_purpose::URL_SAFE_NO_PAD.encode(&text),
            ] {
                let shown = secrets.redact(&encoded).into_owned();
                let left = shown.replace("[redacted]", "");
                assert!(shown.contains("[redacted]") && left.len() <= 10, "{text}: {shown}");
            }
        }
    }
    let pair = general_purpose::STANDARD.encode("ABCDEFGHIJKLMNOP:canary-12345678");
    assert_eq!(secrets.redact(&format!("Basic {pair}")), "Basic [redacted]");
}

#[test]
fn each_line_of_a_long_value_is_redacted_but_not_the_boundary_of_a_pem_document() {
    for value in [
        PEM.to_owned(),
        PEM.replace('\n', "\\n"),
        json!({"private_key": PEM, "type": "service_account"}).to_string(),
    ] {
        let secrets = registry(&[&value]);
        for line in ["MIIEvQIBADANBgkqh", "kiG9w0BAQEFAASCBKcw"] {
            assert_eq!(secrets.redact(&format!("at {line}")), "at [redacted]", "{value}");
        }
        assert_eq!(
            secrets.redact("no -----BEGIN PRIVATE KEY-----"),
            "no -----BEGIN PRIVATE KEY-----"
        );
        assert_eq!(secrets.redact("a service_account"), "a service_account");
        assert_eq!(secrets.redact(value.trim_end()), "[redacted]");
    }
}

#[test]
fn short_masked_and_ordinary_values_are_not_registered() {
    let secrets = registry(&["short", "****************", "connection.password", "password"]);
    let ordinary: OrdinaryValues = ["claims-orders,claims-more", "db.example.com"].into_iter().collect();
    for value in ["claims-more", "DB.example.com"] {
        secrets.add_unless_ordinary(value, &ordinary);
        assert!(is_weak_secret(value, &ordinary));
    }
    let text = "short **************** connection.password claims-more DB.example.com";
    assert_eq!(secrets.redact(text), text);
    assert!(matches!(secrets.redact(text), Cow::Borrowed(_)));
}

#[test]
fn overlapping_values_are_redacted_once_and_clones_share_them() {
    let secrets = registry(&["canary-one"]);
    secrets.clone().add("one-canary-two");
    assert_eq!(secrets.redact("a canary-one-canary-two b"), "a [redacted] b");
    assert_eq!(format!("{secrets:?}"), "SecretRegistry");
}

#[test]
fn documents_keep_names_numbers_and_flags() {
    let secrets = registry(&["12345678", "canary-name"]);
    let mut value = json!({"canary-name": 12_345_678, "text": "12345678", "list": ["x canary-name", true]});
    secrets.redact_json(&mut value);
    assert_eq!(
        value,
        json!({"canary-name": 12_345_678, "text": "[redacted]", "list": ["x [redacted]", true]})
    );
}

#[test]
fn a_redacted_source_keeps_its_positions() {
    let secrets = registry(&["canary-ü-1\nsecond-line"]);
    let text = "a = \"canary-ü-1\nsecond-line\"\nb = second-line\n";
    let shown = secrets.redact_source(text);
    assert_eq!(shown.len(), text.len());
    assert_eq!(shown, "a = \"***********\n***********\"\nb = ***********\n");
}

proptest! {
    #[test]
    fn every_registered_value_is_gone_and_other_text_is_unchanged(
        value in r#"[A-Za-z0-9"\\%+ü&' ]{8,20}"#,
        before in "[a-z ]{0,9}",
        after in "[0-9.,]{0,9}",
    ) {
        let secrets = registry(&[&value]);
        let text = format!("{before}<{value}>{after}");
        let shown = secrets.redact(&text).into_owned();
        prop_assume!(value.trim().chars().count() >= MIN_REGISTERED_LENGTH && !is_vocabulary(value.trim()));
        prop_assert!(!shown.contains(value.trim()), "{}", shown);
        let (start, end) = (format!("{before}<"), format!(">{after}"));
        prop_assert!(shown.starts_with(&start) && shown.ends_with(&end), "{}", shown);
    }
}
