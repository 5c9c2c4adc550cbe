//! Whoever may create accounts can write our name and our tag (dossier `rbac.md` T4). The deployer of claims prepares the
//! account that the onboarding of fraud will look for, in all the ways there are; then fraud is onboarded.

use serde_json::{Value, json};

use crate::home::{Home, Key, account_crn};

const FORGED: &str = "ebs-prod-fraud-operator";

struct Attack {
    home: Home,
    attacker: Key,
    /// The attacker's own account.
    me: String,
    /// The account it has prepared.
    forged: String,
}

impl Attack {
    /// Claims is onboarded, and its deployer makes an account with the name and, word for word, the tag of fraud's
    /// operator. Its own is the only owner at first: `owner` says who else it names.
    fn prepared() -> Self {
        let home = Home::new();
        home.must("onboard claims --sandbox --yes", 0);
        let attacker = home.key("claims-deployer");
        let me = home.account("ebs-prod-claims-deployer");
        let forged = Self::forge(&home, &attacker, &me, &tag(&home));
        Self {
            home,
            attacker,
            me,
            forged,
        }
    }

    fn forge(home: &Home, attacker: &Key, owner: &str, tag: &str) -> String {
        let body = json!({ "display_name": FORGED, "description": tag });
        let target = format!("/iam/v2/service-accounts?assigned_resource_owner={owner}");
        let answer = home.done(attacker, "POST", &target, Some(body));
        answer["id"].as_str().unwrap().to_owned()
    }

    fn provisioner(&self) -> String {
        self.home.account("ebs-provisioner")
    }

    /// Shares the prepared account.
    fn grant(&self, to: &str, role: &str) -> String {
        self.home.bind(&self.attacker, to, role, &account_crn(&self.forged))
    }

    /// Gives its own ownership up.
    fn leave(&self) {
        let mine = self.bindings_on_forged(&self.me);
        for id in mine {
            self.home
                .done(&self.attacker, "DELETE", &format!("/iam/v2/role-bindings/{id}"), None);
        }
    }

    fn bindings_on_forged(&self, of: &str) -> Vec<String> {
        let on = account_crn(&self.forged);
        let all = self.home.sandbox().bindings().unwrap();
        all.iter()
            .filter(|object| object.binding.pattern.to_string() == on && object.binding.principal.id() == of)
            .map(|object| object.id.to_string())
            .collect()
    }

    /// Onboarding is refused, says all of `words`, and changes nothing.
    #[track_caller]
    fn refused(&self, words: &[&str]) {
        let keys = self.home.sandbox().keys().unwrap().len();
        let seen = self.home.must_not_write("onboard fraud --sandbox --yes", 5);
        let said: String = seen.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(said.contains(word), "`{word}` is not said\n{seen}");
        }
        assert_eq!(self.home.sandbox().keys().unwrap().len(), keys);
        assert!(!self.home.folder().join("handover/fraud-operator.toml").exists());
        // The others are not held up.
        self.home.must("onboard --all --sandbox --dry-run", 5);
        self.home.must("onboard motor --sandbox --dry-run", 0);
    }

    /// After the account is gone, everything goes well.
    #[track_caller]
    fn cleaned_up(&self) {
        let target = format!("/iam/v2/service-accounts/{}", self.forged);
        self.home.done(&self.home.admin(), "DELETE", &target, None);
        self.home.must("onboard fraud --sandbox --yes", 0);
        self.home.must_not_write("onboard fraud claims --sandbox --yes", 0);
        assert_ne!(self.home.account(FORGED), self.forged);
    }
}

