//! An account with our name and tag, which every principal that may create accounts can create
//! (docs/reference/rbac.md#threats, T4). The deployer of claims prepares the account that the onboarding of fraud looks
//! for, in every possible way; then fraud is onboarded.

use serde_json::{Value, json};

use crate::common::{ApiKeyPair, Cli, JsonAccess as _, account_crn};

const IMPERSONATED_NAME: &str = "ebs-prod-fraud-operator";

struct ImpersonationAttack {
    cli: Cli,
    attacker: ApiKeyPair,
    /// Account of the attacker.
    attacker_account: String,
    /// The prepared account.
    impersonating_account: String,
}

impl ImpersonationAttack {
    /// Claims is onboarded, and its deployer creates an account with the exact name and tag of fraud's operator. The
    /// deployer is the only owner at first; `owner` sets another.
    fn prepared() -> Self {
        let cli = Cli::onboarded("claims");
        let attacker = cli.profile_key("claims-deployer");
        let me = cli.account_id("ebs-prod-claims-deployer");
        let forged = Self::create_impersonating_account(&cli, &attacker, &me, &planned_tag(&cli));
        Self {
            cli,
            attacker,
            attacker_account: me,
            impersonating_account: forged,
        }
    }

    fn create_impersonating_account(cli: &Cli, attacker: &ApiKeyPair, owner: &str, tag: &str) -> String {
        let body = json!({ "display_name": IMPERSONATED_NAME, "description": tag });
        let target = format!("/iam/v2/service-accounts?assigned_resource_owner={owner}");
        let answer = cli.send_ok(attacker, "POST", &target, Some(body));
        answer.text("/id").to_owned()
    }

    fn provisioner_account(&self) -> String {
        self.cli.account_id("ebs-provisioner")
    }

    /// Adds an owner to the prepared account.
    fn share_account(&self, to: &str, role: &str) -> String {
        self.cli
            .bind(&self.attacker, to, role, &account_crn(&self.impersonating_account))
    }

    /// Removes its own ownership.
    fn give_up_ownership(&self) {
        let mine = self.bindings_on_impersonating_account(&self.attacker_account);
        for id in mine {
            self.cli
                .send_ok(&self.attacker, "DELETE", &format!("/iam/v2/role-bindings/{id}"), None);
        }
    }

    fn bindings_on_impersonating_account(&self, of: &str) -> Vec<String> {
        let on = account_crn(&self.impersonating_account);
        let all = self.cli.sandbox().bindings().unwrap();
        all.iter()
            .filter(|object| object.binding.pattern.to_string() == on && object.binding.principal.id() == of)
            .map(|object| object.id.to_string())
            .collect()
    }

    /// Onboarding is refused with a message that contains all of `words`, and changes nothing.
    #[track_caller]
    fn assert_onboarding_refused(&self, words: &[&str]) {
        let keys = self.cli.sandbox().keys().unwrap().len();
        let output = self.cli.run_without_writes("onboard fraud --sandbox --yes", 5);
        let said: String = output.stderr_line();
        for word in words {
            assert!(said.contains(word), "`{word}` is missing\n{output}");
        }
        assert_eq!(self.cli.sandbox().keys().unwrap().len(), keys);
        assert!(!self.cli.profiles_dir().join("fraud-operator.toml").exists());
        // Other departments are not affected.
        self.cli.run("onboard --all --sandbox --dry-run").expect_code(5);
        self.cli.run("onboard motor --sandbox --dry-run").expect_success();
    }

    /// Once the account is deleted, the onboarding succeeds.
    #[track_caller]
    fn assert_onboarding_works_after_cleanup(&self) {
        let target = format!("/iam/v2/service-accounts/{}", self.impersonating_account);
        self.cli.send_ok(&self.cli.admin_key(), "DELETE", &target, None);
        self.cli.run("onboard fraud --sandbox --yes").expect_success();
        self.cli.run_without_writes("onboard fraud claims --sandbox --yes", 0);
        assert_ne!(self.cli.account_id(IMPERSONATED_NAME), self.impersonating_account);
    }
}

/// The tag that the onboarding would write.
fn planned_tag(cli: &Cli) -> String {
    let output = cli.run("onboard fraud --sandbox --dry-run -o json").expect_success();
    let plan: Value = output.json();
    let change = plan
        .items("/changes")
        .iter()
        .find(|change| change["operation"] == "create_account" && change["persona"] == "operator");
    change.unwrap_or_else(|| panic!("{plan}")).text("/tag").to_owned()
}

