//! The first hour of a department: every command of `docs/department.md`, in its order, on the sandbox.

use crate::common::{Cli, PROFILES_DIR};

const PAGE: &str = include_str!("../../docs/department.md");

/// Code blocks of the page with their language, in order.
fn code_blocks() -> Vec<(&'static str, String)> {
    let mut blocks: Vec<(&str, String)> = Vec::new();
    let mut inside = false;
    for line in PAGE.lines() {
        match line.strip_prefix("```") {
            Some(language) if !inside => {
                blocks.push((language, String::new()));
                inside = true;
            }
            Some(_) => inside = false,
            None if inside => {
                let (_, text) = blocks.last_mut().unwrap();
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
    }
    blocks
}

#[test]
fn every_command_of_the_first_hour_works() {
    let cli = Cli::onboarded("claims");
    for persona in ["operator", "deployer"] {
        let file = format!("claims-{persona}.toml");
        cli.write(&file, cli.read(format!("{PROFILES_DIR}/{file}")));
    }
    let mut commands = 0;
    let mut passwords = 0;
    let mut sources = Vec::new();
    for (language, text) in code_blocks() {
        if let ("yaml", Some(file)) = (language, text.lines().next().and_then(|line| line.strip_prefix("# "))) {
            // The reader edits the file that `plugin new` wrote.
            cli.write(file, &text);
            sources.push(file.to_owned());
        }
        for line in text.lines().filter(|_| language == "sh") {
            if line.starts_with("export EBS_SECRET_CONNECTION_PASSWORD=") {
                passwords += 1;
                continue;
            }
            let (command, code) = line.split_once(" # exit code ").unwrap_or((line, "0"));
            let args = command
                .strip_prefix("confluent ebs ")
                .unwrap_or_else(|| panic!("{line}"));
            let password = format!("Geheim-{passwords}");
            let output = cli.run_with_env(args, &[("EBS_SECRET_CONNECTION_PASSWORD", &password)]);
            output.expect_code(code.parse().unwrap());
            commands += 1;
        }
    }
    assert_eq!(sources, ["claims-customers.yaml", "claims-archive.yaml"]);
    assert!(
        commands >= 25 && passwords == 2,
        "{commands} commands, {passwords} passwords"
    );

    // Both connectors run, the second password was sent, and the sink reads the topic of the source.
    let rows = cli.run("connector list -o json").json();
    let states: Vec<_> = rows.as_array().unwrap().iter().map(|row| &row["status"]).collect();
    assert_eq!(states, ["RUNNING", "RUNNING"], "{rows}");
    let config = "connectors/claims-customers/config";
    let sent = cli
        .writes()
        .into_iter()
        .filter(|request| request.path.ends_with(config));
    assert_eq!(sent.count(), 1, "the rotation");
}

#[test]
fn each_step_names_the_next_one() {
    let cli = Cli::onboarded("claims");
    let imported = cli.run(&format!("profile import {PROFILES_DIR}/claims-operator.toml"));
    let said = imported.expect_success().stdout_line();
    for next in ["profile use claims-operator", "doctor", "connector list"] {
        assert!(said.contains(&format!("`confluent ebs {next}`")), "{said}");
    }
    // Three profiles and none in use: nothing speaks of files of the platform team.
    let output = cli.run("connector list").expect_code(1);
    assert!(
        output.stderr_line().contains("`confluent ebs profile use NAME`"),
        "{output}"
    );
    assert!(!output.stderr.contains("confluent ebs init"), "{output}");
}
