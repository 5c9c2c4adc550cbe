//! Check of the names in an expression against the declared fields and functions.

use std::collections::BTreeSet;

use cel::{
    Program,
    common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators},
};

use super::expression::{Callee, ExpressionProblem, FUNCTIONS};
use crate::{
    hint::closest_match,
    manifest::policy::{
        FieldType, PolicyField, PolicyObject,
        fields::{CHANGE, CONNECTOR, OBJECTS, STAGE},
    },
    text::{count_noun, join_code},
};

/// What an expression reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpressionCheck {
    /// Whether it reads the change of a plan.
    pub reads_change: bool,
    /// Fields, such as `connector.class`.
    pub fields: BTreeSet<String>,
    /// Keys of the connector's file that the expression names, in the order of their first occurrence.
    pub file_keys: Vec<String>,
}

/// What is known about the value of a part of an expression.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Object(&'static PolicyObject),
    Field(&'static PolicyObject, &'static PolicyField),
    Stage,
    Unknown,
}

/// Checks the names in `program`, which was compiled from `text`.
///
/// # Errors
/// All unknown names, fields and functions.
pub(super) fn check_names(text: &str, program: &Program) -> Result<ExpressionCheck, Vec<ExpressionProblem>> {
    let mut checker = NameChecker {
        text,
        source: program.source_info(),
        variables: Vec::new(),
        check: ExpressionCheck::default(),
        problems: Vec::new(),
    };
    checker.visit(program.expression());
    match checker.problems.is_empty() {
        true => Ok(checker.check),
        false => Err(checker.problems),
    }
}

struct NameChecker<'a> {
    text: &'a str,
    source: &'a SourceInfo,
    /// Variables of the surrounding macros (`all`, `exists` and others).
    variables: Vec<&'a str>,
    check: ExpressionCheck,
    problems: Vec<ExpressionProblem>,
}

impl<'a> NameChecker<'a> {
    fn visit(&mut self, expression: &'a IdedExpr) -> Shape {
        match &expression.expr {
            Expr::Ident(name) => self.visit_name(expression, name),
            Expr::Select(select) => {
                let shape = self.visit(&select.operand);
                self.select(expression, shape, &select.field)
            }
            Expr::Call(call) => {
                let is_access =
                    [operators::INDEX, operators::OPT_INDEX, operators::OPT_SELECT].contains(&call.func_name.as_str());
                if let (true, [value, key]) = (is_access, call.args.as_slice()) {
                    let shape = self.visit(value);
                    if let Some(key) = text_literal(key) {
                        return self.select(expression, shape, key);
                    }
                    self.visit(key);
                    return Shape::Unknown;
                }
                self.check_function(expression, &call.func_name, call.target.is_some(), call.args.len());
                for part in call.target.as_deref().into_iter().chain(&call.args) {
                    self.visit(part);
                }
                Shape::Unknown
            }
            Expr::Comprehension(inner) => {
                self.visit(&inner.iter_range);
                self.visit(&inner.accu_init);
                let outer = self.variables.len();
                self.variables
                    .extend([inner.iter_var.as_str(), inner.accu_var.as_str()]);
                self.variables.extend(inner.iter_var2.as_deref());
                for part in [&inner.loop_cond, &inner.loop_step, &inner.result] {
                    self.visit(part);
                }
                self.variables.truncate(outer);
                Shape::Unknown
            }
            Expr::List(list) => {
                for element in &list.elements {
                    self.visit(element);
                }
                Shape::Unknown
            }
            Expr::Map(map) => {
                for part in map.entries.iter().flat_map(|entry| entry_parts(&entry.expr)) {
                    self.visit(part);
                }
                Shape::Unknown
            }
            Expr::Struct(value) => {
                self.report(expression, format!("there is no type `{}`", value.type_name), None);
                Shape::Unknown
            }
            Expr::Literal(_) | Expr::Unspecified => Shape::Unknown,
        }
    }

    fn visit_name(&mut self, expression: &IdedExpr, name: &str) -> Shape {
        if self.variables.contains(&name) {
            return Shape::Unknown;
        }
        if name == STAGE {
            self.check.fields.insert(STAGE.to_owned());
            return Shape::Stage;
        }
        if let Some(object) = OBJECTS.iter().find(|object| object.name == name) {
            self.check.reads_change |= object.name == CHANGE.name;
            return Shape::Object(object);
        }
        let known: Vec<&str> = OBJECTS.iter().map(|object| object.name).chain([STAGE]).collect();
        let fix = match closest_match(name, known.iter().chain(&self.variables).copied()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Known names: {}. Texts are written in quotes.", join_code(&known)),
        };
        self.report(expression, format!("unknown name `{name}`"), Some(fix));
        Shape::Unknown
    }

