//! Self-contained HTML pages: one file, no scripts, no external resources; a content security policy enforces this.
//!
//! The pages are askama templates in `templates`, filled from plain values. `askama.toml` names `PageEscaper`, which
//! escapes every value, so untrusted text cannot become markup.

mod parts;
mod quota_audit;
mod status;

use std::fmt;

use askama::filters::{Escaper, Html};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use self::parts::ConditionBadge;
use super::escape::escape;
use crate::redact::SecretRegistry;

pub use quota_audit::quota_audit_page;
pub use status::status_page;

/// Style sheet: light and dark, wide and narrow.
const STYLE: &str = include_str!("templates/page.css");

/// Escapes text for elements and attributes. Control and deceptive characters become visible, as on a terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageEscaper;

impl Escaper for PageEscaper {
    fn write_escaped_str<W: fmt::Write>(&self, out: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(out, &escape(text))
    }
}

/// Returns a page without registered secrets. Only text is searched: markup and the style sheet are our own.
pub(super) fn redact_page(secrets: &SecretRegistry, page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut is_style = false;
    for piece in page.split_inclusive('>') {
        let (text, tag) = piece.split_at(piece.find('<').unwrap_or(piece.len()));
        match is_style {
            true => out.push_str(text),
            false => out.push_str(&secrets.redact(text)),
        }
        out.push_str(tag);
        is_style = tag.starts_with("<style") || (is_style && !tag.starts_with("</style"));
    }
    out
}

/// What every page contains besides its main part.
struct PageFrame {
    /// Title, also the heading.
    title: String,
    /// Verdict in one sentence.
    verdict: ConditionBadge,
    /// Time of the observation.
    taken_at: Timestamp,
    /// Limitations: what the page does not show.
    omissions: Vec<String>,
}

impl PageFrame {
    const fn style() -> &'static str {
        STYLE
    }

    fn style_digest() -> String {
        STANDARD.encode(Sha256::digest(STYLE))
    }

    const fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn taken_at_text(&self) -> String {
        self.taken_at.strftime("%Y-%m-%d %H:%M UTC").to_string()
    }
}

#[cfg(test)]
mod tests {
    use askama::Template;
    use proptest::prelude::*;

    use super::*;
    use crate::fleet::ConnectorCondition;

    #[derive(Template)]
    #[template(source = "<td title=\"{{ title }}\">{{ text }}</td>", ext = "html")]
    struct EscapingSample<'a> {
        title: &'a str,
        text: &'a str,
    }

    #[derive(Template)]
    #[template(path = "page.html")]
    struct EmptyPage {
        frame: PageFrame,
    }

    #[test]
    fn untrusted_text_is_escaped_in_text_and_attributes() {
        let page = EscapingSample {
            title: "\" onclick='x'>",
            text: "<script>&\u{202e}",
        };
        assert_eq!(
            page.to_string(),
            "<td title=\"&#34; onclick=&#39;x&#39;&#62;\">&#60;script&#62;&#38;\\u{202e}</td>"
        );
    }

    #[test]
    fn secrets_are_redacted_in_text_and_not_in_markup() {
        let secrets = SecretRegistry::default();
        secrets.add("can<ry-\"1\"");
        secrets.add("display-canary");
        let page = EscapingSample {
            title: "",
            text: "is can<ry-\"1\" wrong?",
        }
        .to_string();
        assert_eq!(
            redact_page(
                &secrets,
                &format!("<style>a > b {{display-canary}}</style><b class=\"display-canary\">{page}")
            ),
            "<style>a > b {display-canary}</style><b class=\"display-canary\"><td title=\"\">is [redacted] wrong?</td>"
        );
    }

    #[test]
    fn a_page_neither_loads_resources_nor_runs_scripts() {
        let frame = PageFrame {
            title: "A </title> page".into(),
            verdict: ConditionBadge::new(ConnectorCondition::Running, "Fine."),
            taken_at: Timestamp::UNIX_EPOCH,
            omissions: Vec::new(),
        };
        let text = EmptyPage { frame }.to_string();
        assert!(text.contains("<title>A &#60;/title&#62; page</title>"), "{text}");
        for word in ["<script", "http://", "https://", "url(", "@import", "src=", "href="] {
            assert!(!text.contains(word), "{word}");
        }
        // The policy allows exactly the style sheet of the page.
        let style = text.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let digest = STANDARD.encode(Sha256::digest(style));
        let policy = format!("content=\"default-src 'none'; style-src 'sha256-{digest}';");
        assert!(text.replace("&#43;", "+").contains(&policy), "{text}");
    }

    // Every value passes the escaper, unless a template marks it as safe.
    #[test]
    fn only_the_style_sheet_is_marked_as_safe() {
        let templates = [
            include_str!("templates/page.html"),
            include_str!("templates/parts.html"),
            include_str!("templates/quota_audit.html"),
            include_str!("templates/status.html"),
            include_str!("templates/status_stage.html"),
        ];
        let marked: usize = templates.map(|text| text.matches("safe").count()).iter().sum();
        assert_eq!(marked, 1);
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in any::<String>(), title in any::<String>()) {
            let html = EscapingSample { title: &title, text: &text }.to_string();
            let rest = html.strip_prefix("<td title=\"").unwrap().strip_suffix("</td>").unwrap();
            let (title, text) = rest.split_once("\">").unwrap();
            prop_assert!(!title.contains(['<', '>', '"', '\'']));
            prop_assert!(!text.contains(['<', '>', '"', '\'']));
        }
    }
}
