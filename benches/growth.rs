//! Growth of the work on texts that the service sends: twice the text takes about twice the time. Each text is chosen
//! to be expensive. A quadratic function takes 16 times as long for four times the text and fails the benchmark.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use confluent_ebs::{
    api::connect::ConnectorStatus,
    redact::TextRedactor,
    resources::connector::{
        diagnosis::{diagnose, diagnose_message},
        find_cause,
    },
};

/// Length of the shortest text; the others are twice and four times as long.
const SHORTEST: usize = 50_000;
/// Largest ratio of the times for four times the text: 4 is linear, 16 is quadratic.
const MAX_RATIO: f64 = 9.0;
const RUNS: usize = 5;

/// Parts that are repeated.
const PARTS: [&str; 12] = [
    "Invalid value ",
    "Invalid value a for configuration tasks.max: b ",
    "-----BEGIN ",
    "://a:b",
    "password=",
    "password: ",
    "\"password\" : \"x\\\"",
    "\\n",
    "\\na",
    "│ a\n",
    "at a.OffsetContext(b)\n",
    "Caused by: a.b.CException: [",
];

fn main() {
    type Work = fn(&str);
    let functions: [(&str, Work); 4] = [
        ("redact", |text| drop(black_box(TextRedactor::default().redact(text)))),
        ("diagnose a message", |text| drop(black_box(diagnose_message(text)))),
        ("diagnose a status", |text| {
            drop(black_box(diagnose(&failed_status(text))));
        }),
        ("find the cause", |text| {
            drop(black_box(find_cause(&failed_status(text))));
        }),
    ];
    let mut quadratic = Vec::new();
    for (name, work) in functions {
        for part in PARTS {
            let text = |factor: usize| part.repeat(factor * SHORTEST / part.len());
            let times = [1, 2, 4].map(|factor| shortest_time(work, &text(factor)));
            // Short times are noise.
            let ratio = times[2].as_secs_f64() / times[0].max(Duration::from_micros(500)).as_secs_f64();
            println!("{name:20} {part:?}: {times:.1?}, ratio {ratio:.1}");
            if ratio > MAX_RATIO {
                quadratic.push(format!("{name} {part:?}: {ratio:.1}"));
            }
        }
    }
    assert!(quadratic.is_empty(), "not linear: {quadratic:#?}");
}

fn shortest_time(work: fn(&str), text: &str) -> Duration {
    let runs = (0..RUNS).map(|_| {
        let begun = Instant::now();
        work(black_box(text));
        begun.elapsed()
    });
    runs.min().unwrap_or_default()
}

/// Status of a failed connector whose trace is `text`, which also has one error for each of its lines.
fn failed_status(text: &str) -> ConnectorStatus {
    let errors: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(at, line)| format!("{line} {at}"))
        .collect();
    let status = serde_json::json!({
        "name": "claims-a",
        "type": "sink",
        "connector": { "state": "FAILED", "trace": text },
        "tasks": [{ "id": 0, "state": "FAILED", "trace": text, "msg": text }],
        "errors_from_trace": errors,
    });
    serde_json::from_value(status).expect("a status")
}