#[test]
fn an_impersonating_account_owned_only_by_the_attacker_is_refused() {
    let attack = ImpersonationAttack::prepared();
    // The provisioner's roles do not reveal the owner; the message only says that it is not the provisioner.
    attack.assert_onboarding_refused(&["account-not-owned", IMPERSONATED_NAME, &attack.impersonating_account]);
    attack.assert_onboarding_works_after_cleanup();
}

#[test]
fn an_impersonating_account_shared_with_the_provisioner_is_refused() {
    let attack = ImpersonationAttack::prepared();
    attack.share_account(&attack.provisioner_account(), "ResourceOwner");
    attack.assert_onboarding_refused(&[
        "account-controlled-by-others",
        "ebs-prod-claims-deployer",
        &attack.attacker_account,
    ]);
    attack.assert_onboarding_works_after_cleanup();
}

#[test]
fn an_impersonating_account_with_an_unrecorded_key_is_refused() {
    let attack = ImpersonationAttack::prepared();
    let key = attack
        .cli
        .create_key(&attack.attacker, &attack.impersonating_account, "cloud");
    attack.share_account(&attack.provisioner_account(), "ResourceOwner");
    attack.give_up_ownership();
    attack.assert_onboarding_refused(&["key-unrecorded", &key.id, IMPERSONATED_NAME]);
    // Revoking the key is sufficient: no other principal controls the account any more.
    let target = format!("/iam/v2/api-keys/{}", key.id);
    attack
        .cli
        .send_ok(&attack.cli.provisioner_key(), "DELETE", &target, None);
    attack.cli.run("onboard fraud --sandbox --yes").expect_success();
    attack.cli.run_without_writes("onboard fraud --sandbox --yes", 0);
    assert_eq!(attack.cli.account_id(IMPERSONATED_NAME), attack.impersonating_account);
}

#[test]
fn an_unrecorded_key_with_a_forged_tag_is_refused() {
    let attack = ImpersonationAttack::prepared();
    let stage = "ebs:v1 stage=prod dept=fraud role=operator state=live run=0badcafe";
    let body = json!({ "spec": { "owner": { "id": attack.impersonating_account }, "resource": { "id": "cloud" }, "description": stage } });
    let key = attack
        .cli
        .send_ok(&attack.attacker, "POST", "/iam/v2/api-keys", Some(body));
    attack.share_account(&attack.provisioner_account(), "ResourceOwner");
    attack.give_up_ownership();
    attack.assert_onboarding_refused(&["key-unrecorded", key.text("/id")]);
    attack.assert_onboarding_works_after_cleanup();
}

#[test]
fn an_impersonating_account_with_a_remaining_assigner_is_refused() {
    let attack = ImpersonationAttack::prepared();
    attack.share_account(&attack.provisioner_account(), "ResourceOwner");
    attack.share_account(&attack.attacker_account, "Assigner");
    let owner = attack.bindings_on_impersonating_account(&attack.attacker_account);
    for id in owner {
        let target = format!("/iam/v2/role-bindings/{id}");
        let binding = attack.cli.send_ok(&attack.attacker, "GET", &target, None);
        if binding["role_name"] == "ResourceOwner" {
            attack.cli.send_ok(&attack.attacker, "DELETE", &target, None);
        }
    }
    attack.assert_onboarding_refused(&["account-controlled-by-others", "Assigner", "ebs-prod-claims-deployer"]);
    attack.assert_onboarding_works_after_cleanup();
}

#[test]
fn an_account_owned_only_by_the_provisioner_and_without_keys_is_adopted() {
    let cli = Cli::onboarded("claims");
    let attacker = cli.profile_key("claims-deployer");
    let provisioner = cli.account_id("ebs-provisioner");
    let forged = ImpersonationAttack::create_impersonating_account(&cli, &attacker, &provisioner, &planned_tag(&cli));
    cli.run("onboard fraud --sandbox --yes").expect_success();
    cli.run_without_writes("onboard fraud --sandbox --yes", 0);
    let (status, _) = cli.send(&attacker, "DELETE", &format!("/iam/v2/service-accounts/{forged}"), None);
    assert_eq!(status, 403, "its creator does not control it");
}

#[test]
fn an_account_with_the_name_but_without_the_tag_is_unmanaged() {
    let cli = Cli::onboarded("claims");
    let attacker = cli.profile_key("claims-deployer");
    let me = cli.account_id("ebs-prod-claims-deployer");
    ImpersonationAttack::create_impersonating_account(&cli, &attacker, &me, "made by hand");
    let output = cli.run_without_writes("onboard fraud --sandbox --yes", 5);
    assert!(output.stderr.contains("account-name-taken"), "{output}");
}
