//! Views of the profiles and records of an onboarding, and of the next step.

use crate::{
    commands::provisioning::delivery_lines,
    provisioning::onboarding::OnboardOutcome,
    render::{Block, Style, TextLine},
    text::count_noun,
};

/// Readers of an unencrypted profile. Windows has no file modes, so the permissions of the folder apply.
const PRIVATE_FILE_NOTE: &str = if cfg!(unix) {
    "readable only by you"
} else {
    "readable with the permissions of the folder"
};

fn is_encrypted(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|ending| ending == "age")
}

pub(super) fn profile_lines(outcome: &OnboardOutcome) -> Vec<TextLine> {
    let mut lines = Vec::new();
    let kept = outcome.deliveries.profiles_on_disk(outcome.finished_profiles());
    if !kept.is_empty() {
        let how = match kept.iter().filter(|profile| is_encrypted(&profile.path)).count() {
            0 => PRIVATE_FILE_NOTE.to_owned(),
            encrypted if encrypted == kept.len() => "encrypted to their recipients".to_owned(),
            encrypted => format!("{encrypted} encrypted to their recipients, the others {PRIVATE_FILE_NOTE}"),
        };
        let text = format!(
            "Profiles: {} in `{}`, {how}.",
            count_noun(kept.len(), "profile"),
            outcome.credentials_dir.display()
        );
        lines.push(TextLine::from(text).with_hanging_indent(2));
    }
    lines.extend(delivery_lines(&outcome.deliveries, outcome.count_delivered()));
    lines
}

/// Returns the lines about reissued profiles, the evidence and fallback roles.
pub(super) fn record_lines(outcome: &OnboardOutcome) -> Vec<TextLine> {
    let Some(report) = &outcome.report else {
        return Vec::new();
    };
    let reissued = report.reissued.iter().map(|reissued| {
        let path = reissued.path.display();
        let what = format!(
            "  The profile of `{}` of department `{}` changed; its key stays",
            reissued.persona, reissued.department
        );
        let text = match reissued.delivered {
            true => format!("{what}. Delivered: `{path}`, which contains no key."),
            false => format!(
                "{what}. Send `{path}`, which contains no key: `confluent ebs profile import` adds the stored key."
            ),
        };
        TextLine::from(text).with_hanging_indent(4)
    });
    let evidence = outcome.evidence.first().map(|first| {
        let folder = first.parent().unwrap_or(first).display();
        let files = count_noun(outcome.evidence.len(), "file");
        TextLine::from(format!("Evidence: {files} in `{folder}`.")).with_hanging_indent(2)
    });
    let fallbacks = report.fallbacks.iter().map(|fallback| {
        TextLine::from(format!("  Confluent Cloud rejected a role: {fallback}")).with_hanging_indent(4)
    });
    reissued.chain(evidence).chain(fallbacks).collect()
}

pub(super) fn next_step(outcome: &OnboardOutcome) -> Option<Block> {
    let first = outcome
        .finished_profiles()
        .first()
        .filter(|_| !outcome.deliveries.is_automatic())?;
    let path = first.path.display();
    let text = if is_encrypted(&first.path) {
        format!(
            "Next: send each profile to its department, which imports it with `confluent ebs profile import {path} \
             --identity KEYFILE`."
        )
    } else {
        format!("Next: send each profile to its department, which uses it with `--profile {path}`.")
    };
    let line = TextLine::new().with_styled_text(Style::Muted, text);
    Some(Block::Lines(vec![line.with_hanging_indent(2)]))
}