    fn select(&mut self, expression: &IdedExpr, shape: Shape, key: &str) -> Shape {
        let (what, noun) = match shape {
            Shape::Unknown => return Shape::Unknown,
            Shape::Object(object) => return self.select_field(expression, object, key),
            Shape::Field(object, field) if field.field_type == FieldType::Texts => {
                if (object.name, field.name) == (CONNECTOR.name, "config") {
                    self.add_file_key(key);
                }
                return Shape::Unknown;
            }
            Shape::Field(object, field) => (format!("{}.{}", object.name, field.name), field.field_type.to_noun()),
            Shape::Stage => (STAGE.to_owned(), FieldType::Text.to_noun()),
        };
        let message = format!("`{what}` is {noun} and has no field `{}`", key.escape_debug());
        self.report(expression, message, None);
        Shape::Unknown
    }

    fn select_field(&mut self, expression: &IdedExpr, object: &'static PolicyObject, key: &str) -> Shape {
        if let Some(field) = object.fields.iter().find(|field| field.name == key) {
            self.check.fields.insert(format!("{}.{key}", object.name));
            if object.name == CONNECTOR.name && key != "config" {
                self.add_file_key(match key {
                    "class" | "direction" => "connector.class",
                    "tasks_max" => "tasks.max",
                    other => other,
                });
            }
            return Shape::Field(object, field);
        }
        let names = object.fields.iter().map(|field| field.name);
        let fix = match closest_match(key, names.clone()) {
            Some(near) => format!("Did you mean `{}.{near}`?", object.name),
            None => format!("Known fields: {}.", join_code(&names.collect::<Vec<_>>())),
        };
        let message = format!("`{}` has no field `{}`", object.name, key.escape_debug());
        self.report(expression, message, Some(fix));
        Shape::Unknown
    }

    fn add_file_key(&mut self, key: &str) {
        if !self.check.file_keys.iter().any(|known| known == key) {
            self.check.file_keys.push(key.to_owned());
        }
    }

    fn check_function(&mut self, expression: &IdedExpr, name: &str, is_method: bool, arguments: usize) {
        let is_operator = !name.starts_with(|c: char| c.is_ascii_alphabetic());
        if is_operator {
            return;
        }
        let callee = if is_method { Callee::Method } else { Callee::Function };
        let same_call = || {
            FUNCTIONS
                .iter()
                .filter(|(known, kind, _)| *known == name && *kind == callee)
        };
        if same_call().any(|(_, _, expected)| *expected == arguments) {
            return;
        }
        if let Some((_, _, expected)) = same_call().next() {
            let message = format!("`{name}` takes {}, not {arguments}", count_noun(*expected, "argument"));
            return self.report(expression, message, None);
        }
        if FUNCTIONS.iter().any(|(known, ..)| *known == name) {
            let form = match is_method {
                true => format!("{name}(value)"),
                false => format!("value.{name}(…)"),
            };
            return self.report(expression, format!("`{name}` is called as `{form}`"), None);
        }
        let mut names: Vec<&str> = FUNCTIONS.iter().map(|(known, ..)| *known).collect();
        names.extend(["has", "all", "exists", "exists_one", "filter", "map"]);
        names.sort_unstable();
        names.dedup();
        let fix = match closest_match(name, names.iter().copied()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Known functions: {}.", join_code(&names)),
        };
        self.report(expression, format!("unknown function `{name}`"), Some(fix));
    }

    fn report(&mut self, expression: &IdedExpr, message: String, fix: Option<String>) {
        // The parser counts characters from 0, and names the first and the last one.
        let byte = |character: u32| {
            let index = usize::try_from(character).unwrap_or(usize::MAX);
            let at = self.text.char_indices().nth(index);
            at.map_or(self.text.len(), |(at, _)| at)
        };
        let range = match self.source.offset_for(expression.id) {
            Some((first, last)) => byte(first)..byte(last.max(first).saturating_add(1)),
            None => 0..self.text.len(),
        };
        self.problems.push(ExpressionProblem { message, fix, range });
    }
}

/// Returns the number of levels of an expression.
pub(super) fn depth(expression: &IdedExpr) -> usize {
    let deepest = |parts: &mut dyn Iterator<Item = &IdedExpr>| parts.map(depth).max().unwrap_or_default();
    1 + match &expression.expr {
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => 0,
        Expr::Select(select) => depth(&select.operand),
        Expr::Call(call) => deepest(&mut call.target.as_deref().into_iter().chain(&call.args)),
        Expr::List(list) => deepest(&mut list.elements.iter()),
        Expr::Map(map) => deepest(&mut map.entries.iter().flat_map(|entry| entry_parts(&entry.expr))),
        Expr::Struct(value) => deepest(&mut value.entries.iter().flat_map(|entry| entry_parts(&entry.expr))),
        Expr::Comprehension(inner) => deepest(
            &mut [
                &inner.iter_range,
                &inner.accu_init,
                &inner.loop_cond,
                &inner.loop_step,
                &inner.result,
            ]
            .into_iter(),
        ),
    }
}

/// Returns the key and the value of an entry of a map, or the value of a field.
pub(super) fn entry_parts(entry: &EntryExpr) -> impl Iterator<Item = &IdedExpr> {
    let (key, value) = match entry {
        EntryExpr::MapEntry(entry) => (Some(&entry.key), &entry.value),
        EntryExpr::StructField(field) => (None, &field.value),
    };
    key.into_iter().chain([value])
}

fn text_literal(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
