//! Progress listeners: bars on a terminal, lines otherwise.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    escape::escape,
    style::{Palette, Style},
    ui::Ui,
};
use crate::apply::event::{EventListener, Reporter, RunEvent};

/// Maximum number of departments named next to the bar.
const NAMED: usize = 3;

/// Returns an event as one line; `None` for events that only move a bar.
fn event_line(event: &RunEvent, ui: &Ui, palette: Palette) -> Option<String> {
    let (style, word, text) = match event {
        RunEvent::Phase { .. } | RunEvent::Started { .. } | RunEvent::Info { .. } | RunEvent::Warning { .. } => {
            return None;
        }
        RunEvent::Done { label, .. } => (Style::Ok, "done", label.clone()),
        RunEvent::Retrying { label, reason, wait } => (
            Style::Warning,
            "wait",
            format!("{label}: {reason}, again in {}", format_wait(*wait)),
        ),
        RunEvent::Failed { label, reason, .. } => (Style::Error, "FAIL", format!("{label}: {reason}")),
        RunEvent::Skipped { label, because, .. } => (Style::Muted, "skip", format!("{label}: needs `{because}`")),
        RunEvent::Note { text } => (Style::Muted, "note", text.clone()),
    };
    let mut line = String::from("  ");
    palette.paint(style, word, &mut line);
    line.push_str("  ");
    line.push_str(&escape(&ui.redact(&text)));
    Some(line)
}

fn format_wait(wait: Duration) -> String {
    if wait < Duration::from_secs(1) {
        format!("{} ms", wait.as_millis())
    } else {
        format!("{:.0} s", wait.as_secs_f64())
    }
}

/// Progress as plain lines, for logs: phases and problems only.
pub(super) struct LineProgress {
    pub(super) ui: Ui,
}

impl EventListener for LineProgress {
    fn on_event(&self, event: &RunEvent) {
        match event {
            RunEvent::Phase { name, total: 0 } => self.ui.status(&format!("{name} …")),
            RunEvent::Phase { name, total } => self.ui.status(&format!("{name} ({total}) …")),
            RunEvent::Started { .. } | RunEvent::Done { .. } => {}
            RunEvent::Info { text } => self.ui.info(text),
            RunEvent::Warning { text } => self.ui.warn(text),
            RunEvent::Retrying { .. } | RunEvent::Failed { .. } | RunEvent::Skipped { .. } | RunEvent::Note { .. } => {
                if let Some(line) = event_line(event, &self.ui, Palette::PLAIN) {
                    self.ui.status(&line);
                }
            }
        }
    }
}

/// Progress bar for the current phase, with the departments in progress; finished steps scroll above it.
pub(super) struct BarProgress {
    /// Writes the lines, because the bar library pads its own lines to the terminal width.
    ui: Ui,
    multi: MultiProgress,
    state: Mutex<BarState>,
}

#[derive(Default)]
struct BarState {
    bar: Option<ProgressBar>,
    phase: &'static str,
    total: u64,
    finished: u64,
    /// Running steps by department.
    running: BTreeMap<String, usize>,
}

impl BarProgress {
    pub(super) fn new(ui: Ui) -> Self {
        Self {
            ui,
            multi: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            state: Mutex::default(),
        }
    }

    /// Returns the handle that suspends the bar while other lines are written.
    pub(super) fn multi(&self) -> MultiProgress {
        self.multi.clone()
    }
}

impl BarState {
    fn start_phase(&mut self, multi: &MultiProgress, name: &'static str, total: usize) {
        let bar = multi.add(ProgressBar::new(total as u64));
        let template = if total == 0 {
            "{spinner} {prefix:<9} {wide_msg}"
        } else {
            "{spinner} {prefix:<9} [{bar:24}] {pos}/{len}  {wide_msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            // ASCII works on every terminal and font.
            bar.set_style(style.progress_chars("=> ").tick_chars("-\\|/ "));
        }
        bar.set_prefix(name);
        bar.enable_steady_tick(Duration::from_millis(120));
        self.bar = Some(bar);
        self.phase = name;
        self.total = total as u64;
        self.finished = 0;
        self.running.clear();
    }

    /// Removes the bar and returns its final line.
    fn finish_phase(&mut self) -> Option<String> {
        let bar = self.bar.take()?;
        bar.finish_and_clear();
        Some(if self.total == 0 {
            format!("{}\n", self.phase)
        } else {
            format!("{} {}/{}\n", self.phase, self.finished, self.total)
        })
    }

    fn record_step(&mut self, department: Option<&String>, begins: bool) {
        if let Some(department) = department {
            let running = self.running.entry(escape(department).into_owned()).or_default();
            *running = if begins {
                *running + 1
            } else {
                running.saturating_sub(1)
            };
            if *running == 0 {
                self.running.remove(&*escape(department));
            }
        }
        if !begins {
            self.finished += 1;
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.finished);
            let names = self.running.keys().take(NAMED).cloned().collect::<Vec<_>>();
            let more = self.running.len() - names.len();
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            bar.set_message(format!("{}{more}", names.join(", ")));
        }
    }
}

impl EventListener for BarProgress {
    fn on_event(&self, event: &RunEvent) {
        // A poisoned lock must not stop the progress output.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            RunEvent::Phase { name, total } => {
                if let Some(line) = state.finish_phase() {
                    self.ui.write_err(&line);
                }
                state.start_phase(&self.multi, name, *total);
            }
            RunEvent::Started { department, .. } => state.record_step(department.as_ref(), true),
            RunEvent::Done { department, .. } | RunEvent::Failed { department, .. } => {
                state.record_step(department.as_ref(), false);
            }
            // The step never started.
            RunEvent::Skipped { .. } => state.record_step(None, false),
            RunEvent::Info { text } => self.ui.info(text),
            RunEvent::Warning { text } => self.ui.warn(text),
            RunEvent::Retrying { .. } | RunEvent::Note { .. } => {}
        }
        if let Some(line) = event_line(event, &self.ui, self.ui.palette()) {
            self.ui.write_err(&(line + "\n"));
        }
    }
}

impl Drop for BarProgress {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = state.finish_phase() {
            self.ui.write_err(&line);
        }
    }
}

/// Lines outside any progress display.
impl EventListener for Ui {
    fn on_event(&self, event: &RunEvent) {
        LineProgress { ui: self.clone() }.on_event(event);
    }
}

impl Reporter for Ui {
    fn start_progress(&self) -> Arc<dyn EventListener> {
        Self::start_progress(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Format;

    #[test]
    fn finished_steps_and_phases_stay_visible() {
        let (ui, captured) = Ui::captured(Format::Human, 80, "");
        let bars = BarProgress::new(ui);
        let department = || Some("claims".to_owned());
        for event in [
            RunEvent::Phase {
                name: "Observe",
                total: 0,
            },
            RunEvent::Phase {
                name: "Apply",
                total: 3,
            },
            RunEvent::Started {
                label: "create key".into(),
                department: department(),
            },
            RunEvent::Done {
                label: "create key".into(),
                department: department(),
            },
            RunEvent::Failed {
                label: "create binding".into(),
                department: department(),
                reason: "409".into(),
            },
        ] {
            bars.on_event(&event);
        }
        drop(bars);
        insta::assert_snapshot!(captured.stderr(), @r"
        Observe
          done  create key
          FAIL  create binding: 409
        Apply 2/3
        ");
    }
}
