//! Full-screen display that is repainted repeatedly and restores the terminal at the end.

use std::io::{self, IsTerminal};

use super::{
    stream::lock,
    style::Style,
    ui::Ui,
    view::{Block, TextLine},
};
use tokio_util::sync::CancellationToken;

/// Switches to the alternate screen, hides the cursor and disables line wrapping.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l";
const LEAVE: &str = "\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l";
const HOME: &str = "\u{1b}[H";
const END_OF_LINE: &str = "\u{1b}[K";
const END_OF_SCREEN: &str = "\u{1b}[J";

/// Size if the terminal does not report it.
const DEFAULT_SIZE: (usize, usize) = (80, 24);

/// Full-screen display. Dropping it restores the terminal; until then messages appear in the last line.
pub struct Screen {
    ui: Ui,
    /// Text that tells how to stop.
    stop: &'static str,
}

/// Saved key mode of the terminal, to be restored.
pub(super) type SavedKeyMode = Option<keys::Keys>;

impl Ui {
    /// Opens the full-screen display; `None` if standard output is not a terminal. The stop key cancels `cancel`.
    #[must_use]
    pub fn open_screen(&self, cancel: &CancellationToken) -> Option<Screen> {
        if !self.0.out_is_terminal {
            return None;
        }
        let keys = io::stdin()
            .is_terminal()
            .then(|| keys::Keys::listen(self, cancel))
            .flatten();
        let stop = if keys.is_some() { keys::STOP } else { "Ctrl-C to stop" };
        *lock(&self.0.saved_terminal) = Some(keys);
        *lock(&self.0.pending_message) = Some(String::new());
        drop(self.write_out(ENTER));
        Some(Screen { ui: self.clone(), stop })
    }

    /// Restores the terminal if it is in full-screen mode, also before a process exits without running destructors.
    pub fn leave_screen(&self) {
        let taken = lock(&self.0.saved_terminal).take();
        if taken.is_some() {
            drop(self.write_out(LEAVE));
            *lock(&self.0.pending_message) = None;
        }
    }
}

impl Screen {
    /// Paints the blocks that `frame` returns for this number of columns and lines; the last line counts lines that do
    /// not fit.
    pub fn paint(&self, frame: impl FnOnce(usize, usize) -> Vec<Block>) -> io::Result<()> {
        let size = terminal_size::terminal_size();
        let (width, height) = size.map_or(DEFAULT_SIZE, |(width, height)| (width.0.into(), height.0.into()));
        let room = height.saturating_sub(1);
        let blocks = frame(width, room);
        let note = lock(&self.ui.0.pending_message)
            .replace(String::new())
            .unwrap_or_default();
        let text = paint_to_string(&self.ui, &blocks, (width, room), self.stop, &note);
        self.ui.write_out(&text)
    }
}

/// Returns one frame: every line of the terminal, so that nothing of the previous frame remains.
fn paint_to_string(ui: &Ui, blocks: &[Block], (width, room): (usize, usize), stop: &str, note: &str) -> String {
    let text = ui.render_redacted(blocks, width, ui.0.out.palette);
    let lines: Vec<&str> = text.lines().collect();
    let mut out = HOME.to_owned();
    for line in lines.iter().take(room) {
        // Erase before writing: after a full-width line, erasing would delete its last character.
        out.push_str(END_OF_LINE);
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(END_OF_SCREEN);
    let left = match lines.len().saturating_sub(room) {
        0 => String::new(),
        1 => " 1 more line needs a larger window.".to_owned(),
        number => format!(" {number} more lines need a larger window."),
    };
    let last = match note.trim() {
        "" => format!("{stop}.{left}"),
        note => note.lines().next_back().unwrap_or_default().to_owned(),
    };
    let last = TextLine::new().with_styled_text(Style::Muted, last);
    let last = ui.render_redacted(&[Block::line(last)], usize::MAX, ui.0.out.palette);
    // Erase the rest, so that the status line is on the last line.
    let missing = room.saturating_sub(lines.len());
    out.extend(std::iter::repeat_n('\n', missing));
    out.push_str(END_OF_LINE);
    out.push_str(last.trim_end_matches('\n'));
    out
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.ui.leave_screen();
    }
}

