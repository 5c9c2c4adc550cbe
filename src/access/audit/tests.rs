//! All rules together, on an organization as it should be.

use super::{RULES, Verdict, testing::Org};

// Issue: "`access audit` on the example platform is clean".
#[test]
fn an_organization_as_it_should_be_is_clean_to_an_administrator() {
    for ruling in Org::clean().rulings() {
        let expected = match ruling.rule.id {
            "stray-acl" => Verdict::Unknown,
            _ => Verdict::Absent,
        };
        assert_eq!(ruling.verdict(), expected, "{ruling:#?}");
    }
}

// T12: "403-as-absent: … makes audit look clean". What the provisioner of §8.6 may list decides.
#[test]
fn to_the_provisioner_what_it_cannot_list_is_unknown() {
    let known = [
        "granted-onward",
        "runtime-owner",
        "runtime-key",
        "unvouched-key",
        "orphaned-key",
        "key-age",
        "key-count",
        "connector-topic",
    ];
    for ruling in Org::seen_by_provisioner().rulings() {
        let expected = if known.contains(&ruling.rule.id) {
            Verdict::Absent
        } else {
            Verdict::Unknown
        };
        assert_eq!(ruling.verdict(), expected, "{ruling:#?}");
    }
}

#[test]
fn a_key_without_any_role_sees_nothing_and_says_so() {
    let mut org = Org::clean();
    org.seen.seen_by = "User:u-nobody".parse().unwrap();
    org.seen.bindings.clear();
    org.seen.accounts.clear();
    org.seen.keys.clear();
    for ruling in org.rulings() {
        let by_account = [
            "runtime-owner",
            "runtime-key",
            "unvouched-key",
            "orphaned-key",
            "key-age",
            "key-count",
        ];
        // Without a department's account there is nothing that these could be about.
        if !by_account.contains(&ruling.rule.id) {
            assert_eq!(ruling.verdict(), Verdict::Unknown, "{ruling:#?}");
        }
    }
}

#[test]
fn the_order_of_the_lists_does_not_matter() {
    let mut org = Org::clean();
    org.bind("u-eve", "DeveloperRead", "$K/topic=claims-*");
    org.bind("sa-claims-operator", "DeveloperRead", "$K/topic=*");
    org.bind("sa-claims-deployer", "ResourceOwner", "$O/service-account=sa-central");
    let text = |org: &Org| {
        let rulings = org.rulings();
        let found: Vec<_> = rulings.iter().flat_map(|ruling| &ruling.findings).collect();
        serde_json::to_string(&found).unwrap()
    };
    let before = text(&org);
    org.seen.accounts.reverse();
    org.seen.bindings.reverse();
    org.seen.keys.reverse();
    assert_eq!(text(&org), before);
}

#[test]
fn rules_have_ids_that_stay_and_say_everything_in_sentences() {
    for (index, rule) in RULES.iter().enumerate() {
        let kebab = rule.id.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        assert!(
            kebab && RULES[..index].iter().all(|other| other.id != rule.id),
            "{}",
            rule.id
        );
        assert!(!rule.summary.ends_with('.'), "{}", rule.id);
        for text in [rule.why, rule.evidence, rule.remedy] {
            assert!(text.ends_with('.'), "{}: {text}", rule.id);
        }
    }
    assert!(super::rules::find("no-such-rule").is_none());
}

// Issue: "one rule per file for the threats T1–T16 of `domain/rbac.md` §7 that can be seen from the API".
#[test]
fn every_threat_has_a_rule_or_a_reason_why_not() {
    for number in 1..=18 {
        let threat = format!("T{number}");
        let rule = RULES.iter().any(|rule| rule.threat == threat);
        let reason = super::rules::NOT_AUDITED.iter().any(|(not, ..)| *not == threat);
        assert!(rule || reason, "{threat}");
    }
}
