//! The vendor's OpenAPI documents as a contract: is this request one that they describe, and is this answer?
//!
//! The documents lie beside the repository (`../shared/openapi`) and are not shipped with it. Where they are missing,
//! tests say so and are skipped; where `CONFLUENT_EBS_REQUIRE_SHARED` is set, that is a failure.
//!
//! A test that uses a part of this says so where it takes it in:
//! `#[path = "common/openapi.rs"] #[expect(dead_code, reason = "…")] mod openapi;`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use self::schema::{Direction, convert, explain};

#[path = "openapi_deviations.rs"]
mod deviations;
#[path = "openapi_schema.rs"]
mod schema;

pub(crate) use deviations::{DEVIATIONS, Deviation};

/// All documents. Each is parsed when the first call that it describes is checked.
pub(crate) struct Contract {
    documents: Vec<Document>,
    /// Which of the known deviations were met, by position.
    met: Mutex<BTreeSet<usize>>,
}

struct Document {
    file: String,
    text: String,
    /// The routes, read off the text without parsing it.
    routes: Vec<String>,
    parsed: OnceLock<Value>,
    /// Made once per schema: a test that runs a whole flow checks thousands of answers.
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
}

/// How a call that has no problem stands to the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    /// The documents describe it, and it is as they say.
    AsDescribed,
    /// It is not as they say, and for everything that differs a dossier names a better source.
    KnownDeviation,
}

/// One way in which a call is not what the documents say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The method and the document's route: `GET /iam/v2/api-keys/{id}`; for an unknown route, the path.
    pub(crate) operation: String,
    /// What it is about: `route`, `query NAME`, `request POINTER`, `status CODE` or `answer POINTER`, where a `*` in a
    /// pointer stands for any position.
    pub(crate) aspect: String,
    /// What is wrong, in words.
    pub(crate) text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} · {} · {}", self.operation, self.aspect, self.text)
    }
}

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

impl Contract {
    /// Finds the documents; says so and counts when there are none.
    #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
    pub(crate) fn load() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/openapi");
        let Ok(files) = std::fs::read_dir(&folder) else {
            assert!(
                std::env::var_os("CONFLUENT_EBS_REQUIRE_SHARED").is_none(),
                "{} is missing, and CONFLUENT_EBS_REQUIRE_SHARED demands it",
                folder.display()
            );
            let count = SKIPPED.fetch_add(1, Ordering::SeqCst) + 1;
            eprintln!("skipped ({count}): ../shared/openapi is not there, so nothing is checked against it");
            return None;
        };
        let mut documents: Vec<Document> = files.filter_map(|file| Document::read(&file.ok()?.path())).collect();
        documents.sort_by(|a, b| a.file.cmp(&b.file));
        assert!(!documents.is_empty(), "{} holds no document", folder.display());
        Some(Self {
            documents,
            met: Mutex::default(),
        })
    }

    /// Checks a request: route, query (decoded) and JSON body.
    pub(crate) fn check_request(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Checked, Vec<Problem>> {
        let operation = match self.find(method, path, query) {
            Ok(operation) => operation,
            Err(problem) => return self.judge(vec![problem]),
        };
        let mut problems = operation.query_problems(query);
        let content = &operation.resolved(&operation.value["requestBody"])["content"]["application/json"];
        match body {
            Some(body) if content.is_object() => {
                problems.extend(operation.body_problems(Direction::Request, &content["schema"], body));
            }
            Some(_) => problems.push(operation.problem("request ", "no JSON body is described")),
            None if operation.value["requestBody"]["required"] == true => {
                problems.push(operation.problem("request ", "a body is required"));
            }
            None => {}
        }
        self.judge(problems)
    }

    /// Checks an answer to the request of that method, path and query (decoded).
    pub(crate) fn check_response(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        status: u16,
        body: Option<&Value>,
    ) -> Result<Checked, Vec<Problem>> {
        let operation = match self.find(method, path, query) {
            Ok(operation) => operation,
            Err(problem) => return self.judge(vec![problem]),
        };
        let answers = &operation.value["responses"];
        let code = status.to_string();
        // Kafka REST describes its failures as a class (`5XX`).
        let class = format!("{}XX", status / 100);
        let described = [code.as_str(), &class, "default"];
        let Some(answer) = described.iter().find_map(|code| answers.get(code)) else {
            let described = answers
                .as_object()
                .map(|all| all.keys().cloned().collect::<Vec<_>>().join(", "));
            let text = format!("not described; there are {}", described.unwrap_or_default());
            return self.judge(vec![operation.problem(&format!("status {status}"), &text)]);
        };
        let content = &operation.resolved(answer)["content"]["application/json"];
        self.judge(match body {
            Some(body) if content.is_object() => operation.body_problems(Direction::Answer, &content["schema"], body),
            Some(_) => vec![operation.problem("answer ", "no JSON body is described for this status")],
            None if content.is_object() => {
                vec![operation.problem("answer ", "a JSON body is described, and there is none")]
            }
            None => Vec::new(),
        })
    }

    /// The operation for a request. A route can carry a query of its own (Connect's list with expansions); the one that
    /// says most about the request is taken.
    fn find(&self, method: &str, path: &str, query: &[(&str, &str)]) -> Result<Operation<'_>, Problem> {
        let candidates = self.documents.iter().flat_map(|document| {
            let routes = document.routes.iter();
            routes.filter_map(move |route| Some((fit(route, path, query)?, document, route.as_str())))
        });
        let Some((_, document, route)) = candidates.max_by_key(|(fit, ..)| *fit) else {
            return Err(Problem {
                operation: format!("{method} {path}"),
                aspect: "route".into(),
                text: "no document describes this path".into(),
            });
        };
        let item = &document.value()["paths"][route];
        let operation = Operation {
            document,
            route,
            method: method.to_owned(),
            item,
            value: &item[method.to_lowercase()],
        };
        match operation.value.is_object() {
            true => Ok(operation),
            false => Err(operation.problem("route", "the path has no such method")),
        }
    }

    /// Takes out what is known to deviate, and remembers that it was met.
    fn judge(&self, mut problems: Vec<Problem>) -> Result<Checked, Vec<Problem>> {
        if problems.is_empty() {
            return Ok(Checked::AsDescribed);
        }
        problems.retain(|problem| {
            let known = DEVIATIONS.iter().position(|known| known.covers(problem));
            self.met.lock().unwrap().extend(known);
            known.is_none()
        });
        match problems.is_empty() {
            true => Ok(Checked::KnownDeviation),
            false => Err(problems),
        }
    }

    /// The known deviations that no check has met so far.
    pub(crate) fn unmet(&self) -> Vec<&'static Deviation> {
        let met = self.met.lock().unwrap();
        let unmet = DEVIATIONS.iter().enumerate().filter(|(index, _)| !met.contains(index));
        unmet.map(|(_, known)| known).collect()
    }
}

