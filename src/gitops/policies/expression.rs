//! Expressions of rules in CEL, the Common Expression Language (cel.dev): compiled once, and evaluated for each connector.
//!
//! A compiled expression reads only declared fields and calls only the functions in `FUNCTIONS`. Its length, its depth
//! and the cost of an evaluation are bounded, so that no rule can stop a pipeline.

use std::{cell::RefCell, collections::HashMap, ops::Range, sync::Arc};

use cel::{
    Context, Env, ExecutionError, Program, Value,
    common::{
        ast::operators,
        types::{self, CelBool, CelString},
        value::CowVal,
    },
};
use regex_automata::meta::Regex;

use super::{
    check::{ExpressionCheck, check_names, depth},
    cost::{ContextSize, estimate_cost},
};
use crate::manifest::policy::{FactValue, Facts, ObjectFacts, fields::STAGE};

/// Most bytes of an expression.
const MAX_LENGTH: usize = 2_000;
/// Most levels of an expression, which an evaluation visits recursively.
const MAX_DEPTH: usize = 50;
/// Stack for the parser, which needs up to 150 kB for each level of brackets. It refuses more than 96 levels.
const PARSER_STACK: usize = 64 << 20;
/// Most work of one evaluation, in the unit of [`estimate_cost`]: some ten milliseconds.
const MAX_COST: u64 = 10_000_000;

/// Advice about an expression that is too large.
const SPLIT: &str = "Write several rules.";

/// Compiled expression.
#[derive(Debug)]
pub struct PolicyExpression {
    program: Program,
    /// What the expression reads.
    check: ExpressionCheck,
}

/// Problem of an expression that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionProblem {
    /// Description, a sentence fragment.
    pub message: String,
    /// Suggestion, a whole sentence.
    pub fix: Option<String>,
    /// Range in the expression, in bytes.
    pub range: Range<usize>,
}

/// Facts in the form in which expressions read them.
pub struct EvaluationContext {
    context: Context<'static, 'static>,
    size: ContextSize,
}

impl PolicyExpression {
    /// Compiles `text`.
    ///
    /// # Errors
    /// The syntax is wrong, the expression is too long or too deep, or a name is unknown.
    pub fn compile(text: &str) -> Result<Self, Vec<ExpressionProblem>> {
        if text.len() > MAX_LENGTH {
            return Err(vec![ExpressionProblem {
                message: format!("the expression has more than {MAX_LENGTH} bytes"),
                fix: Some(SPLIT.to_owned()),
                range: 0..text.len(),
            }]);
        }
        let compiled = std::thread::scope(|scope| {
            let builder = std::thread::Builder::new().stack_size(PARSER_STACK);
            let thread = builder
                .spawn_scoped(scope, || Self::compile_with_large_stack(text))
                .ok()?;
            thread.join().ok()
        });
        compiled.unwrap_or_else(|| {
            Err(vec![ExpressionProblem {
                message: "the expression cannot be parsed".to_owned(),
                fix: Some("Write it in another form.".to_owned()),
                range: 0..text.len(),
            }])
        })
    }

    fn compile_with_large_stack(text: &str) -> Result<Self, Vec<ExpressionProblem>> {
        let program = environment().compile(text).map_err(|parsed| {
            let first = parsed.errors.first();
            let message = first.map_or("", |error| error.msg.as_str());
            let at = first.map_or(0, |error| byte_offset(text, error.pos));
            vec![ExpressionProblem {
                message: format!("syntax error: {}", short_syntax_message(message)),
                fix: Some(
                    "Expressions are written in CEL (cel.dev), such as `stage == \"prod\" && connector.tasks_max < 3`."
                        .to_owned(),
                ),
                range: at..text.ceil_char_boundary(at + 1),
            }]
        })?;
        let depth = depth(program.expression());
        if depth > MAX_DEPTH {
            return Err(vec![ExpressionProblem {
                message: format!("the expression has {depth} levels, at most {MAX_DEPTH} are allowed"),
                fix: Some(SPLIT.to_owned()),
                range: 0..text.len(),
            }]);
        }
        let check = check_names(text, &program)?;
        Ok(Self { program, check })
    }

    /// Returns what the expression reads.
    #[must_use]
    pub fn check(&self) -> &ExpressionCheck {
        &self.check
    }

    /// Evaluates the expression.
    ///
    /// # Errors
    /// A key is missing, a value has another type, or the evaluation would take too long: a sentence fragment.
    pub fn evaluate(&self, facts: &EvaluationContext) -> Result<bool, String> {
        if estimate_cost(self.program.expression(), facts.size) > MAX_COST {
            return Err("the evaluation would take too long for this file".to_owned());
        }
        match self.program.execute(&facts.context) {
            Ok(Value::Bool(result)) => Ok(result),
            Ok(_) => Err("the result is not `true` or `false`".to_owned()),
            Err(error) => Err(describe_error(&error)),
        }
    }
}

impl EvaluationContext {
    /// Creates the context of `facts`.
    #[must_use]
    pub fn new(facts: &Facts) -> Self {
        let mut context = ENV.with(|env| Context::with_env(Arc::clone(env)));
        let mut size = ContextSize::default();
        size.add_text(&facts.stage);
        context.add_variable_from_value(STAGE, facts.stage.as_str());
        let objects = [
            ("connector", Some(&facts.connector)),
            ("department", Some(&facts.department)),
            ("change", facts.change.as_ref()),
        ];
        for (name, object) in objects {
            if let Some(object) = object {
                context.add_variable_from_value(name, to_value(object, &mut size));
            }
        }
        Self { context, size }
    }
}

