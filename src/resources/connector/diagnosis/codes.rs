//! Error codes, which do not depend on the language of a message.

/// Reasons that follow an HTTP status code.
const HTTP_REASONS: &[&str] = &[
    "unauthorized",
    "forbidden",
    "not found",
    "bad request",
    "too many requests",
    "conflict",
    "payment required",
    "internal server error",
    "bad gateway",
    "service unavailable",
    "gateway time",
    "method not allowed",
    "unprocessable",
    "gone",
    "request entity",
    "payload too large",
    "moved permanently",
];

/// Appends the codes of a lowercase line in one notation: ` http=401 sqlstate=28p01 mysql=1045 sqlserver=18456`.
pub(super) fn with_codes(line: &str) -> String {
    let mut codes = vec![line.to_owned()];
    for (at, number) in numbers(line) {
        let after = &line[at + number.len()..];
        let label = line[..at].trim_end_matches([' ', ':', '=', '"', '\'', '(', '[']);
        let separated = label.len() < at;
        let status = ["code", "status", "returned", "http", "http error"];
        let is_status = separated && (status.iter().any(|word| label.ends_with(word)) || is_http_version(label));
        let has_reason = HTTP_REASONS
            .iter()
            .any(|reason| after.strip_prefix(' ').is_some_and(|after| after.starts_with(reason)));
        if number.len() == 3 && matches!(number.as_bytes()[0], b'3'..=b'5') && (is_status || has_reason) {
            codes.push(format!("http={number}"));
        }
        let follows = |labels: &[&str]| separated && labels.iter().any(|word| label.ends_with(word));
        let error = ["error code", "errorcode", "errno", "error", "vendor code", "vendorcode"];
        if number.len() == 4 && follows(&error) {
            codes.push(format!("mysql={number}"));
        }
        let stands_alone = number.len() >= 4
            && ((line[..at].trim().is_empty() && after.starts_with(':'))
                || (line[..at].ends_with('(') && after.trim_end_matches(['.', ' ']) == ")"));
        let error = ["msg", "error", "error code", "errorcode", "errornumber", "error number"];
        if (3..=5).contains(&number.len()) && (stands_alone || follows(&error)) {
            codes.push(format!("sqlserver={number}"));
        }
    }
    for name in ["sqlstate", "sql state", "sql_state"] {
        for (at, _) in line.match_indices(name) {
            let rest = line[at + name.len()..].trim_start_matches([' ', ':', '=', '"', '\'', '(', '[']);
            let state: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            if state.len() == 5 {
                codes.push(format!("sqlstate={state}"));
            }
        }
    }
    codes.join(" ")
}

/// Returns whether a text ends with `http/1.1`.
fn is_http_version(text: &str) -> bool {
    let name = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    name.ends_with("http/")
}

/// Returns the whole numbers of a line with their positions.
fn numbers(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + line[at..].find(|c: char| c.is_ascii_digit())?;
            let length = line[start..].find(|c: char| !c.is_ascii_digit());
            at = length.map_or(line.len(), |length| start + length);
            let touches = |side: Option<char>| side.is_some_and(|c| c.is_alphanumeric() || c == '_');
            if !touches(line[..start].chars().next_back()) && !touches(line[at..].chars().next()) {
                return Some((start, &line[start..at]));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::with_codes;

    #[test]
    fn codes_are_found_in_the_notations_of_several_systems() {
        for (line, expected) in [
            ("status code : 401, reason", "http=401"),
            ("status code: 403;", "http=403"),
            ("http/1.1 404 not found", "http=404"),
            ("request: 429 too many requests", "http=429"),
            ("{\"status\":\"401\",", "http=401"),
            ("error (sqlstate 28p01)", "sqlstate=28p01"),
            ("sql state [42501]; error", "sqlstate=42501"),
            ("error code: 1236; sqlstate: hy000.", "mysql=1236"),
            ("error 1045 (28000): zugriff", "mysql=1045"),
            ("msg 229, level 14", "sqlserver=229"),
            ("40615: der server", "sqlserver=40615"),
            ("schlüssel (2627)", "sqlserver=2627"),
        ] {
            assert!(
                with_codes(line).contains(&format!(" {expected}")),
                "{}",
                with_codes(line)
            );
        }
        for line in ["wrote 403 records", "port 1433", "took 500 ms", "2026-08-20", "http2xx"] {
            assert_eq!(with_codes(line), line);
        }
    }
}
