//! Files below `connectors/`: `connectors/<department>/<stage>/<name>.yaml` puts the connector into a stage,
//! `connectors/<department>/<name>.yaml` is the base for all stages of the department.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fmt, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    effective_file::EffectiveFile,
    unmanaged::{UNMANAGED, UnmanagedConnectors, list_path},
};
use crate::{
    catalog::{ConnectorConfigFile, FileLayout},
    diag::{Assignee, Finding, SourceFile, SourceSpan},
    error::{Error, ResultExt},
    hint::closest_match,
    manifest::connector_file,
    text::join_code,
};

/// Folder of connector files.
pub const CONNECTORS: &str = "connectors";

/// Rule about files in a wrong place.
const PLACE: &str = "gitops-place";

/// Connector of a department in a stage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnectorAddress {
    /// Code of the department.
    pub department: String,
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Name of the connector.
    pub name: String,
}

impl fmt::Display for ConnectorAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}/{}", self.department, self.stage, self.name)
    }
}

/// File of a repository.
pub struct RepositoryFile {
    /// Path below `connectors/`.
    pub path: PathBuf,
    /// Bytes of the file, not yet parsed.
    pub content: Vec<u8>,
}

/// Departments and stages that may occur in paths; `None` allows all.
#[derive(Clone, Debug, Default)]
pub struct KnownNames {
    /// Codes of the departments.
    pub departments: Option<Vec<String>>,
    /// Names of the stages.
    pub stages: Option<Vec<String>>,
    /// Departments with the stages in which they may be.
    pub allowed: Option<BTreeSet<(String, String)>>,
}

/// Connector files of a repository.
#[derive(Default)]
pub struct ConnectorTree {
    /// Number of files.
    pub files: usize,
    /// Connectors by address.
    pub connectors: BTreeMap<ConnectorAddress, EffectiveFile>,
    /// Base files by department and name.
    pub bases: BTreeMap<(String, String), ConnectorConfigFile>,
    /// Connectors that are unmanaged on purpose.
    pub unmanaged: UnmanagedConnectors,
    /// Findings about places, syntax and settings. After an error, `connectors` is incomplete.
    pub findings: Vec<Finding>,
}

impl ConnectorTree {
    /// Reads the folder `connectors` of `root`. Findings show paths relative to `working_dir`, as annotations of a
    /// pipeline need them.
    ///
    /// # Errors
    /// The folder does not exist or cannot be read.
    pub fn read_folder(root: &Path, working_dir: &Path, known: &KnownNames) -> Result<Self, Error> {
        let folder = root.join(CONNECTORS);
        let mut files = Vec::new();
        let mut findings = Vec::new();
        if !folder.is_dir() {
            return Err(Error::failed(format!("no folder `{}`", folder.display())).with_hint(
                "Connector files are in `connectors/DEPARTMENT/STAGE/NAME.yaml`, beside `ebs.toml` or in the current \
                 directory.",
            ));
        }
        let shown = folder.strip_prefix(working_dir).unwrap_or(&folder);
        collect_files(&folder, shown, Path::new(""), &mut files, &mut findings)
            .with_context(|| format!("cannot read `{}`", folder.display()))?;
        let mut tree = Self::from_files(shown, files, known);
        tree.findings.splice(0..0, findings);
        Ok(tree)
    }

