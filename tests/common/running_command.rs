//! The binary while it runs: its output, line by line, until it is interrupted.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use super::Cli;

/// Long enough for a busy computer; after that, the test fails.
const TIMEOUT: Duration = Duration::from_mins(2);

/// A command that runs until it is interrupted.
pub(crate) struct RunningCommand {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// Standard error so far.
    errors: String,
    /// Standard output so far.
    pub(crate) lines: Vec<String>,
}

impl RunningCommand {
    /// Starts `confluent-ebs` with `args` in the home.
    pub(crate) fn start(cli: &Cli, args: &str) -> Self {
        let mut command = cli.process(env!("CARGO_BIN_EXE_confluent-ebs"));
        command.args(args.split_whitespace());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (send, receive) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let (send, errors) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = err.read(&mut chunk) {
                if send
                    .send(String::from_utf8_lossy(&chunk[..length]).into_owned())
                    .is_err()
                {
                    break;
                }
            }
        });
        Self {
            child,
            stdout: receive,
            stderr: errors,
            errors: String::new(),
            lines: Vec::new(),
        }
    }

    /// Waits for a line, and returns its position.
    pub(crate) fn wait_for_line(&mut self, from: usize, wanted: impl Fn(&str) -> bool) -> usize {
        let mut place = from;
        loop {
            while let Some(line) = self.lines.get(place) {
                if wanted(line) {
                    return place;
                }
                place += 1;
            }
            let line = self.stdout.recv_timeout(TIMEOUT);
            self.lines
                .push(line.unwrap_or_else(|_| panic!("the line did not appear: {:?}", self.lines)));
        }
    }

    /// Waits for this number of further lines.
    pub(crate) fn wait_for_lines(&mut self, lines: usize) {
        let there = self.lines.len();
        self.wait_for_line(there + lines - 1, |_| true);
    }

    /// Waits until standard error contains a text.
    pub(crate) fn wait_for_error_text(&mut self, wanted: &str) {
        while !self.errors.contains(wanted) {
            let more = self.stderr.recv_timeout(TIMEOUT);
            let more = more.unwrap_or_else(|_| panic!("the text did not appear: {}", self.errors));
            self.errors.push_str(&more);
        }
    }

    /// Sends a signal: `INT`, `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    /// Sends a signal; returns the exit status and standard error.
    pub(crate) fn send_signal(mut self, name: &str) -> (Option<i32>, Vec<String>, String) {
        self.signal(name);
        self.wait()
    }

    /// Sends Ctrl-C; returns the exit status and standard error.
    pub(crate) fn interrupt(self) -> (Option<i32>, Vec<String>, String) {
        self.send_signal("INT")
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(&mut self) -> (Option<i32>, Vec<String>, String) {
        let mut lines = std::mem::take(&mut self.lines);
        while let Ok(line) = self.stdout.recv_timeout(TIMEOUT) {
            lines.push(line);
        }
        let code = self.child.wait().unwrap().code();
        while let Ok(more) = self.stderr.recv_timeout(TIMEOUT) {
            self.errors.push_str(&more);
        }
        (code, lines, std::mem::take(&mut self.errors))
    }
}

impl Drop for RunningCommand {
    fn drop(&mut self) {
        // Kills the process of a failed test; after a passed test it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
