//! Comma-separated values as RFC 4180 has them, but with bare line feeds.

use super::escape::escape;

/// `header` and `rows`, one line each.
pub fn csv<R: AsRef<str>>(header: &[&str], rows: impl IntoIterator<Item = Vec<R>>) -> String {
    let mut out = format!("{}\n", header.join(","));
    for row in rows {
        let fields: Vec<String> = row.iter().map(|text| field(text.as_ref())).collect();
        out.push_str(&fields.join(","));
        out.push('\n');
    }
    out
}

/// A field that holds a separator or a quote stands in quotes.
fn field(text: &str) -> String {
    let text = escape(text);
    match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::csv;

    #[test]
    fn separators_and_quotes_are_quoted_and_controls_written_out() {
        let text = csv(&["a", "b"], [vec!["x,y", "say \"hi\""], vec!["\u{1b}", ""]]);
        assert_eq!(text, "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\\u{1b},\n");
    }
}
