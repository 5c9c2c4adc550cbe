//! Comma-separated values as RFC 4180 has them, but with bare line feeds.

use super::escape::escape;

/// `header` and `rows`, one line each.
pub fn to_csv<R: AsRef<str>>(header: &[&str], rows: impl IntoIterator<Item = Vec<R>>) -> String {
    let mut out = format!("{}\n", header.join(","));
    for row in rows {
        let fields: Vec<String> = row.iter().map(|text| quote_field(text.as_ref())).collect();
        out.push_str(&fields.join(","));
        out.push('\n');
    }
    out
}

/// A field that holds a separator or a quote stands in quotes. What a spreadsheet would take for a formula gets an
/// apostrophe before it: names and messages are other people's.
fn quote_field(text: &str) -> String {
    let formula = text.len() > 1 && text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = match formula {
        true => escape(&format!("'{text}")).into_owned().into(),
        false => escape(text),
    };
    match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::to_csv;

    #[test]
    fn separators_and_quotes_are_quoted_and_control_characters_escaped() {
        let text = to_csv(&["a", "b"], [vec!["x,y", "say \"hi\""], vec!["\u{1b}", ""]]);
        assert_eq!(text, "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\\u{1b},\n");
    }

    // What the field calls CSV injection.
    #[test]
    fn text_is_never_read_as_a_formula() {
        let text = to_csv(
            &["a"],
            ["=1+2", "@SUM(A1)", "-", "-3.5", "+x", "a=b"].map(|text| vec![text]),
        );
        assert_eq!(text, "a\n'=1+2\n'@SUM(A1)\n-\n-3.5\n'+x\na=b\n");
    }
}
