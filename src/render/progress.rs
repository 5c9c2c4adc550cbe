//! Progress listeners: bars on a terminal, lines otherwise.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    escape::escape,
    stream::lock,
    style::{Palette, Style},
    ui::Ui,
};
use crate::apply::event::{EventListener, Reporter, RunEvent};

/// Interval between signs of life: a job without output looks stuck.
pub(super) const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

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

/// Prints an event as a plain line: phases and problems only. Returns whether it was printed.
fn print_event(ui: &Ui, event: &RunEvent) -> bool {
    match event {
        RunEvent::Phase { name, total: 0 } => ui.status(&format!("{name} …")),
        RunEvent::Phase { name, total } => ui.status(&format!("{name} ({total}) …")),
        RunEvent::Started { .. } | RunEvent::Done { .. } => return false,
        RunEvent::Info { text } => ui.info(text),
        RunEvent::Warning { text } => ui.warn(text),
        RunEvent::Retrying { .. } | RunEvent::Failed { .. } | RunEvent::Skipped { .. } | RunEvent::Note { .. } => {
            if let Some(line) = event_line(event, ui, Palette::PLAIN) {
                ui.status(&line);
            }
        }
    }
    true
}

/// Progress as plain lines, for logs: phases and problems, and a sign of life while nothing else is printed.
pub(super) struct LineProgress {
    ui: Ui,
    state: Arc<Mutex<LineState>>,
    /// Ends the signs of life when it is dropped.
    _end: mpsc::Sender<()>,
}

#[derive(Default)]
struct LineState {
    phase: &'static str,
    total: usize,
    finished: usize,
    /// Labels of the running steps.
    running: Vec<String>,
    /// Number of intervals since the last line.
    silent: u32,
}

impl LineProgress {
    pub(super) fn new(ui: Ui, interval: Duration) -> Self {
        let (end, ended) = mpsc::channel();
        let state = Arc::new(Mutex::new(LineState::default()));
        let (shown, watched) = (ui.clone(), Arc::clone(&state));
        std::thread::spawn(move || {
            while ended.recv_timeout(interval) == Err(mpsc::RecvTimeoutError::Timeout) {
                let line = lock(&watched).sign_of_life(interval);
                if let Some(line) = line {
                    shown.status(&line);
                }
            }
        });
        Self { ui, state, _end: end }
    }
}

impl LineState {
    fn record(&mut self, event: &RunEvent, is_printed: bool) {
        if is_printed {
            self.silent = 0;
        }
        match event {
            RunEvent::Phase { name, total } => {
                (self.phase, self.total, self.finished) = (name, *total, 0);
                self.running.clear();
            }
            RunEvent::Started { label, .. } => self.running.push(label.clone()),
            RunEvent::Done { label, .. } | RunEvent::Failed { label, .. } => {
                self.running.retain(|running| running != label);
                self.finished += 1;
            }
            RunEvent::Skipped { .. } => self.finished += 1,
            _ => {}
        }
    }

    /// Returns a line that shows what the run waits for, unless another line was printed in the last interval.
    fn sign_of_life(&mut self, interval: Duration) -> Option<String> {
        self.silent += 1;
        if self.silent < 2 || self.phase.is_empty() {
            return None;
        }
        let count = match self.total {
            0 => String::new(),
            total => format!(" {} of {total}", self.finished),
        };
        let step = match self.running.as_slice() {
            [] => String::new(),
            [only] => format!(": {only}"),
            [first, others @ ..] => format!(": {first}, and {} more", others.len()),
        };
        let quiet = interval.saturating_mul(self.silent - 1).as_secs();
        Some(format!(
            "  ...   {}{count}{step} (nothing new for {quiet} s)",
            self.phase
        ))
    }
}

impl EventListener for LineProgress {
    fn on_event(&self, event: &RunEvent) {
        let is_printed = print_event(&self.ui, event);
        lock(&self.state).record(event, is_printed);
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
        print_event(self, event);
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
    fn a_quiet_run_shows_what_it_waits_for() {
        let interval = Duration::from_secs(5);
        let mut state = LineState::default();
        let signs = |state: &mut LineState| state.sign_of_life(interval).unwrap_or_default();
        assert_eq!((signs(&mut state), signs(&mut state)), (String::new(), String::new()));
        let started = |label: &str| RunEvent::Started {
            label: label.to_owned(),
            department: None,
        };
        state.record(
            &RunEvent::Phase {
                name: "Apply",
                total: 3,
            },
            true,
        );
        state.record(&started("create key"), false);
        assert_eq!(signs(&mut state), "");
        assert_eq!(
            signs(&mut state),
            "  ...   Apply 0 of 3: create key (nothing new for 5 s)"
        );
        let done = RunEvent::Done {
            label: "create key".to_owned(),
            department: None,
        };
        state.record(&done, false);
        state.record(&started("prove key"), false);
        state.record(&started("prove other"), false);
        assert_eq!(
            signs(&mut state),
            "  ...   Apply 1 of 3: prove key, and 1 more (nothing new for 10 s)"
        );
        state.record(
            &RunEvent::Note {
                text: "waiting".to_owned(),
            },
            true,
        );
        assert_eq!(signs(&mut state), "");
    }

    #[test]
    fn a_line_progress_prints_signs_of_life_until_it_is_dropped() {
        let (ui, captured) = Ui::captured(Format::Human, 80, "");
        let lines = LineProgress::new(ui, Duration::from_millis(1));
        lines.on_event(&RunEvent::Phase { name: "Wait", total: 0 });
        while !captured.stderr().contains("...   Wait") {
            std::thread::yield_now();
        }
    }

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
