//! The binary while it runs: its output, line by line, until it is interrupted.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread::JoinHandle,
    time::Duration,
};

use super::Cli;

/// Long enough for a busy computer; after that, the test fails.
const TIMEOUT: Duration = Duration::from_mins(2);

/// A command that runs until it is interrupted.
pub(crate) struct RunningCommand {
    child: Child,
    stdout: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
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
        let err = std::thread::spawn(move || {
            let mut text = String::new();
            err.read_to_string(&mut text).unwrap();
            text
        });
        Self {
            child,
            stdout: receive,
            stderr: Some(err),
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

    /// Sends Ctrl-C; returns the exit status and standard error.
    pub(crate) fn interrupt(mut self) -> (Option<i32>, Vec<String>, String) {
        let kill = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        self.wait()
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(&mut self) -> (Option<i32>, Vec<String>, String) {
        let mut lines = std::mem::take(&mut self.lines);
        while let Ok(line) = self.stdout.recv_timeout(TIMEOUT) {
            lines.push(line);
        }
        let code = self.child.wait().unwrap().code();
        let err = self.stderr.take().map(|err| err.join().unwrap());
        (code, lines, err.unwrap_or_default())
    }
}

impl Drop for RunningCommand {
    fn drop(&mut self) {
        // Kills the process of a failed test; after a passed test it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