/// Single-key input, without waiting for a line.
#[cfg(unix)]
mod keys {
    use std::{
        io::{self, Read as _},
        thread,
    };

    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
    use tokio_util::sync::CancellationToken;

    use super::super::ui::Ui;
    use crate::exit::ExitCode;

    pub(super) const STOP: &str = "q to stop";

    /// Saved terminal settings.
    pub(in crate::render) struct Keys(Termios);

    impl Keys {
        /// Starts reading keys: `q` and Ctrl-C cancel, and a second press ends the process at once. Ctrl-C sends no
        /// signal in this mode, because the signal would end the parent Confluent CLI immediately, and the shell would
        /// take the terminal before it is restored.
        pub(super) fn listen(ui: &Ui, cancel: &CancellationToken) -> Option<Self> {
            let before = tcgetattr(io::stdin()).ok()?;
            let mut now = before.clone();
            now.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
            now.special_codes[SpecialCodeIndex::VMIN] = 1;
            now.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(io::stdin(), OptionalActions::Now, &now).ok()?;
            let (ui, interrupt) = (ui.clone(), cancel.clone());
            // The thread ends with the process: a thread that waits for a key cannot be stopped.
            thread::spawn(move || {
                const CTRL_C: u8 = 3;
                let mut key = [0];
                while matches!(io::stdin().read(&mut key), Ok(1)) {
                    if !matches!(key[0], b'q' | b'Q' | CTRL_C) {
                        continue;
                    }
                    if interrupt.is_cancelled() {
                        ui.leave_screen();
                        std::process::exit(ExitCode::Interrupted.code().into());
                    }
                    interrupt.cancel();
                }
            });
            Some(Self(before))
        }
    }

    impl Drop for Keys {
        fn drop(&mut self) {
            // A closed terminal needs no restoring.
            let _gone = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
        }
    }
}

/// Other systems only have the Ctrl-C signal.
#[cfg(not(unix))]
mod keys {
    use tokio_util::sync::CancellationToken;

    use super::super::ui::Ui;

    pub(super) const STOP: &str = "Ctrl-C to stop";

    pub(in crate::render) struct Keys;

    impl Keys {
        pub(super) fn listen(_: &Ui, _: &CancellationToken) -> Option<Self> {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Format;

    fn painted_text(lines: usize, room: usize, note: &str) -> String {
        let (ui, _) = Ui::captured(Format::Human, 80, "");
        let lines = (1..=lines).map(|number| TextLine::from(format!("line {number}")));
        let text = paint_to_string(&ui, &[Block::Lines(lines.collect())], (20, room), "q to stop", note);
        let text = text.replace(HOME, "^").replace(END_OF_LINE, "$");
        text.replace(END_OF_SCREEN, "#")
    }

    #[test]
    fn a_full_frame_ends_on_the_last_terminal_line() {
        assert_eq!(painted_text(2, 4, ""), "^$line 1\n$line 2\n#\n\n$q to stop.");
        assert_eq!(
            painted_text(5, 2, ""),
            "^$line 1\n$line 2\n#$q to stop. 3 more lines need a larger window."
        );
        assert_eq!(
            painted_text(3, 2, ""),
            "^$line 1\n$line 2\n#$q to stop. 1 more line needs a larger window."
        );
    }

    #[test]
    fn a_message_is_shown_in_the_last_line_without_control_characters() {
        assert_eq!(
            painted_text(1, 1, "Waiting 5 s\u{1b}[2J\n"),
            "^$line 1\n#$Waiting 5 s\\u{1b}[2J"
        );
    }

    #[test]
    fn without_a_terminal_there_is_no_screen() {
        let (ui, captured) = Ui::captured(Format::Human, 80, "");
        assert!(ui.open_screen(&CancellationToken::new()).is_none());
        assert_eq!(captured.stdout(), "");
    }
}
