//! Self-contained HTML pages: one file, no scripts, no external resources; a content security policy enforces this.
//!
//! Pages are built from elements. One function escapes all text and attribute values; element and attribute names are
//! constants, so untrusted text cannot become markup.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::escape::escape;

/// Style sheet: light and dark, wide and narrow.
const CSS: &str = include_str!("page.css");

/// Attributes of an element.
pub type Attributes<'a> = &'a [(&'static str, &'a str)];

/// Part of a page.
#[derive(Debug, Default)]
pub struct Html(String);

impl Html {
    /// Writes an element with the content that `inside` writes.
    pub fn element(&mut self, name: &'static str, attributes: Attributes<'_>, inside: impl FnOnce(&mut Self)) {
        self.open(name, attributes);
        inside(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// Writes an element with text.
    pub fn text_element(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.element(name, attributes, |html| html.text(text));
    }

    /// Writes a void element, such as `meta`.
    pub fn void_element(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.open(name, attributes);
    }

    /// Writes text.
    pub fn text(&mut self, text: &str) {
        for c in escape(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
    }

    fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
    }
}

/// Returns a page; `body` writes its content.
#[must_use]
pub fn page(title: &str, body: impl FnOnce(&mut Html)) -> String {
    let digest = STANDARD.encode(Sha256::digest(CSS));
    let policy = format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'");
    let mut html = Html("<!DOCTYPE html>\n".to_owned());
    html.element("html", &[("lang", "en")], |html| {
        html.element("head", &[], |html| {
            html.void_element("meta", &[("charset", "utf-8")]);
            html.void_element(
                "meta",
                &[("http-equiv", "Content-Security-Policy"), ("content", &policy)],
            );
            let viewport = "width=device-width, initial-scale=1";
            html.void_element("meta", &[("name", "viewport"), ("content", viewport)]);
            html.void_element("meta", &[("name", "color-scheme"), ("content", "light dark")]);
            html.text_element("title", &[], title);
            // The style sheet is not escaped, because the digest in the policy covers its exact text.
            html.element("style", &[], |html| html.0.push_str(CSS));
        });
        html.element("body", &[], body);
    });
    html.0.push('\n');
    html.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_element_has_attributes_and_content() {
        let mut html = Html::default();
        html.element("p", &[("class", "note")], |html| {
            html.text("a ");
            html.text_element("b", &[], "b");
        });
        assert_eq!(html.0, "<p class=\"note\">a <b>b</b></p>");
    }

    #[test]
    fn untrusted_text_is_escaped_in_text_and_attributes() {
        let mut html = Html::default();
        html.text_element("td", &[("data-label", "\" onclick='x'>")], "<script>&\u{202e}");
        assert_eq!(
            html.0,
            "<td data-label=\"&quot; onclick=&#39;x&#39;&gt;\">&lt;script&gt;&amp;\\u{202e}</td>"
        );
    }

    #[test]
    fn a_page_neither_loads_resources_nor_runs_scripts() {
        let text = page("A </title> page", |html| html.text_element("h1", &[], "Title"));
        assert!(
            text.contains("default-src &#39;none&#39;; style-src &#39;sha256-"),
            "{text}"
        );
        assert!(text.contains("<title>A &lt;/title&gt; page</title>"));
        for word in ["<script", "http://", "https://", "url(", "@import", "src=", "href="] {
            assert!(!text.contains(word), "{word}");
        }
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in any::<String>(), value in any::<String>()) {
            let mut html = Html::default();
            html.text_element("td", &[("title", &value)], &text);
            let rest = html.0.strip_prefix("<td title=\"").unwrap().strip_suffix("</td>").unwrap();
            let (value, text) = rest.split_once("\">").unwrap();
            prop_assert!(!value.contains(['<', '>', '"', '\'']));
            prop_assert!(!text.contains(['<', '>', '"', '\'']));
        }
    }
}
