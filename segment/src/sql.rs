//! A rule as ClickHouse SQL over the `events` table. Everything that came from outside is a bound
//! parameter; only words of this file stand in the text.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::{
    Action, Comparison, Comparisons, Condition, Count, EventName, Expression, Field, Number,
    Operator, Rule, Test, Value,
};

/// What a text's parameters stand for: bound by whoever sends the query
/// (`{name:Type}` in the text, ClickHouse's own query parameters).
#[derive(Clone, Debug)]
pub struct Parameters {
    prefix: &'static str,
    list: Vec<Parameter>,
}

/// One parameter of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the text.
    pub name: String,
    /// What it stands for.
    pub value: ParameterValue,
}

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// A `String`.
    Text(String),
    /// An `Int64`.
    Integer(i64),
    /// A `Decimal(38, 9)`, to be sent as its digits.
    Decimal(Number),
}

impl Parameters {
    /// None yet. `prefix` keeps the names of two texts in one query apart.
    #[must_use]
    pub const fn new(prefix: &'static str) -> Self {
        Self { prefix, list: Vec::new() }
    }

    /// Each parameter, in the order of the text.
    #[must_use]
    pub fn as_slice(&self) -> &[Parameter] {
        &self.list
    }

    /// Binds a value, and gives what to write in the text.
    pub fn bind(&mut self, value: ParameterValue) -> String {
        let name = format!("{}_{}", self.prefix, self.list.len());
        let kind = match value {
            ParameterValue::Text(_) => "String",
            ParameterValue::Integer(_) => "Int64",
            ParameterValue::Decimal(_) => "Decimal(38, 9)",
        };
        let written = format!("{{{name}:{kind}}}");
        self.list.push(Parameter { name, value });
        written
    }

    fn text(&mut self, text: &str) -> String {
        self.bind(ParameterValue::Text(text.into()))
    }
}

/// A rule's two places in `SELECT visitor_id FROM events FINAL WHERE site = ... AND {events} GROUP BY visitor_id HAVING {visitors}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSql {
    /// Which events need to be read at all: none after `now`, and where the rule allows it only those
    /// that some condition counts.
    pub events: String,
    /// Which visitors are meant.
    pub visitors: String,
}

impl Rule {
    /// The rule asked at `now` (seconds since 1970).
    #[must_use]
    pub fn sql(&self, now: u32, parameters: &mut Parameters) -> RuleSql {
        let first_after = parameters.bind(ParameterValue::Integer((i64::from(now) + 1) * 1000));
        let mut events = format!("occurred_at < fromUnixTimestamp64Milli({first_after})");
        if !self.expression.holds_for_nobody() {
            // Who did none of it is not meant, so all other events may stay unread.
            let actions = self.actions();
            let read = actions.iter().map(|action| action.condition.sql(parameters));
            let read: Vec<String> = read.collect();
            events = format!("{events} AND ({})", read.join(" OR "));
        }
        RuleSql { events, visitors: self.expression.sql(now, parameters) }
    }
}

impl Expression {
    /// Whether it holds for a visitor of whom there is no event.
    fn holds_for_nobody(&self) -> bool {
        match self {
            Self::Did(action) => match action.count {
                Count::AtLeast(times) | Count::Exactly(times) => times == 0,
                Count::AtMost(_) => true,
            },
            Self::Not(inner) => !inner.holds_for_nobody(),
            Self::All(parts) => parts.iter().all(Self::holds_for_nobody),
            Self::Any(parts) => parts.iter().any(Self::holds_for_nobody),
        }
    }

    fn sql(&self, now: u32, parameters: &mut Parameters) -> String {
        let mut joined = |parts: &[Self], word: &str| {
            let parts = parts.iter().map(|part| part.sql(now, parameters));
            format!("({})", parts.collect::<Vec<_>>().join(word))
        };
        match self {
            Self::All(parts) => joined(parts, " AND "),
            Self::Any(parts) => joined(parts, " OR "),
            Self::Not(inner) => format!("NOT {}", inner.sql(now, parameters)),
            Self::Did(action) => action.sql(now, parameters),
        }
    }
}

