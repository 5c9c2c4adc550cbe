//! Retirement of a department: `retired = DATE` in its file, which reserves its prefix forever.

use serde::Serialize;

use crate::{
    config::save,
    error::{Error, ResultExt},
    manifest::WorkspaceOrigin,
    model::Department,
    session::{PlatformSession, RunContext},
};

/// Retirement of a department.
#[derive(Debug, Serialize)]
pub struct Retirement {
    /// Date of the retirement.
    pub on: jiff::civil::Date,
    /// Department file with the date; `None` for the built-in example, which has no files.
    pub file: Option<std::path::PathBuf>,
}

/// Sets `retired` to today's date in the department file, unless it is already set. The rest of the file is unchanged.
pub(super) fn retire(
    run: &RunContext,
    session: &PlatformSession,
    department: &Department,
) -> Result<Option<Retirement>, Error> {
    let on = match department.retired {
        Some(day) => day,
        None => session.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date(),
    };
    let WorkspaceOrigin::Folder(folder) = &session.workspace.origin else {
        run.info("The built-in example has no files, so the retirement of the department is not recorded.");
        return Ok(None);
    };
    let path = folder.join("departments").join(format!("{}.toml", department.code));
    if department.retired.is_some() {
        return Ok(Some(Retirement { on, file: Some(path) }));
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let retired = set_retired(&text, on).with_context(|| format!("cannot parse `{}` as TOML", path.display()))?;
    save::save_public(&path, retired.as_bytes(), save::IfExists::Replace)
        .context("cannot record the retirement; nothing was changed")?;
    Ok(Some(Retirement { on, file: Some(path) }))
}

/// Returns the text of a department file with `retired`, inserted before the first table.
fn set_retired(text: &str, on: jiff::civil::Date) -> Result<String, toml_edit::TomlError> {
    let mut document: toml_edit::DocumentMut = text.parse()?;
    let day = toml_edit::Date {
        year: u16::try_from(on.year()).unwrap_or_default(),
        month: u8::try_from(on.month()).unwrap_or_default(),
        day: u8::try_from(on.day()).unwrap_or_default(),
    };
    let value = toml_edit::Datetime {
        date: Some(day),
        time: None,
        offset: None,
    };
    document["retired"] = toml_edit::value(value);
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_inserted_at_the_top_and_the_rest_is_unchanged() {
        let text = "# who\nname = \"Claims\"   # ours\nprefix = \"claims-\"\n\n[quota]\ntasks = 3\n";
        let retired = set_retired(text, jiff::civil::date(2026, 11, 26)).unwrap();
        assert_eq!(
            retired,
            "# who\nname = \"Claims\"   # ours\nprefix = \"claims-\"\nretired = 2026-11-26\n\n[quota]\ntasks = 3\n"
        );
    }
}
