//! Embedded files: the shipped templates, and the example platform that `--sandbox` uses if there is no `ebs.toml`.

macro_rules! departments {
    ($($code:literal),+ $(,)?) => {
        /// Department files of the example platform: path and text.
        pub const DEPARTMENTS: &[(&str, &str)] = &[$((
            concat!("departments/", $code, ".toml"),
            include_str!(concat!("../../examples/platform/departments/", $code, ".toml")),
        )),+];
    };
}

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        /// Shipped templates: path and text.
        pub const TEMPLATES: &[(&str, &str)] = &[$((
            concat!("rbac-templates/", $name, ".toml"),
            include_str!(concat!("../../rbac-templates/", $name, ".toml")),
        )),+];

        /// Assertion files for the shipped templates: path and text, one file per template.
        pub const TESTS: &[(&str, &str)] = &[$((
            concat!("rbac-templates/tests/", $name, ".toml"),
            include_str!(concat!("../../rbac-templates/tests/", $name, ".toml")),
        )),+];
    };
}

/// `ebs.toml` of the example platform.
pub const PLATFORM: &str = include_str!("../../examples/platform/ebs.toml");

templates!["hybrid", "hybrid-reader", "self-service", "read-only"];

// A test compares this list with the folder.
departments![
    "accounting",
    "actuarial",
    "broker",
    "claims",
    "compliance",
    "customer",
    "data-platform",
    "fraud",
    "health",
    "hr",
    "legal",
    "liability",
    "life",
    "marine",
    "marketing",
    "motor",
    "payments",
    "procurement",
    "property",
    "reinsurance",
    "risk",
    "travel",
    "treasury",
    "underwriting",
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    #[test]
    fn every_file_of_the_example_and_every_template_is_compiled_in() {
        let here = |folder: &str| -> BTreeSet<String> {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let entries = std::fs::read_dir(root.join(folder)).unwrap();
            let paths = entries.map(|entry| entry.unwrap().path());
            let toml = paths.filter(|path| path.extension().is_some_and(|end| end == "toml"));
            toml.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
                .collect()
        };
        let listed = |files: &[(&str, &str)]| -> BTreeSet<String> {
            files
                .iter()
                .map(|(path, _)| path.rsplit('/').next().unwrap().to_owned())
                .collect()
        };
        assert_eq!(listed(DEPARTMENTS), here("examples/platform/departments"));
        assert_eq!(listed(TEMPLATES), here("rbac-templates"));
        assert_eq!(listed(TESTS), here("rbac-templates/tests"));
    }
}