impl Document {
    fn read(file: &Path) -> Option<Self> {
        if file.extension()? != "yaml" {
            return None;
        }
        let text = std::fs::read_to_string(file).ok()?;
        let routes = text
            .lines()
            .filter_map(|line| line.strip_prefix("  /")?.strip_suffix(':'))
            .map(|route| format!("/{route}"))
            .collect();
        Some(Self {
            file: file.file_name()?.to_string_lossy().into_owned(),
            text,
            routes,
            parsed: OnceLock::new(),
            validators: Mutex::default(),
        })
    }

    fn validator(&self, direction: Direction, schema: &Value) -> Arc<Validator> {
        let key = format!("{direction:?} {schema}");
        let made = || {
            let schemas = self.value()["components"]["schemas"].as_object().into_iter().flatten();
            let schemas: Map<String, Value> = schemas
                .map(|(name, schema)| (name.clone(), convert(schema, direction)))
                .collect();
            // A reference must not have neighbours in this draft, so the root is wrapped.
            let root = json!({ "allOf": [convert(schema, direction)], "components": { "schemas": schemas } });
            let options = jsonschema::options().with_draft(jsonschema::Draft::Draft4);
            let validator = options.build(&root);
            Arc::new(validator.unwrap_or_else(|error| panic!("{}: {schema}: {error}", self.file)))
        };
        self.validators.lock().unwrap().entry(key).or_insert_with(made).clone()
    }

    fn value(&self) -> &Value {
        self.parsed
            .get_or_init(|| serde_saphyr::from_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.file)))
    }
}

/// How well a route describes a path: the number of its literal parts and of its own query pairs, if it does at all.
fn fit(route: &str, path: &str, query: &[(&str, &str)]) -> Option<usize> {
    let (route, own) = route.split_once('?').unwrap_or((route, ""));
    let own: Vec<_> = own.split('&').filter_map(|pair| pair.split_once('=')).collect();
    if !own.iter().all(|pair| query.contains(pair)) {
        return None;
    }
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let literal = route.iter().zip(&path).filter(|(part, _)| !part.starts_with('{'));
    let same = route.len() == path.len() && literal.clone().all(|(part, given)| part == given);
    same.then(|| literal.count() + own.len())
}

/// One operation of a document.
struct Operation<'a> {
    document: &'a Document,
    route: &'a str,
    method: String,
    item: &'a Value,
    value: &'a Value,
}

impl<'a> Operation<'a> {
    fn problem(&self, aspect: &str, text: &str) -> Problem {
        Problem {
            operation: format!("{} {}", self.method, self.route),
            aspect: aspect.trim_end().to_owned(),
            text: text.to_owned(),
        }
    }