    /// Reads `files`, whose paths findings show below `shown`.
    #[must_use]
    pub fn from_files(shown: &Path, mut files: Vec<RepositoryFile>, known: &KnownNames) -> Self {
        files.sort_by(|left, right| left.path.cmp(&right.path));
        let mut tree = Self {
            files: files.len(),
            ..Self::default()
        };
        let mut stage_files: BTreeMap<ConnectorAddress, ConnectorConfigFile> = BTreeMap::new();
        for file in &files {
            let path = shown.join(&file.path);
            let Some(place) = tree.place(&file.path, &path, known) else {
                continue;
            };
            if let FilePlace::Unmanaged(department) = place {
                if let Err(error) = tree.unmanaged.add(&department, &String::from_utf8_lossy(&file.content)) {
                    tree.reject(&path, error, "Each entry has the keys `name`, `stage` and `reason`.");
                }
                continue;
            }
            let Some(parsed) = tree.parse(&path, &file.content) else {
                continue;
            };
            let former = match place {
                FilePlace::Unmanaged(_) => None,
                FilePlace::Base(department, name) => tree.bases.insert((department, name), parsed),
                FilePlace::Stage(address) => stage_files.insert(address, parsed),
            };
            if let Some(former) = former {
                let other = former.source.path.display().to_string();
                tree.reject(
                    &path,
                    format!("`{other}` is a file of the same connector"),
                    "Keep one of the two files.",
                );
            }
        }
        for (address, stage) in stage_files {
            let base = tree.bases.get(&(address.department.clone(), address.name.clone()));
            let merged = EffectiveFile::merge(address.clone(), base, stage, &mut tree.findings);
            tree.connectors.insert(address, merged);
        }
        tree.report_unused_bases();
        tree.check_unmanaged(shown, known);
        tree
    }

