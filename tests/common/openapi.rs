//! The vendor's OpenAPI documents as a contract for requests and responses.
//!
//! The documents are not part of this repository. `tests/fixtures/openapi` holds the facts of the operations that are
//! used, in the same structure; `tools/openapi-table` makes it, and `tests/vendor_data` compares it with the documents.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    sync::{Arc, Mutex},
};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use self::schema::{BodyDirection, describe_error, to_json_schema};

mod deviations;
mod schema;

pub(crate) use deviations::{DEVIATIONS, Deviation};

/// All documents.
pub(crate) struct OpenApiContract {
    documents: Vec<OpenApiDocument>,
    /// Which of the known deviations were met, by position.
    met_deviations: Mutex<BTreeSet<usize>>,
}

struct OpenApiDocument {
    file: String,
    json: Value,
    /// Made once per schema: a test that runs a whole flow checks thousands of answers.
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
}

/// How a call that has no problem stands to the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContractMatch {
    /// The documents describe it, and it is as they say.
    Described,
    /// It is not as they say, and docs/reference names a better source for each difference.
    KnownDeviation,
}

/// One way in which a call is not what the documents say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContractViolation {
    /// The method and the document's route: `GET /iam/v2/api-keys/{id}`; for an unknown route, the path.
    pub(crate) operation: String,
    /// What it is about: `route`, `query NAME`, `request POINTER`, `status CODE` or `answer POINTER`, where a `*` in a
    /// pointer stands for any position.
    pub(crate) aspect: String,
    /// What is wrong, in words.
    pub(crate) text: String,
}

impl fmt::Display for ContractViolation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} · {} · {}", self.operation, self.aspect, self.text)
    }
}

impl OpenApiContract {
    /// Reads the stored facts of the documents.
    pub(crate) fn load() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openapi");
        let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut documents: Vec<OpenApiDocument> =
            files.map(|file| OpenApiDocument::open(&file.unwrap().path())).collect();
        documents.sort_by(|a, b| a.file.cmp(&b.file));
        assert!(!documents.is_empty(), "{} holds no document", folder.display());
        Self {
            documents,
            met_deviations: Mutex::default(),
        }
    }

    /// Checks a request: route, query (decoded) and JSON body.
    pub(crate) fn check_request(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<ContractMatch, Vec<ContractViolation>> {
        let operation = match self.find_operation(method, path, query) {
            Ok(operation) => operation,
            Err(problem) => return self.apply_known_deviations(vec![problem]),
        };
        let mut problems = operation.query_violations(query);
        let content = &operation.resolve_ref(&operation.value["requestBody"])["content"]["application/json"];
        match body {
            Some(body) if content.is_object() => {
                problems.extend(operation.body_violations(BodyDirection::Request, &content["schema"], body));
            }
            Some(_) => problems.push(operation.violation("request ", "no JSON body is described")),
            None if operation.value["requestBody"]["required"] == true => {
                problems.push(operation.violation("request ", "a body is required"));
            }
            None => {}
        }
        self.apply_known_deviations(problems)
    }

    /// Checks an answer to the request of that method, path and query (decoded).
    pub(crate) fn check_response(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        status: u16,
        body: Option<&Value>,
    ) -> Result<ContractMatch, Vec<ContractViolation>> {
        let operation = match self.find_operation(method, path, query) {
            Ok(operation) => operation,
            Err(problem) => return self.apply_known_deviations(vec![problem]),
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
            return self.apply_known_deviations(vec![operation.violation(&format!("status {status}"), &text)]);
        };
        let content = &operation.resolve_ref(answer)["content"]["application/json"];
        self.apply_known_deviations(match body {
            Some(body) if content.is_object() => {
                operation.body_violations(BodyDirection::Response, &content["schema"], body)
            }
            Some(_) => vec![operation.violation("answer ", "no JSON body is described for this status")],
            None if content.is_object() => {
                vec![operation.violation("answer ", "a JSON body is described, and there is none")]
            }
            None => Vec::new(),
        })
    }

    /// The operation for a request. A route can carry a query of its own (Connect's list with expansions); the one that
    /// says most about the request is taken.
    fn find_operation(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<OpenApiOperation<'_>, ContractViolation> {
        let candidates = self.documents.iter().flat_map(|document| {
            let routes = document.json["paths"].as_object().into_iter().flatten();
            routes
                .filter_map(move |(route, _)| Some((route_specificity(route, path, query)?, document, route.as_str())))
        });
        let Some((_, document, route)) = candidates.max_by_key(|(fit, ..)| *fit) else {
            return Err(ContractViolation {
                operation: format!("{method} {path}"),
                aspect: "route".into(),
                text: "no document describes this path".into(),
            });
        };
        let item = &document.json["paths"][route];
        let operation = OpenApiOperation {
            document,
            route,
            method: method.to_owned(),
            item,
            value: &item[method.to_lowercase()],
        };
        match operation.value.is_object() {
            true => Ok(operation),
            false => Err(operation.violation("route", "the path has no such method")),
        }
    }

    /// Takes out what is known to deviate, and remembers that it was met.
    fn apply_known_deviations(
        &self,
        mut problems: Vec<ContractViolation>,
    ) -> Result<ContractMatch, Vec<ContractViolation>> {
        if problems.is_empty() {
            return Ok(ContractMatch::Described);
        }
        problems.retain(|problem| {
            let known = DEVIATIONS.iter().position(|known| known.covers(problem));
            self.met_deviations.lock().unwrap().extend(known);
            known.is_none()
        });
        match problems.is_empty() {
            true => Ok(ContractMatch::KnownDeviation),
            false => Err(problems),
        }
    }

    /// The known deviations that no check has met so far.
    pub(crate) fn unused_deviations(&self) -> Vec<&'static Deviation> {
        let met = self.met_deviations.lock().unwrap();
        let unmet = DEVIATIONS.iter().enumerate().filter(|(index, _)| !met.contains(index));
        unmet.map(|(_, known)| known).collect()
    }
}

