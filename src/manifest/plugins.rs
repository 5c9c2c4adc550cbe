//! Check of the plugins in a quota against the catalog. A plugin that is missing in the catalog may be new, so it is
//! only a warning.

use toml::Spanned;

use super::toml::TomlTable;
use crate::{catalog::catalog, diag::Finding, hint};

/// Reads the `plugins` of a quota. All findings are warnings, because new plugins appear every month.
pub(super) fn read_plugins(table: &TomlTable<'_>, names: Vec<Spanned<String>>) -> Vec<String> {
    if names.is_empty()
        && let Some(range) = table.key_range("plugins")
    {
        let finding = Finding::warning("plugins-empty", "`plugins` is empty, which allows no plugin");
        table.report(
            range,
            finding.with_fix("Write `plugins = [\"*\"]` to allow all of them."),
        );
    }
    let mut checked: Vec<String> = Vec::new();
    for name in names {
        if let Some(finding) = plugin_finding(name.get_ref()) {
            table.report(name.span(), finding);
        }
        if checked.contains(name.get_ref()) {
            let message = format!("duplicate plugin `{}`", name.get_ref());
            table.report(name.span(), Finding::warning("duplicate-value", message));
        } else {
            checked.push(name.into_inner());
        }
    }
    checked
}

/// Returns the finding for a plugin name that is not in the catalog.
fn plugin_finding(name: &str) -> Option<Finding> {
    if name == "*" || catalog().plugin(name).is_some() {
        return None;
    }
    let warning = |message| Finding::warning("plugin-unknown", message);
    if name.contains('.') {
        let message = format!("`{}` is a Java class name, not a plugin id", name.escape_debug());
        let ids = catalog().managed_for(name).map(|plugin| format!("`{}`", plugin.class));
        let fix = match ids.collect::<Vec<_>>().as_slice() {
            [] => {
                "Write the id of a managed plugin such as `S3_SINK`; `confluent connect plugin list` shows them.".into()
            }
            [id] => format!("Write {id}, the managed plugin of this class."),
            ids => format!("Write one of {}, the managed plugins of this class.", ids.join(", ")),
        };
        return Some(warning(message).with_fix(fix));
    }
    if name.contains('*') {
        let message = format!(
            "wildcards are not supported in `{}`; only `*` alone allows all plugins",
            name.escape_debug()
        );
        return Some(warning(message));
    }
    let finding = warning(format!("unknown plugin `{}`", name.escape_debug()));
    let near = hint::closest_match(name, catalog().plugins().map(|plugin| plugin.class));
    Some(match near {
        Some(near) => finding.with_fix(format!("Did you mean `{near}`?")),
        None => finding.with_fix("Check it with `confluent connect plugin list`; a new plugin may be valid."),
    })
}
