//! Argument types of `connector logs`: levels, tasks and line limits.

use std::str::FromStr;

/// Log levels of the Confluent CLI (docs/reference/cli.md#log-command).
const LEVELS: [&str; 3] = ["INFO", "WARN", "ERROR"];

/// List of levels in the syntax of the Confluent CLI: `ERROR|WARN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogLevels(pub(super) Vec<String>);

impl Default for LogLevels {
    fn default() -> Self {
        Self(LEVELS.map(str::to_owned).into())
    }
}

impl FromStr for LogLevels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut levels = Vec::new();
        for word in text.split(['|', ',']) {
            let level = word.trim().to_ascii_uppercase();
            if !LEVELS.contains(&level.as_str()) {
                return Err(format!("invalid level `{word}`: must be INFO, WARN or ERROR"));
            }
            if !levels.contains(&level) {
                levels.push(level);
            }
        }
        Ok(Self(levels))
    }
}

/// Parses `0` or `task-0`.
pub(super) fn parse_task(text: &str) -> Result<u32, String> {
    let number = text.strip_prefix("task-").unwrap_or(text);
    number
        .parse()
        .map_err(|_| "expected a task number, such as 0".to_owned())
}

/// Parses a number of lines.
pub(super) fn parse_line_limit(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| "expected a number of lines, such as 100, or 0 for all".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_the_syntax_of_the_confluent_cli() {
        let levels = |text: &str| text.parse::<LogLevels>().map(|levels| levels.0.join(" "));
        assert_eq!(levels("ERROR|WARN").unwrap(), "ERROR WARN");
        assert_eq!(levels("error, info,error").unwrap(), "ERROR INFO");
        assert!(levels("INFOL").unwrap_err().contains("invalid level `INFOL`"));
        assert!(levels("").is_err());
        assert_eq!((parse_task("1"), parse_task("task-12")), (Ok(1), Ok(12)));
        assert!(parse_task("x").is_err() && parse_task("task--1").is_err());
        assert_eq!((parse_line_limit("0"), parse_line_limit("100")), (Ok(0), Ok(100)));
        assert!(parse_line_limit("-3").unwrap_err().contains("a number of lines") && parse_line_limit("1k").is_err());
    }
}