/// The tag that the onboarding would write.
fn tag(home: &Home) -> String {
    let seen = home.must("onboard fraud --sandbox --dry-run -o json", 0);
    let plan: Value = serde_json::from_str(&seen.stdout).unwrap();
    let change = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|change| change["operation"] == "create_account" && change["persona"] == "operator");
    change.unwrap_or_else(|| panic!("{plan}"))["tag"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn kept_for_itself() {
    let attack = Attack::prepared();
    // Its owner cannot be seen with the provisioner's rights: all there is to say is that it is not the provisioner.
    attack.refused(&["account-not-owned", FORGED, &attack.forged]);
    attack.cleaned_up();
}

#[test]
fn shared_with_the_provisioner() {
    let attack = Attack::prepared();
    attack.grant(&attack.provisioner(), "ResourceOwner");
    attack.refused(&["account-controlled-by-others", "ebs-prod-claims-deployer", &attack.me]);
    attack.cleaned_up();
}

#[test]
fn passed_on_with_a_key_kept() {
    let attack = Attack::prepared();
    let key = attack.home.make_key(&attack.attacker, &attack.forged, "cloud");
    attack.grant(&attack.provisioner(), "ResourceOwner");
    attack.leave();
    attack.refused(&["key-unvouched", &key.id, FORGED]);
    // Revoking the key is enough: nobody else controls the account any more.
    let target = format!("/iam/v2/api-keys/{}", key.id);
    attack.home.done(&attack.home.provisioner(), "DELETE", &target, None);
    attack.home.must("onboard fraud --sandbox --yes", 0);
    attack.home.must_not_write("onboard fraud --sandbox --yes", 0);
    assert_eq!(attack.home.account(FORGED), attack.forged);
}

#[test]
fn passed_on_with_a_key_that_looks_like_one_of_ours() {
    let attack = Attack::prepared();
    let stage = "ebs:v1 stage=prod dept=fraud role=operator state=live run=0badcafe";
    let body =
        json!({ "spec": { "owner": { "id": attack.forged }, "resource": { "id": "cloud" }, "description": stage } });
    let key = attack
        .home
        .done(&attack.attacker, "POST", "/iam/v2/api-keys", Some(body));
    attack.grant(&attack.provisioner(), "ResourceOwner");
    attack.leave();
    attack.refused(&["key-unvouched", key["id"].as_str().unwrap()]);
    attack.cleaned_up();
}

#[test]
fn passed_on_with_an_assigner_left_behind() {
    let attack = Attack::prepared();
    attack.grant(&attack.provisioner(), "ResourceOwner");
    attack.grant(&attack.me, "Assigner");
    let owner = attack.bindings_on_forged(&attack.me);
    for id in owner {
        let target = format!("/iam/v2/role-bindings/{id}");
        let binding = attack.home.done(&attack.attacker, "GET", &target, None);
        if binding["role_name"] == "ResourceOwner" {
            attack.home.done(&attack.attacker, "DELETE", &target, None);
        }
    }
    attack.refused(&["account-controlled-by-others", "Assigner", "ebs-prod-claims-deployer"]);
    attack.cleaned_up();
}

#[test]
fn given_to_the_provisioner_alone_and_free_of_keys_it_is_as_good_as_our_own() {
    let home = Home::new();
    home.must("onboard claims --sandbox --yes", 0);
    let attacker = home.key("claims-deployer");
    let provisioner = home.account("ebs-provisioner");
    let forged = Attack::forge(&home, &attacker, &provisioner, &tag(&home));
    home.must("onboard fraud --sandbox --yes", 0);
    home.must_not_write("onboard fraud --sandbox --yes", 0);
    let (status, _) = home.send(&attacker, "DELETE", &format!("/iam/v2/service-accounts/{forged}"), None);
    assert_eq!(status, 403, "its maker has no power over it");
}

#[test]
fn a_name_without_our_tag_is_somebody_elses() {
    let home = Home::new();
    home.must("onboard claims --sandbox --yes", 0);
    let attacker = home.key("claims-deployer");
    let me = home.account("ebs-prod-claims-deployer");
    Attack::forge(&home, &attacker, &me, "made by hand");
    let seen = home.must_not_write("onboard fraud --sandbox --yes", 5);
    assert!(seen.stderr.contains("account-name-taken"), "{seen}");
}
