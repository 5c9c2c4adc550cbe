//! The plugins that a quota allows, compared with the catalogue: one that is not there is unknown here, never wrong.

use toml::Spanned;

use super::toml::TomlTable;
use crate::{catalog::catalog, diag::Finding, hint};

/// Checks the `plugins` of a quota; everything here is a warning, because new plugins come every month.
pub(super) fn read_plugins(table: &TomlTable<'_>, names: Vec<Spanned<String>>) -> Vec<String> {
    if names.is_empty()
        && let Some(range) = table.key_range("plugins")
    {
        let finding = Finding::warning("plugins-empty", "an empty list of plugins allows none");
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
            let message = format!("plugin `{}` stands here twice", name.get_ref());
            table.report(name.span(), Finding::warning("duplicate-value", message));
        } else {
            checked.push(name.into_inner());
        }
    }
    checked
}

/// What is odd about `name` as a plugin.
fn plugin_finding(name: &str) -> Option<Finding> {
    if name == "*" || catalog().plugin(name).is_some() {
        return None;
    }
    let warning = |message| Finding::warning("plugin-unknown", message);
    if name.contains('.') {
        let message = format!("`{}` looks like a Java class", name.escape_debug());
        let ids = catalog().managed_for(name).map(|plugin| format!("`{}`", plugin.class));
        let fix = match ids.collect::<Vec<_>>().as_slice() {
            [] => {
                "Managed plugins have ids of their own (`S3_SINK`); `confluent connect plugin list` shows them.".into()
            }
            [id] => format!("Write {id}, the managed plugin of this class."),
            ids => format!("Write one of {}, the managed plugins of this class.", ids.join(", ")),
        };
        return Some(warning(message).with_fix(fix));
    }
    if name.contains('*') {
        let message = format!(
            "`{}` is taken literally: only `*` alone stands for all plugins",
            name.escape_debug()
        );
        return Some(warning(message));
    }
    let finding = warning(format!("plugin `{}` is not known here", name.escape_debug()));
    let near = hint::closest_match(name, catalog().plugins().map(|plugin| plugin.class));
    Some(match near {
        Some(near) => finding.with_fix(format!("Did you mean `{near}`?")),
        None => finding.with_fix("Compare it with `confluent connect plugin list`; a new plugin may well be right."),
    })
}