impl OpenApiDocument {
    fn open(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Self {
            file: file.file_name().unwrap().to_string_lossy().into_owned(),
            json: serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display())),
            validators: Mutex::default(),
        }
    }

    fn validator(&self, direction: BodyDirection, schema: &Value) -> Arc<Validator> {
        let key = format!("{direction:?} {schema}");
        let made = || {
            let schemas = self.json["components"]["schemas"].as_object().into_iter().flatten();
            let schemas: Map<String, Value> = schemas
                .map(|(name, schema)| (name.clone(), to_json_schema(schema, direction)))
                .collect();
            // A reference must not have neighbours in this draft, so the root is wrapped.
            let root = json!({ "allOf": [to_json_schema(schema, direction)], "components": { "schemas": schemas } });
            let options = jsonschema::options().with_draft(jsonschema::Draft::Draft4);
            let validator = options.build(&root);
            Arc::new(validator.unwrap_or_else(|error| panic!("{}: {schema}: {error}", self.file)))
        };
        self.validators.lock().unwrap().entry(key).or_insert_with(made).clone()
    }
}

/// How well a route describes a path: the number of its literal parts and of its own query pairs, if it does at all.
fn route_specificity(route: &str, path: &str, query: &[(&str, &str)]) -> Option<usize> {
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
struct OpenApiOperation<'a> {
    document: &'a OpenApiDocument,
    route: &'a str,
    method: String,
    item: &'a Value,
    value: &'a Value,
}

impl<'a> OpenApiOperation<'a> {
    fn violation(&self, aspect: &str, text: &str) -> ContractViolation {
        ContractViolation {
            operation: format!("{} {}", self.method, self.route),
            aspect: aspect.trim_end().to_owned(),
            text: text.to_owned(),
        }
    }