fn to_value(object: &ObjectFacts, size: &mut ContextSize) -> Value {
    size.add_collection(object.len());
    let fields = object.iter().map(|(name, value)| {
        let value = match value {
            FactValue::Text(text) => {
                size.add_text(text);
                Value::from(text.as_str())
            }
            FactValue::Number(number) => Value::Int(i64::from(*number)),
            FactValue::Flag(flag) => Value::Bool(*flag),
            FactValue::List(list) => {
                size.add_collection(list.len());
                for text in list {
                    size.add_text(text);
                }
                Value::from(list.clone())
            }
            FactValue::Texts(texts) => {
                size.add_collection(texts.len());
                for (key, text) in texts {
                    size.add_text(key);
                    size.add_text(text);
                }
                Value::from(texts.clone().into_iter().collect::<HashMap<String, String>>())
            }
        };
        ((*name).to_owned(), value)
    });
    Value::from(fields.collect::<HashMap<String, Value>>())
}

/// Functions with the number of their arguments; a method counts without the value before its dot.
pub(super) const FUNCTIONS: [(&str, Callee, usize); 12] = [
    ("size", Callee::Function, 1),
    ("int", Callee::Function, 1),
    ("double", Callee::Function, 1),
    ("string", Callee::Function, 1),
    ("bool", Callee::Function, 1),
    ("size", Callee::Method, 0),
    ("contains", Callee::Method, 1),
    ("startsWith", Callee::Method, 1),
    ("endsWith", Callee::Method, 1),
    ("matches", Callee::Method, 1),
    ("orValue", Callee::Method, 1),
    ("hasValue", Callee::Method, 0),
];

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callee {
    /// `size(x)`.
    Function,
    /// `x.size()`.
    Method,
}

thread_local! {
    static ENV: Arc<Env> = Arc::new(environment());
    /// Regular expressions that `matches` has compiled; `None` for an invalid one.
    static REGEXES: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
}

/// The standard environment with `matches` of this program's own regular expressions, in the same syntax (RE2).
fn environment() -> Env {
    let mut env = Env::stdlib();
    let added = env.add_member_overload(
        "matches",
        "matches_string",
        types::STRING_TYPE,
        vec![types::STRING_TYPE],
        |args| {
            let text = |index: usize| {
                let argument = args.get(index).and_then(|value| value.downcast_ref::<CelString<'_>>());
                argument.map(CelString::inner)
            };
            let (Some(text), Some(pattern)) = (text(0), text(1)) else {
                return Err(ExecutionError::function_error("matches", "not a text"));
            };
            is_match(text, pattern)
                .map(|matched| CowVal::owned(CelBool::from(matched)))
                .ok_or_else(|| ExecutionError::function_error("matches", "the regular expression is not valid"))
        },
    );
    debug_assert!(added.is_ok(), "{added:?}");
    env
}

/// Returns whether `pattern` occurs in `text`; `None` if the pattern is invalid or too large.
fn is_match(text: &str, pattern: &str) -> Option<bool> {
    /// Most kept regular expressions: a few per rule.
    const MAX_KEPT: usize = 200;
    /// Size of a compiled regular expression: `a{1000}{1000}` is refused.
    const MAX_SIZE: usize = 1 << 20;
    REGEXES.with_borrow_mut(|kept| {
        if kept.len() >= MAX_KEPT && !kept.contains_key(pattern) {
            kept.clear();
        }
        let compile = || {
            let config = Regex::config().nfa_size_limit(Some(MAX_SIZE));
            Regex::builder().configure(config).build(pattern).ok()
        };
        let regex = kept.entry(pattern.to_owned()).or_insert_with(compile);
        regex.as_ref().map(|regex| regex.is_match(text))
    })
}

/// Returns the byte of a line and a column, which count from 1 and in characters.
fn byte_offset(text: &str, (line, column): (isize, isize)) -> usize {
    let (Ok(line), Ok(column)) = (usize::try_from(line), usize::try_from(column)) else {
        return 0;
    };
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = &text[start.min(text.len())..];
    let inside = rest.char_indices().nth(column.saturating_sub(1));
    start.min(text.len()) + inside.map_or(rest.len(), |(at, _)| at)
}

/// Shortens the parser's message, which can list all tokens of the grammar.
fn short_syntax_message(message: &str) -> String {
    if message.contains("Recursion limit") {
        return "too many levels of brackets".to_owned();
    }
    let text = message.trim_start_matches("Syntax error:").trim();
    let text = text.split(" expecting ").next().unwrap_or(text);
    text.lines().next().unwrap_or_default().to_owned()
}

/// Describes why an expression has no result, without the values that it read.
fn describe_error(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("`{key}` is missing"),
        ExecutionError::NoSuchOverload(overload) => format!(
            "`{}` cannot be applied to {}",
            operator_symbol(overload.function()),
            overload.argument_types().join(" and ")
        ),
        ExecutionError::FunctionError { function, message } if function == "matches" => message.clone(),
        ExecutionError::FunctionError { function, .. } => format!("`{function}` cannot convert the value"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "division by zero".to_owned(),
        ExecutionError::Overflow(..) => "the number is too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "the list has no such element".to_owned(),
        ExecutionError::DuplicateKey(_) => "a key occurs twice in a map".to_owned(),
        ExecutionError::ValuesNotComparable(..) => "values of different types are compared".to_owned(),
        _ => "a value has the wrong type".to_owned(),
    }
}

fn operator_symbol(function: &str) -> &str {
    match function {
        operators::IN => "in",
        operators::INDEX | operators::OPT_INDEX => "[…]",
        other => other.trim_matches('_'),
    }
}
