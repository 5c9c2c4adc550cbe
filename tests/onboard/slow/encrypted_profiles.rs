//! Encrypted profiles with a fault at every request.

use std::fs;

use confluent_ebs::sandbox::{Fault, FaultKind, SandboxSettings};

use super::faults::run_setup_with_fault_at_every_request;
use crate::{
    common::{OnboardingMachine, RunOutcome, list_files},
    profile_encryption::encrypt_to_one_key,
};

#[test]
fn encrypted_onboarding_survives_a_crash_before_every_request() {
    run_setup_with_fault_at_every_request(encrypt_to_one_key, FaultKind::KillBefore);
}

#[test]
fn encrypted_onboarding_survives_a_crash_after_every_request() {
    run_setup_with_fault_at_every_request(encrypt_to_one_key, FaultKind::KillAfter);
}

#[test]
fn encrypted_onboarding_survives_a_lost_response_to_every_request() {
    run_setup_with_fault_at_every_request(encrypt_to_one_key, FaultKind::LostAfter);
}

#[test]
fn no_crash_leaves_plaintext_secrets_on_disk() {
    let mut left = 0;
    for skip in 0.. {
        let mut machine = OnboardingMachine::new(SandboxSettings::instant());
        encrypt_to_one_key(&mut machine);
        machine
            .sandbox
            .add_fault(Fault::once(FaultKind::KillAfter).after_requests(skip))
            .unwrap();
        if !matches!(machine.onboard(&["claims"]), RunOutcome::Killed) {
            break;
        }
        for path in list_files(machine.root_dir()) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("secret ="), "{} after {skip} requests", path.display());
            left += usize::from(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
        }
    }
    assert!(left > 10, "the disk was searched");
}
