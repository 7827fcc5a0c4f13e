//! Rules as text: what is printed reads back as the same rule.

use core::fmt;

use crate::parse::is_bare_name;
use crate::{
    Action, Comparison, Comparisons, Condition, Count, EventName, Expression, Field, Operator,
    Rule, Test, Unit, Value, Window,
};

/// A text in quotes, as a rule writes it.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("\"")?;
        for letter in self.0.chars() {
            match letter {
                '"' | '\\' => write!(out, "\\{letter}")?,
                '\n' => out.write_str("\\n")?,
                '\t' => out.write_str("\\t")?,
                _ => write!(out, "{letter}")?,
            }
        }
        out.write_str("\"")
    }
}

fn joined<T: fmt::Display>(
    out: &mut fmt::Formatter<'_>,
    parts: impl IntoIterator<Item = T>,
    between: &str,
) -> fmt::Result {
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            out.write_str(between)?;
        }
        write!(out, "{part}")?;
    }
    Ok(())
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.expression)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Did(action) => write!(out, "{action}"),
            Self::Not(inner) => write!(out, "not {}", Operand { inner, loosest: false }),
            Self::All(parts) => {
                joined(out, parts.iter().map(|inner| Operand { inner, loosest: false }), " and ")
            }
            Self::Any(parts) => {
                joined(out, parts.iter().map(|inner| Operand { inner, loosest: true }), " or ")
            }
        }
    }
}

/// A part of an expression, in parentheses where it binds less than what it stands in.
struct Operand<'a> {
    inner: &'a Expression,
    /// Stands in an `or`, where an `and` needs no parentheses.
    loosest: bool,
}

impl fmt::Display for Operand<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.inner {
            Expression::Did(_) | Expression::Not(_) => write!(out, "{}", self.inner),
            Expression::All(_) if self.loosest => write!(out, "{}", self.inner),
            Expression::All(_) | Expression::Any(_) => write!(out, "({})", self.inner),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "did {}", self.condition)?;
        match self.count {
            Count::AtLeast(1) => {}
            Count::AtLeast(times) => write!(out, " at least {times} times")?,
            Count::AtMost(times) => write!(out, " at most {times} times")?,
            Count::Exactly(times) => write!(out, " exactly {times} times")?,
        }
        match self.window {
            Some(window) => write!(out, " in last {window}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.event {
            EventName::Any => out.write_str("any")?,
            EventName::Is(name) if is_bare_name(name) => out.write_str(name)?,
            EventName::Is(name) => write!(out, "{}", Quoted(name))?,
        }
        if self.comparisons.is_empty() {
            return Ok(());
        }
        write!(out, " where {}", self.comparisons)
    }
}

impl fmt::Display for Comparisons {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(out, &self.0, " and ")
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ", self.field)?;
        match &self.test {
            Test::Is(operator, value) => write!(out, "{operator} {value}"),
            Test::In(values) => {
                out.write_str("in (")?;
                joined(out, values, ", ")?;
                out.write_str(")")
            }
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property(key) if crate::parse::is_bare_key(key) => {
                write!(out, "properties.{key}")
            }
            Self::Property(key) => write!(out, "properties.{}", Quoted(key)),
            plain => out.write_str(plain.word().unwrap_or_default()),
        }
    }
}

impl Operator {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Contains => "contains",
            Self::StartsWith => "starts with",
            Self::EndsWith => "ends with",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.text())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(out, "{}", Quoted(text)),
            Self::Number(number) => write!(out, "{number}"),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Minutes => "minutes",
            Unit::Hours => "hours",
            Unit::Days => "days",
        };
        write!(out, "{} {unit}", self.amount)
    }
}
