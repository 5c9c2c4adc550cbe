//! CSV as in RFC 4180, but with a line feed as line separator.

use std::borrow::Cow;

use super::escape::escape;

/// Returns `header` and `rows`, one line each.
pub fn to_csv<R>(header: &[&str], rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item: AsRef<str>>,
{
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    // Writing to memory cannot fail, and `flexible` accepts rows of any length.
    let _ = writer.write_record(header);
    for row in rows {
        let fields = row.into_iter().map(|text| neutralize(text.as_ref()).into_owned());
        let _ = writer.write_record(fields);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// Escapes control characters. A field that a spreadsheet would evaluate as a formula gets an apostrophe in front,
/// because names and messages are untrusted.
fn neutralize(text: &str) -> Cow<'_, str> {
    let formula = text.len() > 1 && text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if formula {
        escape(&format!("'{text}")).into_owned().into()
    } else {
        escape(text)
    }
}

#[cfg(test)]
mod tests {
    use super::to_csv;

    #[test]
    fn separators_and_quotes_are_quoted_and_control_characters_escaped() {
        let text = to_csv(&["a", "b"], [["x,y", "say \"hi\""], ["\u{1b}", ""]]);
        assert_eq!(text, "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\\u{1b},\n");
    }

    // CSV injection.
    #[test]
    fn text_is_never_read_as_a_formula() {
        let text = to_csv(
            &["a"],
            ["=1+2", "@SUM(A1)", "-", "-3.5", "+x", "a=b"].map(|text| [text]),
        );
        assert_eq!(text, "a\n'=1+2\n'@SUM(A1)\n-\n-3.5\n'+x\na=b\n");
    }
}
