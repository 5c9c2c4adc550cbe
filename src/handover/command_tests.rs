//! Tests with real programs that accept a profile, fail, print too much, or time out.

use super::*;

const SECRET: &str = "cfltCanary0123456789";

fn run_with_profile(text: &str, command: &str, timeout: Duration) -> (Result<(), HandoverError>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims-operator.toml");
    std::fs::write(&path, text).unwrap();
    let place = ProfileId {
        stage: None,
        department: "claims".parse().unwrap(),
        persona: "operator".into(),
    };
    let keys = ["AAAABBBBCCCCDDDD".parse().unwrap(), "EEEEFFFFGGGGHHHH".parse().unwrap()];
    let request = HandoverRequest {
        profile: &place,
        stage: "prod",
        account: "ebs-prod-claims-operator",
        keys: &keys,
        path: &path,
    };
    let command = command.replace("OUT", &folder.path().join("out").display().to_string());
    let command = HandoverCommand::parse(&command, timeout).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let given = runtime.block_on(command.run(request, &SecretRegistry::default()));
    (given, folder)
}

fn profile() -> String {
    format!("[key]\nid = \"AAAABBBBCCCCDDDD\"\nsecret = \"{SECRET}\"\n")
}

fn run(command: &str) -> (Result<(), HandoverError>, tempfile::TempDir) {
    run_with_profile(&profile(), command, Duration::from_mins(1))
}

fn output(error: &HandoverError) -> String {
    error.hints().iter().map(|hint| hint.as_str().to_owned()).collect()
}

#[test]
fn the_command_gets_the_profile_on_stdin_and_its_metadata_in_variables() {
    let (given, folder) =
        run("sh -c 'cat > OUT; env | grep ^CONFLUENT_EBS_HANDOVER | sort >> OUT; echo $# \"$@\" >> OUT'");
    given.unwrap();
    let text = std::fs::read_to_string(folder.path().join("out")).unwrap();
    let expected = "CONFLUENT_EBS_HANDOVER_ACCOUNT=ebs-prod-claims-operator\n\
                    CONFLUENT_EBS_HANDOVER_API_KEYS=AAAABBBBCCCCDDDD EEEEFFFFGGGGHHHH\n\
                    CONFLUENT_EBS_HANDOVER_DEPARTMENT=claims\n\
                    CONFLUENT_EBS_HANDOVER_FILE=claims-operator.toml\n\
                    CONFLUENT_EBS_HANDOVER_KIND=new\n\
                    CONFLUENT_EBS_HANDOVER_PERSONA=operator\n\
                    CONFLUENT_EBS_HANDOVER_STAGE=prod\n0\n";
    assert_eq!(text, profile() + expected);
}

#[test]
fn a_failed_command_is_reported_with_its_last_lines_redacted() {
    let (given, folder) = run("sh -c 'echo not this one; cat >&2; echo no room >&2; exit 3'");
    let error = given.unwrap_err();
    assert_eq!(error.to_string(), "`sh` exited with code 3");
    let said = output(&error);
    assert!(said.ends_with("secret = \"[redacted]\" / no room"), "{said}");
    assert!(!said.contains("not this one"), "{said}");
    assert!(folder.path().join("claims-operator.toml").exists());
    // Standard output is used if standard error is empty.
    let error = run("sh -c 'echo full; exit 1'").0.unwrap_err();
    assert_eq!(self::output(&error), "Its output ends with: full");
    let error = run("sh -c 'kill -9 $$'").0.unwrap_err();
    assert_eq!(error.to_string(), "`sh` was terminated by signal 9");
}

#[test]
fn a_missing_or_invalid_program_is_reported() {
    let error = run("no-such-program-here").0.unwrap_err();
    assert_eq!(error.to_string(), "cannot start `no-such-program-here`");
    assert!(output(&error).contains("PATH"), "{error}");
    assert!(matches!(run("/dev/null").0, Err(HandoverError::Start { .. })));
}

#[test]
fn any_amount_of_output_is_read_and_only_its_end_is_kept() {
    let zeros = "head -c 5000000 /dev/zero";
    let command = format!("sh -c '{zeros}; {zeros} >&2; cat >&2; echo end >&2; exit 1'");
    let error = run(&command).0.unwrap_err();
    let said = output(&error);
    assert!(
        said.ends_with("end") && said.len() < 2 * MAX_OUTPUT_BYTES,
        "{}",
        said.len()
    );
    assert!(!said.contains(SECRET));
}

#[test]
fn a_truncated_secret_is_not_shown_in_part() {
    for surplus in 0..80 {
        let secrets = SecretRegistry::default();
        secrets.add(SECRET);
        let mut tail = OutputTail::new(MAX_OUTPUT_BYTES + secrets.longest());
        let text = format!(
            "{}{SECRET}\n{}",
            "x".repeat(tail.capacity),
            "y".repeat(tail.capacity - surplus)
        );
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(tail.read(Some(text.as_bytes())));
        let shown = tail.redacted_lines(&secrets);
        assert!(!shown.contains("0123456789"), "{surplus}: {}", &shown[..40]);
    }
}

#[test]
fn a_command_that_reads_nothing_is_judged_by_its_exit_code() {
    // Exceeds every pipe buffer.
    let large = format!("{}# {}\n", profile(), "x".repeat(4_000_000));
    let minute = Duration::from_mins(1);
    run_with_profile(&large, "true", minute).0.unwrap();
    assert!(run_with_profile(&large, "false", minute).0.is_err());
    // `cat` waits for the end of its input, so this shows that the pipe is closed.
    run("sh -c 'cat; cat; read x || exit 0; exit 1'").0.unwrap();
}

#[test]
fn a_command_that_exceeds_the_timeout_is_killed() {
    let error = run_with_profile(
        &profile(),
        "sh -c 'echo waiting >&2; exec sleep 600'",
        Duration::from_millis(300),
    );
    let error = error.0.unwrap_err();
    assert!(matches!(error, HandoverError::TimedOut { .. }), "{error}");
    assert!(output(&error).contains("--handover-timeout") && output(&error).contains("waiting"));
}

#[test]
fn background_children_of_the_command_are_not_waited_for() {
    let begun = std::time::Instant::now();
    run("sh -c 'sleep 20 & exit 0'").0.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(15));
}
