//! Signals: the first one ends a command that only reads, also while the service does not respond; a command that
//! writes finishes its request.

#![cfg(unix)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use crate::common::{Cli, EBS_TOML, RunningCommand, make_private};

/// Long enough for a busy computer; after that, the test fails.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Service on loopback that accepts connections, reports each of them, and never responds.
fn start_silent_service() -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (send, connections) = channel();
    std::thread::spawn(move || {
        let mut open: Vec<TcpStream> = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            open.push(stream);
            if send.send(()).is_err() {
                break;
            }
        }
    });
    (url, connections)
}

/// Home of a platform team whose profile sends requests to `endpoint`.
fn home_with_profile(endpoint: &str) -> Cli {
    let cli = Cli::with_platform([(
        "claims",
        "name = \"Claims\"\nprefix = \"claims-\"\ncontacts = [\"claims@example.com\"]\n",
    )]);
    cli.write("ebs.toml", EBS_TOML);
    let profile = format!(
        r#"department = "claims"
name = "Claims"
persona = "operator"
prefix = "claims-"
issued = 2026-11-22
stage = "prod"
endpoint = "{endpoint}"
organization = "11111111-2222-3333-4444-555555555555"
environment = "env-prod01"
cluster = "lkc-prod01"
schema_registry = "lsrc-prod01"

[quota]
connectors = 9
tasks = 9
tasks_per_connector = 9
plugins = ["*"]

[key]
id = "ABCDEFGHIJKLMNOP"
secret = "canary-of-the-profile"
"#
    );
    make_private(&cli.write("claims.toml", profile));
    cli
}

// The service holds every connection. Without the end by the signal, the requests of a command time out after a minute,
// are repeated, and end with another exit code.
#[test]
fn the_first_signal_ends_a_command_that_only_reads() {
    let (url, connections) = start_silent_service();
    let cli = home_with_profile(&url);
    let commands = [
        "access audit",
        "access can-i WRITE topic:claims-a",
        "access matrix",
        "access test --live",
        "access who-can WRITE topic:claims-a",
        "connector dead-letters claims-a",
        "connector describe claims-a",
        "connector explain claims-a",
        "connector list",
        "connector logs claims-a",
        "connector logs claims-a --follow",
        "connector metrics claims-a",
        "connector offset describe claims-a",
        "connector plugin list",
        "connector wait claims-a",
        "doctor",
        "keys list",
        "quota describe",
        "quota list",
        "status",
    ];
    for (number, command) in commands.into_iter().enumerate() {
        while connections.try_recv().is_ok() {}
        let running = RunningCommand::start(&cli, &format!("{command} --profile claims.toml"));
        connections.recv_timeout(TIMEOUT).unwrap();
        let signal = if number % 2 == 0 { "TERM" } else { "INT" };
        let (code, lines, errors) = running.send_signal(signal);
        assert_eq!(code, Some(130), "{command}: {lines:?}\n{errors}");
        assert!(errors.contains("interrupted"), "{command}: {errors}");
        assert!(!errors.contains("running steps"), "{command}: {errors}");
    }
}

/// Reads one request without a body; returns its first line.
fn read_request(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut first = String::new();
    stream.read_line(&mut first).ok().filter(|length| *length > 0)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            let mut body = vec![0; length.trim().parse().unwrap()];
            // Requests with a body end with it, because the empty line precedes it.
            let mut empty = String::new();
            while empty.trim().is_empty() && !empty.ends_with('\n') {
                stream.read_line(&mut empty).ok()?;
            }
            stream.read_exact(&mut body).ok()?;
            break;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    Some(first)
}

/// Service with one running connector that reports the request to pause it, and responds when `release` is sent.
fn start_pausing_service() -> (String, Receiver<String>, Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (reported, requests) = channel();
    let (release, released) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = BufReader::new(stream);
            while let Some(request) = read_request(&mut stream) {
                let (status, body) = if request.starts_with("PUT ") {
                    reported.send(request).unwrap();
                    released.recv_timeout(TIMEOUT).unwrap();
                    ("202 Accepted", "")
                } else {
                    ("200 OK", CONNECTOR_LIST)
                };
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
                let answer = format!("{head}{body}");
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    (url, requests, release)
}

const CONNECTOR_LIST: &str = r#"{"claims-a":{"id":{"id":"lcc-abc123","id_type":"ID"},"info":{"name":"claims-a",
    "type":"source","config":{"connector.class":"DatagenSource","name":"claims-a"},"tasks":[]},"status":{
    "name":"claims-a","type":"source","connector":{"state":"RUNNING","worker_id":"w","trace":""},"tasks":[]}}}"#;

#[test]
fn a_signal_lets_a_command_that_writes_finish_its_request() {
    let (url, requests, release) = start_pausing_service();
    let cli = home_with_profile(&url);
    let mut running = RunningCommand::start(&cli, "connector pause claims-a --profile claims.toml --yes");
    let request = requests.recv_timeout(TIMEOUT).unwrap();
    assert!(request.contains("/connectors/claims-a/pause"), "{request}");
    running.signal("TERM");
    running.wait_for_error_text("running steps finish");
    release.send(()).unwrap();
    let (code, lines, errors) = running.wait();
    assert_eq!(code, Some(0), "{lines:?}\n{errors}");
    assert!(lines.join("\n").contains("claims-a"), "{lines:?}\n{errors}");
}