impl Action {
    fn sql(&self, now: u32, parameters: &mut Parameters) -> String {
        let mut counted = self.condition.sql(parameters);
        if let Some(window) = self.window {
            let oldest = i64::from(now.saturating_sub(window.seconds())) * 1000;
            let oldest = parameters.bind(ParameterValue::Integer(oldest));
            counted = format!("{counted} AND occurred_at >= fromUnixTimestamp64Milli({oldest})");
        }
        let (sign, times) = match self.count {
            Count::AtLeast(times) => (">=", times),
            Count::AtMost(times) => ("<=", times),
            Count::Exactly(times) => ("=", times),
        };
        let times = parameters.bind(ParameterValue::Integer(times.into()));
        format!("(countIf({counted}) {sign} {times})")
    }
}

impl Condition {
    /// Whether a row of `events` is meant.
    #[must_use]
    pub fn sql(&self, parameters: &mut Parameters) -> String {
        let name = match &self.event {
            EventName::Any => None,
            EventName::Is(name) => Some(format!("name = {}", parameters.text(name))),
        };
        let comparisons = self.comparisons.list_sql(parameters);
        let parts: Vec<String> = name.into_iter().chain(comparisons).collect();
        if parts.is_empty() { "(1 = 1)".to_string() } else { format!("({})", parts.join(" AND ")) }
    }
}

impl Comparisons {
    /// Whether all of them hold for a row of `events`; `None` where there are none.
    #[must_use]
    pub fn sql(&self, parameters: &mut Parameters) -> Option<String> {
        let parts = self.list_sql(parameters);
        (!parts.is_empty()).then(|| format!("({})", parts.join(" AND ")))
    }

    fn list_sql(&self, parameters: &mut Parameters) -> Vec<String> {
        self.as_slice().iter().map(|comparison| comparison.sql(parameters)).collect()
    }
}

impl Comparison {
    fn sql(&self, parameters: &mut Parameters) -> String {
        match &self.test {
            Test::Is(Operator::NotEqual, value) => {
                format!("NOT {}", self.field.compared(Operator::Equal, value, parameters))
            }
            Test::Is(operator, value) => self.field.compared(*operator, value, parameters),
            Test::In(values) => {
                let values = values
                    .iter()
                    .map(|value| self.field.compared(Operator::Equal, value, parameters));
                format!("({})", values.collect::<Vec<_>>().join(" OR "))
            }
        }
    }
}

impl Field {
    fn compared(&self, operator: Operator, value: &Value, parameters: &mut Parameters) -> String {
        let column = match self {
            Self::Category => {
                let compared = value.compared("category", operator, parameters);
                return format!("arrayExists(category -> {compared}, categories)");
            }
            Self::Property(key) => format!("properties[{}]", parameters.text(key)),
            Self::User => "user_id".to_string(),
            plain => plain.word().unwrap_or_default().to_string(),
        };
        value.compared(&column, operator, parameters)
    }
}

impl Value {
    fn compared(&self, column: &str, operator: Operator, parameters: &mut Parameters) -> String {
        match self {
            Self::Text(text) => {
                let text = parameters.text(text);
                match operator {
                    Operator::Contains => format!("(position({column}, {text}) > 0)"),
                    Operator::StartsWith => format!("startsWith({column}, {text})"),
                    Operator::EndsWith => format!("endsWith({column}, {text})"),
                    _ => format!("({column} {} {text})", operator.text()),
                }
            }
            // The form and the scale are those of `Number::from_event`, so that both read the same numbers.
            Self::Number(number) => {
                let number = parameters.bind(ParameterValue::Decimal(*number));
                let sign = operator.text();
                format!(
                    "(match({column}, '^-?[0-9]{{1,18}}([.][0-9]{{1,30}})?\\\\z') \
                     AND ifNull(toDecimal128OrNull(toString({column}), 9) {sign} {number}, false))"
                )
            }
        }
    }
}
