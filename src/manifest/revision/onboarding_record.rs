//! Which departments are onboarded in which stages, according to the evidence in the repository.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Record of onboardings and off-boardings by department and stage.
#[derive(Clone, Debug, Default)]
pub struct OnboardingRecord {
    /// Time of the latest run, and whether it left the department onboarded.
    latest: BTreeMap<(String, String), (Timestamp, bool)>,
}

impl OnboardingRecord {
    /// Adds a run. The latest run of a department in a stage decides; of two at the same time, the off-boarding, which
    /// writes two files.
    pub fn add(&mut self, department: &str, stage: &str, at: Timestamp, is_onboarded: bool) {
        let key = (department.to_owned(), stage.to_owned());
        let latest = self.latest.entry(key).or_insert((at, is_onboarded));
        if at > latest.0 || (at == latest.0 && !is_onboarded) {
            *latest = (at, is_onboarded);
        }
    }

    /// Whether no run is recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.latest.is_empty()
    }

    /// Returns whether the department is onboarded in the stage; `None` if no run is recorded.
    #[must_use]
    pub fn state(&self, department: &str, stage: &str) -> Option<bool> {
        let key = (department.to_owned(), stage.to_owned());
        self.latest.get(&key).map(|(_, is_onboarded)| *is_onboarded)
    }
}
