//! Upper bound of the work of an evaluation.
//!
//! CEL has no loops but its macros (`all`, `exists`, `map` and others), so the work is bounded by the sizes of the values
//! in the context. Macros in macros, and texts that are added to themselves, can still make it huge.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::check::entry_parts;

/// Sizes of the values in a context.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ContextSize {
    /// Most elements of a list or a map.
    elements: u64,
    /// Most bytes of a text.
    text: u64,
    /// Bytes of all texts.
    total: u64,
}

impl ContextSize {
    pub(super) fn add_text(&mut self, text: &str) {
        let bytes = text.len() as u64 + 1;
        self.text = self.text.max(bytes);
        self.total += bytes;
    }

    pub(super) fn add_collection(&mut self, elements: usize) {
        self.elements = self.elements.max(elements as u64);
    }
}

/// Bound of a value.
#[derive(Clone, Copy, Debug)]
struct ValueSize {
    /// Elements, if it is a list or a map.
    elements: u64,
    /// Bytes of all texts in it.
    bytes: u64,
    /// Bytes of one element, or of a value of a map.
    element_bytes: u64,
    /// Fields and keys down to a text, for a value of the context; `None` if it is not known.
    levels: Option<u8>,
}

impl ValueSize {
    const SMALL: Self = Self::text(1);

    const fn text(bytes: u64) -> Self {
        Self {
            elements: bytes,
            bytes,
            element_bytes: bytes,
            levels: None,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            elements: self.elements.saturating_add(other.elements),
            bytes: self.bytes.saturating_add(other.bytes),
            element_bytes: self.element_bytes.max(other.element_bytes),
            levels: None,
        }
    }

    /// Size of an element, which can be a collection as well; those of the context are texts.
    fn element(self) -> Self {
        match self.levels {
            Some(_) => Self::text(self.element_bytes),
            None => Self {
                elements: self.elements.min(self.element_bytes),
                bytes: self.element_bytes,
                ..self
            },
        }
    }

    /// Size of a field or of the value of a key.
    fn field(self) -> Self {
        match self.levels {
            Some(0 | 1) => Self::text(self.element_bytes),
            levels => Self {
                levels: levels.map(|levels| levels - 1),
                ..self
            },
        }
    }
}

/// Work of a node, in bytes that are compared or copied.
const NODE_COST: u64 = 50;

/// Returns a bound of the work of an evaluation in a context of this size, about a nanosecond per unit.
pub(super) fn estimate_cost(expression: &IdedExpr, context: ContextSize) -> u64 {
    let mut estimator = Estimator {
        context,
        variables: Vec::new(),
        cost: 0,
    };
    estimator.visit(expression, 1);
    estimator.cost
}

struct Estimator<'a> {
    context: ContextSize,
    /// Variables of the surrounding macros.
    variables: Vec<(&'a str, ValueSize)>,
    cost: u64,
}

impl<'a> Estimator<'a> {
    /// Adds the work of an expression that is evaluated `times` times, and returns the size of its value.
    fn visit(&mut self, expression: &'a IdedExpr, times: u64) -> ValueSize {
        let (value, own) = match &expression.expr {
            Expr::Literal(LiteralValue::String(text)) => (ValueSize::text(text.inner().len() as u64 + 1), 0),
            Expr::Literal(LiteralValue::Bytes(bytes)) => (ValueSize::text(bytes.inner().len() as u64 + 1), 0),
            Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => (ValueSize::SMALL, 0),
            Expr::Ident(name) => (self.variable(name), 0),
            Expr::Select(select) => (self.visit(&select.operand, times).field(), 0),
            Expr::Call(call) => {
                let parts: Vec<ValueSize> = call
                    .target
                    .as_deref()
                    .into_iter()
                    .chain(&call.args)
                    .map(|part| self.visit(part, times))
                    .collect();
                let all = parts.iter().copied().reduce(ValueSize::and).unwrap_or(ValueSize::SMALL);
                match (call.func_name.as_str(), parts.as_slice()) {
                    (operators::INDEX | operators::OPT_INDEX | operators::OPT_SELECT, [value, _]) => {
                        let copied = match call.func_name.as_str() {
                            operators::INDEX => 0,
                            _ => value.field().bytes,
                        };
                        (value.field(), copied)
                    }
                    ("matches", [text, pattern]) => {
                        let work = text.bytes.saturating_mul(pattern.bytes);
                        (ValueSize::SMALL, work)
                    }
                    (operators::ADD | operators::CONDITIONAL | "orValue" | "string", _) => (all, all.bytes),
                    _ => (ValueSize::SMALL, all.bytes),
                }
            }
            Expr::List(list) => self.collect(list.elements.len(), list.elements.iter(), times),
            Expr::Map(map) => {
                let parts = map.entries.iter().flat_map(|entry| entry_parts(&entry.expr));
                self.collect(map.entries.len(), parts, times)
            }
            Expr::Comprehension(inner) => {
                let range = self.visit(&inner.iter_range, times);
                let start = self.visit(&inner.accu_init, times);
                let outer = self.variables.len();
                let rounds = times.saturating_mul(range.elements.max(1));
                self.variables.push((&inner.iter_var, range.element()));
                self.variables
                    .extend(inner.iter_var2.as_deref().map(|name| (name, range.element())));
                // Each round can add the value of one step; `map` and `filter` copy what they have collected.
                self.variables.push((&inner.accu_var, start));
                let step = self.visit(&inner.loop_step, rounds);
                let collected = ValueSize {
                    elements: step.elements.saturating_mul(range.elements),
                    bytes: step.bytes.saturating_mul(range.elements.max(1)),
                    element_bytes: step.bytes,
                    levels: None,
                };
                if let Some((_, accumulator)) = self.variables.last_mut() {
                    *accumulator = collected;
                }
                self.visit(&inner.loop_cond, rounds);
                let result = self.visit(&inner.result, times);
                self.variables.truncate(outer);
                (result, collected.bytes.saturating_mul(range.elements.max(1)) / 16)
            }
        };
        let once = own.saturating_add(NODE_COST);
        self.cost = self.cost.saturating_add(once.saturating_mul(times));
        value
    }

    /// Size and work of a list or a map of `count` entries.
    fn collect(&mut self, count: usize, parts: impl Iterator<Item = &'a IdedExpr>, times: u64) -> (ValueSize, u64) {
        let mut all = ValueSize {
            elements: count as u64,
            ..ValueSize::SMALL
        };
        for part in parts {
            let size = self.visit(part, times);
            all.bytes = all.bytes.saturating_add(size.bytes);
            all.element_bytes = all.element_bytes.max(size.bytes);
            // Its elements can be the larger collections.
            all.elements = all.elements.max(size.elements);
        }
        (all, all.bytes)
    }

    fn variable(&self, name: &str) -> ValueSize {
        let own = self.variables.iter().rev().find(|(known, _)| *known == name);
        own.map_or(
            ValueSize {
                elements: self.context.elements,
                bytes: self.context.total,
                element_bytes: self.context.text,
                levels: Some(2),
            },
            |(_, size)| *size,
        )
    }
}