    /// What `$ref` points to, or the value itself.
    fn resolved(&self, value: &'a Value) -> &'a Value {
        let mut value = value;
        while let Some(target) = value["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
            value = self.document.value().pointer(target).unwrap_or(&Value::Null);
        }
        value
    }

    fn query_problems(&self, query: &[(&str, &str)]) -> Vec<Problem> {
        let declared: BTreeMap<&str, &Value> = [&self.item["parameters"], &self.value["parameters"]]
            .into_iter()
            .filter_map(Value::as_array)
            .flatten()
            .map(|parameter| self.resolved(parameter))
            .filter(|parameter| parameter["in"] == "query")
            .filter_map(|parameter| Some((parameter["name"].as_str()?, parameter)))
            .collect();
        let mut problems = Vec::new();
        for (name, parameter) in &declared {
            if parameter["required"] == true && !query.iter().any(|(given, _)| given == name) {
                problems.push(self.problem(&format!("query {name}"), "required, and missing"));
            }
        }
        let own = self.route.split_once('?').map_or("", |(_, own)| own);
        for (name, text) in query {
            let aspect = format!("query {name}");
            match declared.get(name) {
                // The route itself says which value it is for.
                Some(_) if own.split('&').any(|pair| pair == format!("{name}={text}")) => {}
                None => problems.push(self.problem(&aspect, "not described")),
                Some(parameter) => {
                    let number = text.parse::<i64>().map(Value::from);
                    let texts = [Value::from(*text), json!([text])];
                    let fits = number
                        .into_iter()
                        .chain(texts)
                        .any(|value| self.errors(Direction::Request, &parameter["schema"], &value).is_empty());
                    if !fits {
                        problems.push(self.problem(&aspect, &format!("`{text}` is not one of its values")));
                    }
                }
            }
        }
        problems
    }

    fn body_problems(&self, direction: Direction, schema: &'a Value, body: &Value) -> Vec<Problem> {
        let word = match direction {
            Direction::Request => "request",
            Direction::Answer => "answer",
        };
        let mut found = self.errors(direction, schema, body);
        self.fields(direction, vec![schema], body, "", &mut found);
        found
            .into_iter()
            .map(|(pointer, text)| {
                let general: Vec<&str> = pointer
                    .split('/')
                    .map(|part| if part.parse::<usize>().is_ok() { "*" } else { part })
                    .collect();
                self.problem(&format!("{word} {}", general.join("/")), &text)
            })
            .collect()
    }

    /// What JSON Schema has to say.
    fn errors(&self, direction: Direction, schema: &Value, value: &Value) -> Vec<(String, String)> {
        let validator = self.document.validator(direction, schema);
        let mut found = Vec::new();
        validator
            .iter_errors(value)
            .for_each(|error| explain(&error, &mut found));
        found
    }

    /// Fields that JSON Schema lets pass: those that no schema declares, among them every misspelt one, and those that a
    /// request carries though only the service may set them.
    fn fields(
        &self,
        direction: Direction,
        schemas: Vec<&'a Value>,
        value: &Value,
        pointer: &str,
        found: &mut Vec<(String, String)>,
    ) {
        let mut leaves = Vec::new();
        for schema in schemas {
            self.leaves(schema, &mut leaves);
        }
        match value {
            Value::Array(items) => {
                let inner: Vec<_> = leaves
                    .iter()
                    .map(|leaf| &leaf["items"])
                    .filter(|items| items.is_object())
                    .collect();
                for (index, item) in items.iter().enumerate().filter(|_| !inner.is_empty()) {
                    self.fields(direction, inner.clone(), item, &format!("{pointer}/{index}"), found);
                }
            }
            Value::Object(fields) => {
                let free = |leaf: &&Value| !matches!(leaf["additionalProperties"], Value::Null | Value::Bool(false));
                let described = leaves.iter().any(|leaf| leaf["properties"].is_object());
                if !described || leaves.iter().any(free) {
                    return;
                }
                for (name, field) in fields {
                    let pointer = format!("{pointer}/{name}");
                    let inner: Vec<_> = leaves.iter().filter_map(|leaf| leaf["properties"].get(name)).collect();
                    if inner.is_empty() {
                        found.push((pointer, "a field that is not described".to_owned()));
                    } else if direction == Direction::Request && inner.iter().any(|inner| inner["readOnly"] == true) {
                        found.push((pointer, "a field that only the service sets".to_owned()));
                    } else {
                        self.fields(direction, inner, field, &pointer, found);
                    }
                }
            }
            _ => {}
        }
    }

    /// The schemas that a schema is made of.
    fn leaves(&self, schema: &'a Value, leaves: &mut Vec<&'a Value>) {
        let schema = self.resolved(schema);
        leaves.push(schema);
        for parts in ["allOf", "anyOf", "oneOf"] {
            for part in schema[parts].as_array().into_iter().flatten() {
                self.leaves(part, leaves);
            }
        }
    }
}
