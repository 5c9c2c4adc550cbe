//! Parser for the compact plugin data, written by `tools/catalogue.py`; the head of the data file describes the format.
//!
//! The data is embedded and tested, so an invalid line is skipped.

use std::sync::LazyLock;

use super::schema::{Catalog, ConnectorDirection, Importance, KeySchema, PluginSchema, ValueType};
use crate::model::ownership::sha256_hex;

/// Returns the catalog, parsed on first use.
#[must_use]
pub fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
        let mut catalog = Catalog::default();
        read_into(&mut catalog, include_str!("data/plugins.txt"));
        read_into(&mut catalog, include_str!("data/supplement.txt"));
        catalog
    });
    &CATALOG
}

/// Returns a hash of the embedded facts, and of when and where `catalog` was refreshed.
#[must_use]
pub fn facts_hash(catalog: &Catalog) -> String {
    static EMBEDDED: LazyLock<String> = LazyLock::new(|| {
        let text = [include_str!("data/plugins.txt"), include_str!("data/supplement.txt")].concat();
        sha256_hex(text.as_bytes())
    });
    let refreshed = serde_json::to_string(&catalog.refreshed()).unwrap_or_default();
    sha256_hex(format!("{}\n{refreshed}", *EMBEDDED).as_bytes())
}

/// Adds the plugins in `text` to `catalog`. A key keeps its first definition; only its name counts as none.
fn read_into(catalog: &mut Catalog, text: &'static str) {
    let mut order: Vec<&'static str> = Vec::new();
    let mut group: Vec<&'static str> = Vec::new();
    for line in text.lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once(' ') {
            Some(("+", plugin)) => {
                if let Some(plugin) = read_plugin(plugin) {
                    order.push(plugin.class);
                    catalog.plugins.insert(plugin.class, plugin);
                }
            }
            Some(("%", transform)) => catalog.transforms.push(transform),
            Some(("-", key)) => mark_conditional(catalog, &group, key),
            Some(("@", members)) => group = read_group(catalog, &order, members),
            _ => {
                for key in read_keys(line) {
                    add(catalog, &group, &key);
                }
            }
        }
    }
}

fn add(catalog: &mut Catalog, group: &[&'static str], key: &KeySchema) {
    for class in group {
        let Some(plugin) = catalog.plugins.get_mut(class) else {
            continue;
        };
        for alias in &key.aliases {
            plugin.aliases.entry(alias).or_insert_with(|| key.name.clone());
        }
        let known = plugin.keys.entry(key.name.clone()).or_insert_with(|| key.clone());
        if !known.is_defined() && key.is_defined() {
            *known = KeySchema {
                required: known.required,
                ..key.clone()
            };
        }
    }
}

/// Marks `key` as required only under some conditions.
fn mark_conditional(catalog: &mut Catalog, group: &[&'static str], key: &str) {
    for class in group {
        let plugin = catalog.plugins.get_mut(class);
        if let Some(fact) = plugin.and_then(|plugin| plugin.keys.get_mut(key)) {
            fact.required = false;
            fact.conditionally_required = true;
        }
    }
}

fn read_plugin(line: &'static str) -> Option<PluginSchema> {
    let mut words = line.split(' ');
    Some(PluginSchema {
        class: words.next()?,
        implementation: words.next()?,
        direction: match words.next()? {
            "sink" => ConnectorDirection::Sink,
            _ => ConnectorDirection::Source,
        },
        transforms_known: words.next()? == "yes",
        keys: std::collections::BTreeMap::new(),
        aliases: std::collections::BTreeMap::new(),
    })
}

/// Returns the members of a group: numbers, ranges, names, or `*`.
fn read_group(catalog: &Catalog, order: &[&'static str], members: &'static str) -> Vec<&'static str> {
    if members == "*" {
        return catalog.plugins.keys().copied().collect();
    }
    if !members.starts_with(|c: char| c.is_ascii_digit()) {
        return members.split(' ').collect();
    }
    let mut group = Vec::new();
    for run in members.split(',') {
        let (from, to) = run.split_once('-').unwrap_or((run, run));
        if let (Ok(from), Ok(to)) = (from.parse::<usize>(), to.parse::<usize>()) {
            group.extend(order.get(from..=to).unwrap_or_default());
        }
    }
    group
}

/// Returns the key of a line, or all keys of a family (`api{1-15}.topics`).
fn read_keys(line: &'static str) -> Vec<KeySchema> {
    let mut fields = line.split('\t');
    let name = fields.next().unwrap_or_default();
    let Some(fact) = read_key(&mut fields) else {
        return Vec::new();
    };
    let family = name.split_once('{').and_then(|(before, rest)| {
        let (range, after) = rest.split_once('}')?;
        let (from, to) = range.split_once('-')?;
        Some((before, from.parse::<u8>().ok()?..=to.parse::<u8>().ok()?, after))
    });
    let named = |name: String| KeySchema { name, ..fact.clone() };
    match family {
        Some((before, numbers, after)) => numbers
            .map(|number| named(format!("{before}{number}{after}")))
            .collect(),
        None => vec![named(name.to_owned())],
    }
}

fn read_key(fields: &mut std::str::Split<'static, char>) -> Option<KeySchema> {
    let mut flags = fields.next()?.chars();
    let value_type = match flags.next()? {
        'S' => ValueType::String,
        'P' => ValueType::Password,
        'B' => ValueType::Boolean,
        'I' => ValueType::Int,
        'L' => ValueType::Long,
        'H' => ValueType::Short,
        'D' => ValueType::Double,
        'T' => ValueType::List,
        _ => return None,
    };
    let importance = match flags.next()? {
        'h' => Importance::High,
        'm' => Importance::Medium,
        'l' => Importance::Low,
        _ => Importance::Unknown,
    };
    let marks = flags.as_str();
    let default = fields.next().and_then(|field| field.strip_prefix('='));
    let mut list = || {
        let field = fields.next().unwrap_or_default();
        field.split('|').filter(|value| !value.is_empty()).collect()
    };
    Some(KeySchema {
        name: String::new(),
        value_type,
        required: marks.contains('!'),
        conditionally_required: false,
        default,
        allowed: list(),
        aliases: list(),
        importance,
        hidden: marks.contains('~'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // The size of the snapshot from which `tools/catalogue.py` makes the file. The supplement adds to it.
    #[test]
    fn the_snapshot_is_complete() {
        let mut catalog = Catalog::default();
        read_into(&mut catalog, include_str!("data/plugins.txt"));
        assert_eq!(catalog.plugins.len(), 104);
        let keys: usize = catalog.plugins().map(|plugin| plugin.keys.len()).sum();
        assert_eq!(keys, 8028);
        let secrets = catalog.plugins().flat_map(|plugin| plugin.keys.values());
        assert_eq!(secrets.filter(|key| key.value_type == ValueType::Password).count(), 550);
        assert_eq!(catalog.transforms.len(), 67);
        assert_eq!(catalog.plugins().filter(|plugin| !plugin.transforms_known).count(), 5);
    }
}
