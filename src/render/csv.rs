//! CSV as in RFC 4180, but with `
//! ` as line separator.

use super::escape::escape;

/// Returns `header` and `rows`, one line each.
pub fn to_csv<R: AsRef<str>>(header: &[&str], rows: impl IntoIterator<Item = Vec<R>>) -> String {
    let mut out = format!("{}\n", header.join(","));
    for row in rows {
        let fields: Vec<String> = row.iter().map(|text| quote_field(text.as_ref())).collect();
        out.push_str(&fields.join(","));
        out.push('\n');
    }
    out
}

/// Quotes a field with a separator or quote. A field that a spreadsheet would evaluate as a formula gets an apostrophe
/// in front, because names and messages are untrusted.
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

    // CSV injection.
    #[test]
    fn text_is_never_read_as_a_formula() {
        let text = to_csv(
            &["a"],
            ["=1+2", "@SUM(A1)", "-", "-3.5", "+x", "a=b"].map(|text| vec![text]),
        );
        assert_eq!(text, "a\n'=1+2\n'@SUM(A1)\n-\n-3.5\n'+x\na=b\n");
    }
}
