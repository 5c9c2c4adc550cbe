//! Real programs take profiles, refuse them, talk too much, and do not end.

use super::*;

const SECRET: &str = "cfltCanary0123456789";

fn give_text(text: &str, command: &str, timeout: Duration) -> (Result<(), CommandError>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims-operator.toml");
    std::fs::write(&path, text).unwrap();
    let place = Place {
        stage: None,
        department: "claims".parse().unwrap(),
        persona: "operator".into(),
    };
    let keys = ["AAAABBBBCCCCDDDD".parse().unwrap(), "EEEEFFFFGGGGHHHH".parse().unwrap()];
    let parcel = Parcel {
        place: &place,
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
    let given = runtime.block_on(command.give(parcel));
    (given, folder)
}

fn profile() -> String {
    format!("[key]\nid = \"AAAABBBBCCCCDDDD\"\nsecret = \"{SECRET}\"\n")
}

fn give(command: &str) -> (Result<(), CommandError>, tempfile::TempDir) {
    give_text(&profile(), command, Duration::from_mins(1))
}

fn said(error: &CommandError) -> String {
    error.hints().iter().map(|hint| hint.as_str().to_owned()).collect()
}

#[test]
fn the_profile_is_on_standard_input_and_what_it_is_about_in_variables() {
    let (given, folder) =
        give("sh -c 'cat > OUT; env | grep ^CONFLUENT_EBS_HANDOVER | sort >> OUT; echo $# \"$@\" >> OUT'");
    given.unwrap();
    let text = std::fs::read_to_string(folder.path().join("out")).unwrap();
    let expected = "CONFLUENT_EBS_HANDOVER_ACCOUNT=ebs-prod-claims-operator\n\
                    CONFLUENT_EBS_HANDOVER_API_KEYS=AAAABBBBCCCCDDDD EEEEFFFFGGGGHHHH\n\
                    CONFLUENT_EBS_HANDOVER_DEPARTMENT=claims\n\
                    CONFLUENT_EBS_HANDOVER_FILE=claims-operator.toml\n\
                    CONFLUENT_EBS_HANDOVER_PERSONA=operator\n\
                    CONFLUENT_EBS_HANDOVER_STAGE=prod\n0\n";
    assert_eq!(text, profile() + expected);
}

#[test]
fn a_command_that_fails_says_its_last_lines_without_the_secret() {
    let (given, folder) = give("sh -c 'echo not this one; cat >&2; echo no room >&2; exit 3'");
    let error = given.unwrap_err();
    assert_eq!(error.to_string(), "`sh` ended with code 3");
    let said = said(&error);
    assert!(said.ends_with("secret = \"****\" / no room"), "{said}");
    assert!(!said.contains("not this one"), "{said}");
    assert!(folder.path().join("claims-operator.toml").exists());
    // What it says on standard output counts when there is nothing else.
    let error = give("sh -c 'echo full; exit 1'").0.unwrap_err();
    assert_eq!(self::said(&error), "It said: full");
    let error = give("sh -c 'kill -9 $$'").0.unwrap_err();
    assert_eq!(error.to_string(), "`sh` was ended by signal 9");
}

#[test]
fn a_program_that_is_missing_or_none_is_told() {
    let error = give("no-such-program-here").0.unwrap_err();
    assert_eq!(error.to_string(), "`no-such-program-here` cannot be started");
    assert!(said(&error).contains("PATH"), "{error}");
    assert!(matches!(give("/dev/null").0, Err(CommandError::Start { .. })));
}

#[test]
fn any_amount_of_output_is_read_and_only_its_end_is_kept() {
    let zeros = "head -c 5000000 /dev/zero";
    let command = format!("sh -c '{zeros}; {zeros} >&2; cat >&2; echo end >&2; exit 1'");
    let error = give(&command).0.unwrap_err();
    let said = said(&error);
    assert!(said.ends_with("end") && said.len() < 2 * KEPT, "{}", said.len());
    assert!(!said.contains(SECRET));
}

#[test]
fn a_secret_that_is_cut_is_not_shown_by_half() {
    for surplus in 0..80 {
        let mut tail = Tail::default();
        let text = format!("{}{SECRET}\n{}", "x".repeat(KEPT), "y".repeat(KEPT - surplus));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(tail.read(Some(text.as_bytes())));
        let shown = tail.lines(&[SECRET.to_owned()]);
        assert!(!shown.contains("0123456789"), "{surplus}: {}", &shown[..40]);
    }
}

#[test]
fn a_command_that_reads_nothing_decides_by_its_code() {
    // More than fits into any pipe.
    let large = format!("{}# {}\n", profile(), "x".repeat(4_000_000));
    let minute = Duration::from_mins(1);
    give_text(&large, "true", minute).0.unwrap();
    assert!(give_text(&large, "false", minute).0.is_err());
    // It is closed when it has been written: this waits for the end.
    give("sh -c 'cat; cat; read x || exit 0; exit 1'").0.unwrap();
}

#[test]
fn a_command_that_does_not_end_is_ended() {
    let error = give_text(
        &profile(),
        "sh -c 'echo waiting >&2; exec sleep 600'",
        Duration::from_millis(300),
    );
    let error = error.0.unwrap_err();
    assert!(matches!(error, CommandError::Slow { .. }), "{error}");
    assert!(said(&error).contains("--handover-timeout") && said(&error).contains("waiting"));
}

#[test]
fn what_the_command_leaves_running_is_not_waited_for() {
    let begun = std::time::Instant::now();
    give("sh -c 'sleep 20 & exit 0'").0.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(15));
}
