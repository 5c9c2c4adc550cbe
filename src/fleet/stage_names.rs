//! Names of the stages of a cluster.

use std::fmt;

use serde::{Serialize, Serializer};

/// Names of the stages that share a Kafka cluster, usually one. The names of connectors do not tell to which of several
/// stages they belong. Displayed and serialized as one text, such as `prod, test`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageNames(Vec<String>);

impl StageNames {
    /// Returns whether the cluster belongs to this stage.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|known| known == name)
    }

    /// Returns the first name. Any of the names selects the cluster with `--stage`.
    pub fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Adds a stage of the same cluster.
    pub fn push(&mut self, name: impl Into<String>) {
        self.0.push(name.into());
    }
}

impl<N: Into<String>> FromIterator<N> for StageNames {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for StageNames {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join(", "))
    }
}

impl Serialize for StageNames {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
