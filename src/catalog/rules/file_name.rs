//! `file-name`: a file is called like its connector.

use super::Rule;
use crate::{
    catalog::lint::{Report, Subject, quoted},
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "file-name",
    severity: Severity::Warning,
    summary: "the file is not called like its connector",
    explanation: "One connector per file, called like it: so that it is found by its name, and that two files cannot mean the \
                  same connector (dossier `connect.md` §11).",
    on_self_managed: false,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let (Some(stem), Some(name)) = (subject.file.stem(), subject.file.connector_name()) else {
        return;
    };
    if stem != name.value && !name.value.is_empty() {
        let message = format!(
            "the connector is called {}, its file {}",
            quoted(&name.value),
            quoted(stem)
        );
        let extension = subject
            .file
            .source
            .path
            .extension()
            .and_then(|text| text.to_str())
            .unwrap_or("json");
        let safe = name
            .value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        let fix = if safe {
            format!("Rename the file to `{}.{extension}`.", name.value)
        } else {
            "Give both the same name.".to_owned()
        };
        report.warning(&name.value_span, message, fix);
    }
}
