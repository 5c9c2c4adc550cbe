//! Rules that the program contains, with their tests.

macro_rules! policies {
    ($($name:literal),+ $(,)?) => {
        &[$(
            (
                concat!("policies/", $name, ".toml"),
                include_str!(concat!("../../../policies/", $name, ".toml")),
            ),
            (
                concat!("policies/tests/", $name, ".toml"),
                include_str!(concat!("../../../policies/tests/", $name, ".toml")),
            ),
        )+]
    };
}

/// Returns the shipped policy files and their tests: path below the repository and text.
#[must_use]
pub fn shipped_policies() -> &'static [(&'static str, &'static str)] {
    policies!["changes", "errors", "identity", "plugins"]
}