    /// Returns the connectors of a stage of a department.
    pub fn stage<'a>(&'a self, department: &'a str, stage: &'a str) -> impl Iterator<Item = &'a EffectiveFile> {
        let belongs = move |file: &&EffectiveFile| file.address.department == department && file.address.stage == stage;
        self.connectors.values().filter(belongs)
    }

    /// Returns the department and stage of each connector, once.
    #[must_use]
    pub fn stages(&self) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = self
            .connectors
            .keys()
            .map(|address| (address.department.clone(), address.stage.clone()))
            .collect();
        pairs.dedup();
        pairs
    }

    fn reject(&mut self, path: &Path, message: String, fix: impl Into<String>) {
        self.findings.push(place_finding(path, message).with_fix(fix));
    }

    /// Returns what the place of a file means; reports a place without meaning.
    fn place(&mut self, path: &Path, shown: &Path, known: &KnownNames) -> Option<FilePlace> {
        const LAYOUT: &str = "Connector files are in `connectors/DEPARTMENT/STAGE/NAME.yaml`; \
                              `connectors/DEPARTMENT/NAME.yaml` is a base for all stages.";
        let parts: Option<Vec<&str>> = path.iter().map(OsStr::to_str).collect();
        let Some(parts) = parts else {
            self.reject(shown, "the path is not UTF-8 text".to_owned(), "Rename the file.");
            return None;
        };
        let (department, stage) = match parts[..] {
            [department, _] => (department, None),
            [department, stage, _] => (department, Some(stage)),
            [_] => {
                self.reject(shown, "the file is in no folder of a department".to_owned(), LAYOUT);
                return None;
            }
            _ => {
                self.reject(shown, "the file is too deep in the folders".to_owned(), LAYOUT);
                return None;
            }
        };
        let name = path.file_stem().and_then(OsStr::to_str).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|extension| extension == "yml") {
            let fix = format!("Rename it to `{name}.yaml`.");
            self.reject(shown, "files with the ending `.yml` are not read".to_owned(), fix);
            return None;
        }
        let department_is_known = self.check_known(shown, "department", department, known.departments.as_deref());
        let Some(stage) = stage else {
            let is_list = path.ends_with(UNMANAGED);
            return department_is_known.then(|| match is_list {
                true => FilePlace::Unmanaged(department.to_owned()),
                false => FilePlace::Base(department.to_owned(), name),
            });
        };
        let stage_is_known = self.check_known(shown, "stage", stage, known.stages.as_deref());
        let pair = (department.to_owned(), stage.to_owned());
        let is_allowed = known.allowed.as_ref().is_none_or(|allowed| allowed.contains(&pair));
        if department_is_known && stage_is_known && !is_allowed {
            let fix = format!("Add the stage to `stages` in `departments/{department}.toml`, or move the file.");
            self.reject(shown, format!("department `{department}` has no stage `{stage}`"), fix);
        }
        (department_is_known && stage_is_known && is_allowed).then(|| {
            FilePlace::Stage(ConnectorAddress {
                department: department.to_owned(),
                stage: stage.to_owned(),
                name,
            })
        })
    }

    fn check_known(&mut self, shown: &Path, noun: &str, written: &str, known: Option<&[String]>) -> bool {
        let Some(known) = known else { return true };
        if known.iter().any(|name| name == written) {
            return true;
        }
        let fix = match closest_match(written, known.iter().map(String::as_str)) {
            Some(near) => format!("Did you mean `{near}`?"),
            None if noun == "stage" => format!("Known stages: {}.", join_code(known)),
            None => "Onboard the department first, or move the file.".to_owned(),
        };
        self.reject(shown, format!("there is no {noun} `{written}`"), fix);
        false
    }

    /// Parses a file; only the form with `config` is allowed, because the settings are beside it.
    fn parse(&mut self, path: &Path, content: &[u8]) -> Option<ConnectorConfigFile> {
        let parsed = match connector_file::read_from(path, content) {
            Ok(Ok(parsed)) => parsed,
            Ok(Err(findings)) => {
                self.findings.extend(findings);
                return None;
            }
            Err(error) => {
                self.reject(path, format!("the file cannot be read: {error}"), "Check the file.");
                return None;
            }
        };
        if parsed.layout == FileLayout::Bare {
            let message = "the keys of the connector are not below `config`".to_owned();
            self.reject(
                path,
                message,
                "Write `config:` in the first line and indent the keys below it.",
            );
            return None;
        }
        Some(parsed)
    }

    /// Reports connectors that are unmanaged on purpose and have a file, and unknown stages.
    fn check_unmanaged(&mut self, shown: &Path, known: &KnownNames) {
        let listed: Vec<ConnectorAddress> = self.unmanaged.iter().cloned().collect();
        for address in listed {
            let list = list_path(&address.department);
            let path = shown.join(list.strip_prefix(CONNECTORS).unwrap_or(&list));
            self.check_known(&path, "stage", &address.stage, known.stages.as_deref());
            if let Some(file) = self.connectors.get(&address) {
                let message = format!(
                    "connector `{}` is listed as unmanaged and has the file `{}`",
                    address.name,
                    file.path().display()
                );
                self.reject(
                    &path,
                    message,
                    "Delete the file, or remove the connector from the list.",
                );
            }
        }
    }

    fn report_unused_bases(&mut self) {
        let connectors = self.connectors.keys();
        let used: BTreeSet<(&str, &str)> = connectors
            .map(|address| (address.department.as_str(), address.name.as_str()))
            .collect();
        let is_used = |(department, name): &(String, String)| used.contains(&(department.as_str(), name.as_str()));
        let unused = self.bases.iter().filter(|(key, _)| !is_used(key));
        let findings: Vec<Finding> = unused
            .map(|((department, name), file)| {
                let place = SourceSpan::new(&SourceFile::new(file.source.path.clone(), ""), 0..0);
                Finding::warning("gitops-unused-base", "no stage includes this base file")
                    .with_span(place)
                    .with_assignee(Assignee::Department)
                    .with_fix(format!(
                        "Add `connectors/{department}/STAGE/{name}.yaml`, or delete the file."
                    ))
            })
            .collect();
        self.findings.extend(findings);
    }
}

enum FilePlace {
    Unmanaged(String),
    Base(String, String),
    Stage(ConnectorAddress),
}

fn place_finding(path: &Path, message: String) -> Finding {
    // An empty range means the whole file.
    let place = SourceSpan::new(&SourceFile::new(path, ""), 0..0);
    Finding::error(PLACE, message)
        .with_span(place)
        .with_assignee(Assignee::Department)
}