    /// What `$ref` points to, or the value itself.
    fn resolve_ref(&self, value: &'a Value) -> &'a Value {
        let mut value = value;
        while let Some(target) = value["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
            value = self.document.json.pointer(target).unwrap_or(&Value::Null);
        }
        value
    }

    fn query_violations(&self, query: &[(&str, &str)]) -> Vec<ContractViolation> {
        let declared: BTreeMap<&str, &Value> = [&self.item["parameters"], &self.value["parameters"]]
            .into_iter()
            .filter_map(Value::as_array)
            .flatten()
            .map(|parameter| self.resolve_ref(parameter))
            .filter(|parameter| parameter["in"] == "query")
            .filter_map(|parameter| Some((parameter["name"].as_str()?, parameter)))
            .collect();
        let mut problems = Vec::new();
        for (name, parameter) in &declared {
            if parameter["required"] == true && !query.iter().any(|(given, _)| given == name) {
                problems.push(self.violation(&format!("query {name}"), "required, and missing"));
            }
        }
        let own = self.route.split_once('?').map_or("", |(_, own)| own);
        for (name, text) in query {
            let aspect = format!("query {name}");
            match declared.get(name) {
                // The route itself says which value it is for.
                Some(_) if own.split('&').any(|pair| pair == format!("{name}={text}")) => {}
                None => problems.push(self.violation(&aspect, "not described")),
                Some(parameter) => {
                    let number = text.parse::<i64>().map(Value::from);
                    let texts = [Value::from(*text), json!([text])];
                    let fits = number.into_iter().chain(texts).any(|value| {
                        self.schema_errors(BodyDirection::Request, &parameter["schema"], &value)
                            .is_empty()
                    });
                    if !fits {
                        problems.push(self.violation(&aspect, &format!("`{text}` is not one of its values")));
                    }
                }
            }
        }
        problems
    }

    fn body_violations(&self, direction: BodyDirection, schema: &'a Value, body: &Value) -> Vec<ContractViolation> {
        let word = match direction {
            BodyDirection::Request => "request",
            BodyDirection::Response => "answer",
        };
        let mut found = self.schema_errors(direction, schema, body);
        self.field_errors(direction, vec![schema], body, "", &mut found);
        found
            .into_iter()
            .map(|(pointer, text)| {
                let general: Vec<&str> = pointer
                    .split('/')
                    .map(|part| if part.parse::<usize>().is_ok() { "*" } else { part })
                    .collect();
                self.violation(&format!("{word} {}", general.join("/")), &text)
            })
            .collect()
    }

    /// What JSON Schema has to say.
    fn schema_errors(&self, direction: BodyDirection, schema: &Value, value: &Value) -> Vec<(String, String)> {
        let validator = self.document.validator(direction, schema);
        let mut found = Vec::new();
        validator
            .iter_errors(value)
            .for_each(|error| describe_error(&error, &mut found));
        found
    }

    /// Fields that JSON Schema lets pass: those that no schema declares, among them every misspelt one, and those that a
    /// request carries though only the service may set them.
    fn field_errors(
        &self,
        direction: BodyDirection,
        schemas: Vec<&'a Value>,
        value: &Value,
        pointer: &str,
        found: &mut Vec<(String, String)>,
    ) {
        let mut leaves = Vec::new();
        for schema in schemas {
            self.collect_leaf_schemas(schema, &mut leaves);
        }
        match value {
            Value::Array(items) => {
                let inner: Vec<_> = leaves
                    .iter()
                    .map(|leaf| &leaf["items"])
                    .filter(|items| items.is_object())
                    .collect();
                for (index, item) in items.iter().enumerate().filter(|_| !inner.is_empty()) {
                    self.field_errors(direction, inner.clone(), item, &format!("{pointer}/{index}"), found);
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
                    } else if direction == BodyDirection::Request && inner.iter().any(|inner| inner["readOnly"] == true)
                    {
                        found.push((pointer, "a field that only the service sets".to_owned()));
                    } else {
                        self.field_errors(direction, inner, field, &pointer, found);
                    }
                }
            }
            _ => {}
        }
    }

    /// The schemas that a schema is made of.
    fn collect_leaf_schemas(&self, schema: &'a Value, leaves: &mut Vec<&'a Value>) {
        let schema = self.resolve_ref(schema);
        leaves.push(schema);
        for parts in ["allOf", "anyOf", "oneOf"] {
            for part in schema[parts].as_array().into_iter().flatten() {
                self.collect_leaf_schemas(part, leaves);
            }
        }
    }
}
