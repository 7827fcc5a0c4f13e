//! A rule asked of a timeline in memory. The SQL of the same rule must say the same of the same events;
//! a test in `analytics` holds the two together.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::{
    Action, Condition, Count, Dictionary, EventName, Expression, Field, Number, Operator, Rule,
    Timeline, Value,
};

/// A rule bound to a dictionary: every comparison has become the set of codes for which it holds, so
/// that asking it of an event is a bit's test, and nothing is allocated per event or visitor.
#[derive(Clone, Debug)]
pub struct Program {
    node: Node,
}

#[derive(Clone, Debug)]
enum Node {
    Did(Act),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

#[derive(Clone, Debug)]
struct Act {
    /// The names that count.
    names: CodeSet,
    /// Per field looked at: its place in the timeline, and the codes for which all comparisons hold.
    fields: Vec<(usize, CodeSet)>,
    count: Count,
    window_seconds: Option<u32>,
}

/// One bit per code.
#[derive(Clone, Debug)]
struct CodeSet(Vec<u64>);

impl CodeSet {
    fn of<T>(values: &[T], holds: impl Fn(&T) -> bool) -> Self {
        let mut words = vec![0_u64; values.len().div_ceil(64)];
        for (chunk, word) in values.chunks(64).zip(&mut words) {
            for (bit, value) in chunk.iter().enumerate() {
                *word |= u64::from(holds(value)) << bit;
            }
        }
        Self(words)
    }

    fn has(&self, code: u32) -> bool {
        let word = self.0.get((code / 64) as usize).copied().unwrap_or(0);
        word >> (code % 64) & 1 == 1
    }
}

/// A rule was bound to a dictionary that was not made for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField(
    /// The field that the dictionary lacks.
    pub Field,
);

impl fmt::Display for UnknownField {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the dictionary has no codes for the field {}", self.0)
    }
}

impl core::error::Error for UnknownField {}

impl Program {
    /// Binds `rule` to the codes that `dictionary` has by now. Codes it gets later are of no condition.
    ///
    /// # Errors
    /// Where the dictionary lacks a field of the rule; [`Dictionary::for_rule`] makes one that does not.
    pub fn bind(rule: &Rule, dictionary: &Dictionary) -> Result<Self, UnknownField> {
        Ok(Self { node: Node::bind(rule.expression(), dictionary)? })
    }
}

impl Node {
    fn bind(expression: &Expression, dictionary: &Dictionary) -> Result<Self, UnknownField> {
        let all = |parts: &[Expression]| -> Result<Vec<Self>, UnknownField> {
            parts.iter().map(|part| Self::bind(part, dictionary)).collect()
        };
        Ok(match expression {
            Expression::Did(action) => Self::Did(Act::bind(action, dictionary)?),
            Expression::Not(inner) => Self::Not(Box::new(Self::bind(inner, dictionary)?)),
            Expression::All(parts) => Self::All(all(parts)?),
            Expression::Any(parts) => Self::Any(all(parts)?),
        })
    }

    fn holds(&self, timeline: &Timeline<'_>, now: u32) -> bool {
        match self {
            Self::Did(act) => act.holds(timeline, now),
            Self::Not(inner) => !inner.holds(timeline, now),
            Self::All(parts) => parts.iter().all(|part| part.holds(timeline, now)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(timeline, now)),
        }
    }
}

impl Act {
    fn bind(action: &Action, dictionary: &Dictionary) -> Result<Self, UnknownField> {
        let Condition { event, comparisons } = &action.condition;
        let comparisons = comparisons.as_slice();
        let names = CodeSet::of(&dictionary.names.values, |name| {
            let named = match event {
                EventName::Any => true,
                EventName::Is(wanted) => wanted == name,
            };
            let mut of_name = comparisons.iter().filter(|one| one.field == Field::Name);
            named && of_name.all(|one| one.test.holds(core::slice::from_ref(name)))
        });
        let mut fields = Vec::new();
        for comparison in comparisons.iter().filter(|one| one.field != Field::Name) {
            let place = dictionary.fields.iter().position(|(field, _)| *field == comparison.field);
            let found = place.and_then(|place| Some((place, dictionary.fields.get(place)?)));
            let Some((place, (_, codes))) = found else {
                return Err(UnknownField(comparison.field.clone()));
            };
            fields.push((place, CodeSet::of(&codes.values, |value| comparison.test.holds(value))));
        }
        let window_seconds = action.window.map(crate::Window::seconds);
        Ok(Self { names, fields, count: action.count, window_seconds })
    }

    /// Looks at the events of the window only, and no further than the count needs.
    fn holds(&self, timeline: &Timeline<'_>, now: u32) -> bool {
        let oldest = self.window_seconds.map_or(0, |window| now.saturating_sub(window));
        let first = timeline.times.partition_point(|time| *time < oldest);
        let end = timeline.times.partition_point(|time| *time <= now);
        let (wanted, enough) = match self.count {
            Count::AtLeast(times) => (times, times),
            Count::AtMost(times) | Count::Exactly(times) => (times, times.saturating_add(1)),
        };
        let counted =
            (first..end).filter(|event| self.matches(timeline, *event)).take(enough as usize);
        let counted = counted.count();
        match self.count {
            Count::AtLeast(_) => counted >= wanted as usize,
            Count::AtMost(_) => counted <= wanted as usize,
            Count::Exactly(_) => counted == wanted as usize,
        }
    }

    fn matches(&self, timeline: &Timeline<'_>, event: usize) -> bool {
        let has = |codes: Option<&&[u32]>, set: &CodeSet| {
            codes.and_then(|codes| codes.get(event)).is_some_and(|code| set.has(*code))
        };
        has(Some(&timeline.names), &self.names)
            && self.fields.iter().all(|(place, set)| has(timeline.fields.get(*place), set))
    }
}

impl Value {
    /// Whether `text` stands so to this value. `!=` is not asked here: it is the opposite of `=` over
    /// all of a field's texts.
    pub(crate) fn stands(&self, operator: Operator, text: &str) -> bool {
        match self {
            Self::Text(wanted) => {
                let wanted = wanted.as_str();
                match operator {
                    Operator::Contains => text.contains(wanted),
                    Operator::StartsWith => text.starts_with(wanted),
                    Operator::EndsWith => text.ends_with(wanted),
                    _ => operator.orders(text.cmp(wanted)),
                }
            }
            Self::Number(wanted) => {
                Number::from_event(text).is_some_and(|number| operator.orders(number.cmp(wanted)))
            }
        }
    }
}

impl Operator {
    fn orders(self, ordering: core::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Contains | Self::StartsWith | Self::EndsWith => false,
        }
    }
}

/// Whether the visitor with these events is meant by the rule, at `now` (seconds since 1970). Events
/// after `now` do not count, and a window reaches from `now` back to and with its first second.
#[must_use]
pub fn evaluate(program: &Program, timeline: &Timeline<'_>, now: u32) -> bool {
    program.node.holds(timeline, now)
}