/// Collects the possible connector files below `folder`. Symbolic links are reported, not followed.
fn collect_files(
    folder: &Path,
    shown: &Path,
    relative: &Path,
    files: &mut Vec<RepositoryFile>,
    findings: &mut Vec<Finding>,
) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let (path, relative, kind) = (entry.path(), relative.join(&name), entry.file_type()?);
        if kind.is_dir() {
            collect_files(&path, shown, &relative, files, findings)?;
            continue;
        }
        let extension = relative.extension().and_then(OsStr::to_str).unwrap_or_default();
        if !matches!(extension, "json" | "yaml" | "yml") {
            continue;
        }
        if kind.is_symlink() {
            let message = "symbolic links are not read".to_owned();
            findings.push(place_finding(&shown.join(&relative), message).with_fix("Replace the link with a file."));
            continue;
        }
        files.push(RepositoryFile {
            path: relative,
            content: read_bounded(&path)?,
        });
    }
    Ok(())
}

/// Reads a file up to one byte more than a connector file may have, so that the parser reports larger ones.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let limit = connector_file::MAX_FILE_SIZE as u64 + 1;
    io::Read::read_to_end(&mut io::Read::take(std::fs::File::open(path)?, limit), &mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "config:\n  connector.class: DatagenSource\n";

    fn tree(files: &[(&str, &str)]) -> ConnectorTree {
        let known = KnownNames {
            departments: Some(vec!["claims".to_owned()]),
            stages: Some(vec!["prod".to_owned(), "test".to_owned()]),
            allowed: Some(BTreeSet::from([("claims".to_owned(), "prod".to_owned())])),
        };
        let files = files.iter().map(|(path, text)| RepositoryFile {
            path: PathBuf::from(path),
            content: text.as_bytes().to_vec(),
        });
        ConnectorTree::from_files(Path::new(CONNECTORS), files.collect(), &known)
    }

    fn messages(tree: &ConnectorTree) -> Vec<&str> {
        tree.findings.iter().map(|finding| finding.message.as_str()).collect()
    }

    #[test]
    fn a_stage_file_is_a_connector_and_a_base_alone_is_none() {
        let tree = tree(&[
            ("claims/claims-a.yaml", FILE),
            ("claims/prod/claims-b.json", r#"{"config": {"a": "b"}}"#),
        ]);
        let addresses: Vec<String> = tree.connectors.keys().map(ToString::to_string).collect();
        assert_eq!(addresses, ["claims/prod/claims-b"]);
        assert_eq!(messages(&tree), ["no stage includes this base file"]);
    }

    #[test]
    fn files_in_wrong_places_are_errors_and_never_connectors() {
        for (path, message) in [
            ("a.yaml", "the file is in no folder of a department"),
            ("claims/prod/x/a.yaml", "the file is too deep in the folders"),
            ("claim/prod/a.yaml", "there is no department `claim`"),
            ("claims/prd/a.yaml", "there is no stage `prd`"),
            ("claims/test/a.yaml", "department `claims` has no stage `test`"),
            ("claims/prod/a.yml", "files with the ending `.yml` are not read"),
        ] {
            let tree = tree(&[(path, FILE)]);
            assert_eq!(messages(&tree), [message]);
            assert!(tree.connectors.is_empty());
        }
    }

    #[test]
    fn two_files_of_one_connector_are_an_error() {
        let tree = tree(&[
            ("claims/prod/a.yaml", FILE),
            ("claims/prod/a.json", r#"{"config": {}}"#),
        ]);
        assert_eq!(
            messages(&tree),
            ["`connectors/claims/prod/a.json` is a file of the same connector"]
        );
    }

    #[test]
    fn keys_without_config_are_an_error() {
        let tree = tree(&[("claims/prod/a.yaml", "connector.class: DatagenSource\n")]);
        assert_eq!(messages(&tree), ["the keys of the connector are not below `config`"]);
    }
}
