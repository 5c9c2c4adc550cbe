//! Onboarding at scale: 24 departments against a served sandbox that answers everything 50 ms late, and 200 departments
//! in-process. Prints counts, wall time and the ratio to the bound of design §7; nothing here fails on a slow machine.

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints figures for people"
)]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_confluent-ebs");
const DELAY_MS: u64 = 50;
const CONCURRENCY: u64 = 10;

fn main() {
    served();
    many();
}

/// The program with a home of its own.
fn program(home: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .env_clear()
        .env("HOME", home)
        .env("XDG_STATE_HOME", home.join("state"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("NO_COLOR", "1")
        .current_dir(home);
    command
}

fn run(home: &Path, arguments: &[&str]) -> String {
    let output = program(home).args(arguments).output().expect("the program starts");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a sandbox and answers its address.
fn serve(home: &Path) -> (Server, String) {
    let mut child = program(home)
        .args(["sandbox", "start", "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the sandbox starts");
    let stdout = child.stdout.take().expect("its output is piped");
    let address = BufReader::new(stdout)
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(line.split("http://").nth(1)?.split([' ', '|']).next()?.to_owned()))
        .expect("it tells its address");
    (Server(child), address)
}

/// The journal of the sandbox: method and path of every request.
fn journal(home: &Path, address: &str) -> Vec<(String, String, String)> {
    let token = fs::read_to_string(home.join("state/confluent-ebs/sandbox/control-token")).expect("there is a token");
    let mut stream = TcpStream::connect(address).expect("the sandbox answers");
    let request = format!(
        "GET /sandbox/v1/journal HTTP/1.1\r\nHost: {address}\r\nx-sandbox-token: {}\r\nConnection: close\r\n\r\n",
        token.trim()
    );
    stream.write_all(request.as_bytes()).expect("the request is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer is text");
    let body = &answer[answer.find("\r\n\r\n").expect("a head ends") + 4..];
    let begin = body.find(['[', '{']).expect("the answer is JSON");
    let end = body.rfind([']', '}']).expect("the answer is JSON") + 1;
    let value: serde_json::Value = serde_json::from_str(&body[begin..end]).expect("the answer is JSON");
    let entries = value
        .as_array()
        .or_else(|| value["data"].as_array())
        .expect("the journal is a list");
    let text = |entry: &serde_json::Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    entries
        .iter()
        .map(|entry| (text(entry, "method"), text(entry, "path"), text(entry, "principal")))
        .filter(|(_, path, _)| !path.starts_with("/sandbox/"))
        .collect()
}

fn served() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let home = home.path();
    let (_server, address) = serve(home);
    let delay = format!("{DELAY_MS}ms");
    run(
        home,
        &["sandbox", "fault", "add", "slow", "--delay", &delay, "--forever"],
    );
    let before = journal(home, &address).len();
    let concurrency = CONCURRENCY.to_string();
    let begun = Instant::now();
    run(
        home,
        &["onboard", "--all", "--sandbox", "--yes", "--concurrency", &concurrency],
    );
    let wall = begun.elapsed();
    let requests = journal(home, &address).split_off(before);

    let provisioner = requests
        .first()
        .map(|(_, _, principal)| principal.clone())
        .unwrap_or_default();
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for (method, path, principal) in &requests {
        let kind = match method.as_str() {
            _ if *principal != provisioner => "probes",
            "GET" => "lists and reads",
            _ if path.contains("/connectors") => "probes",
            _ => "writes",
        };
        *kinds.entry(kind).or_default() += 1;
    }
    let total = requests.len() as u64;
    let count = |kind: &str| kinds.get(kind).copied().unwrap_or_default();
    let allowed = count("writes") * 13 / 10 + count("lists and reads") + count("probes");
    // The longest chain of a department: account, binding on it, key, its mark, two rounds of calls that must work and
    // two that must be refused; before it two rounds of looking.
    let chain = 9 * DELAY_MS;
    let bound = total.div_ceil(CONCURRENCY) * DELAY_MS + chain;
    let wall_ms = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
    println!("24 departments, {DELAY_MS} ms added to every answer, {CONCURRENCY} at a time:");
    println!("  requests {total} (allowed {allowed}): {kinds:?}");
    println!(
        "  wall {wall_ms} ms, bound {bound} ms, ratio {:.2} (1.25 is the target)",
        wall_ms as f64 / bound as f64
    );
}

fn many() {
    const DEPARTMENTS: usize = 200;
    let home = tempfile::tempdir().expect("a temporary folder");
    let platform = home.path().join("platform");
    fs::create_dir_all(platform.join("departments")).expect("folders can be made");
    let ebs = "default_stage = \"prod\"\n[organization]\nid = \"22222222-2222-3333-4444-555555555555\"\n\
               [stages.prod]\nenvironment = \"env-many1\"\ncluster = \"lkc-many1\"\nschema_registry = \"lsrc-many1\"\n";
    fs::write(platform.join("ebs.toml"), ebs).expect("files can be written");
    for number in 0..DEPARTMENTS {
        let text = format!(
            "name = \"Department {number}\"\nprefix = \"dept{number:03}-\"\n[quota]\ntasks = 1\ntasks_per_connector = 1\n"
        );
        fs::write(platform.join(format!("departments/dept{number:03}.toml")), text).expect("files can be written");
    }
    let begun = Instant::now();
    let mut command = program(home.path());
    command
        .current_dir(&platform)
        .args(["onboard", "--all", "--sandbox", "--yes", "-o", "json"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait().expect("the program can be waited for") {
            break status;
        }
        let text = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let high = text
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak = peak.max(high.unwrap_or(0_u64));
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    println!(
        "{DEPARTMENTS} departments in-process: {} ms, peak memory {} MiB, {status}",
        begun.elapsed().as_millis(),
        peak / 1024
    );
}
