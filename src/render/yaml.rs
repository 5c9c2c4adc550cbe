//! YAML that every reader understands alike: texts that some YAML would take for something else are quoted.

use serde::Serialize;

pub(super) fn render(value: &impl Serialize) -> Result<String, serde_saphyr::ser::Error> {
    let options = serde_saphyr::ser_options! {
        // `- ` below its key, as Go's YAML and so the stock CLI writes it.
        compact_list_indent: true,
        // Long texts stay on their line, so that `grep` finds them.
        prefer_block_scalars: false,
    };
    serde_saphyr::to_string_with_options(value, options)
}
