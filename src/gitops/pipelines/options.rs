//! Where pipelines run.

use std::fmt;

use crate::error::Error;

/// Service that hosts the repository and runs its pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forge {
    /// GitHub Actions.
    Github,
    /// GitLab CI/CD.
    Gitlab,
    /// Azure Pipelines.
    Azure,
}

impl Forge {
    /// Returns the name in flags.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Azure => "azure",
        }
    }
}

impl fmt::Display for Forge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Default runner of GitHub and image of Azure.
pub const DEFAULT_RUNNER: &str = "ubuntu-latest";
/// Default branch of new repositories.
pub const DEFAULT_BRANCH: &str = "main";

/// Options of `gitops init`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineOptions {
    /// Forge.
    pub forge: Forge,
    /// Protected branch, whose commits are applied.
    pub branch: String,
    /// Label of the runner on GitHub, tag of the runner on GitLab, and image or `pool:NAME` on Azure.
    pub runner: String,
    /// Container image with `confluent-ebs`; the runner's own program without it.
    pub image: Option<String>,
    /// Whether environments of the forge hold the keys and the approvals.
    pub with_environments: bool,
    /// Whether the files are only compared.
    pub check: bool,
    /// Whether files that were changed by hand are overwritten.
    pub force: bool,
}

impl PipelineOptions {
    /// Checks that a text can stand in every generated file.
    ///
    /// # Errors
    /// The text contains another character than letters, digits and `._-/:@`.
    pub fn parse_name(text: &str) -> Result<String, String> {
        let harmless = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        let is_name = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(harmless);
        match is_name {
            true => Ok(text.to_owned()),
            false => Err("expected a letter or digit, followed by letters, digits and `._-/:@`".to_owned()),
        }
    }

    /// Checks that the forge has an alternative to environments.
    ///
    /// # Errors
    /// Environments are part of every plan of the forge.
    pub(super) fn check_forge(&self) -> Result<(), Error> {
        if self.with_environments || self.forge == Forge::Github {
            return Ok(());
        }
        Err(
            Error::usage(format!("`--without-environments` does not apply to `--ci {}`", self.forge)).with_hint(
                "Every plan of this forge has environments. `docs/pipelines.md` says which of their gates need a paid plan.",
            ),
        )
    }

    /// Returns the command that generates the files.
    #[must_use]
    pub fn command(&self) -> String {
        let mut words = vec!["confluent-ebs gitops init --ci", self.forge.as_str()];
        if self.branch != DEFAULT_BRANCH {
            words.extend(["--branch", &self.branch]);
        }
        if self.runner != DEFAULT_RUNNER {
            words.extend(["--runner", &self.runner]);
        }
        if let Some(image) = &self.image {
            words.extend(["--image", image]);
        }
        if !self.with_environments {
            words.push("--without-environments");
        }
        words.join(" ")
    }

    /// Returns the tag of the runner on GitLab; `None` for runners without tags.
    #[must_use]
    pub fn gitlab_tag(&self) -> Option<&str> {
        (self.runner != DEFAULT_RUNNER).then_some(self.runner.as_str())
    }

    /// Returns the agent pool on Azure; `None` for an image of Microsoft.
    #[must_use]
    pub fn azure_pool(&self) -> Option<&str> {
        self.runner.strip_prefix("pool:")
    }
}
