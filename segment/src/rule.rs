//! A rule as it is understood: what a visitor must have done.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use crate::parse::{ParseError, Parser};
use crate::{Field, Number};

/// Which visitors are meant, by what they did.
///
/// Made by parsing only, so that a `Rule` in hand keeps to the [`limits`](crate::limits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(crate) expression: Expression,
}

impl Rule {
    /// Reads a rule, for example
    /// `did product_view where category = "Shoes" at least 2 times in last 30 days and not did purchase`.
    ///
    /// # Errors
    /// With the place in the text and what could have stood there.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Parser::read(text, Parser::rule)
    }

    /// What the rule says.
    #[must_use]
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// Every `did ...` of the rule, from left to right.
    #[must_use]
    pub fn actions(&self) -> Vec<&Action> {
        let mut actions = Vec::new();
        self.expression.collect(&mut actions);
        actions
    }
}

impl FromStr for Rule {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

/// How the actions of a rule are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// The visitor did this.
    Did(Action),
    /// The opposite.
    Not(Box<Expression>),
    /// Joined by `and`; two or more.
    All(Vec<Expression>),
    /// Joined by `or`; two or more.
    Any(Vec<Expression>),
}

impl Expression {
    fn collect<'a>(&'a self, actions: &mut Vec<&'a Action>) {
        match self {
            Self::Did(action) => actions.push(action),
            Self::Not(inner) => inner.collect(actions),
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.collect(actions);
                }
            }
        }
    }
}

/// How often a visitor did something, and since when. Each action is asked of all the visitor's
/// events by itself: two actions may be met by two events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Which events count.
    pub condition: Condition,
    /// How many of them there must be.
    pub count: Count,
    /// How recent they must be; `None` for ever.
    pub window: Option<Window>,
}

/// Which events are meant: a name, and what must hold of them. Also a funnel's step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The event's name.
    pub event: EventName,
    /// What must hold of it besides.
    pub comparisons: Comparisons,
}

impl FromStr for Condition {
    type Err = ParseError;

    /// Reads `product_view`, `checkout/shipping` or `page_view where path = "/cart"`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Parser::read(text, Parser::whole_condition)
    }
}

/// An event's name in a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventName {
    /// `any`: every event.
    Any,
    /// This name, byte for byte.
    Is(String),
}

/// What must hold of one event; all of them. Empty holds always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparisons(pub(crate) Vec<Comparison>);

impl Comparisons {
    /// Each of them.
    #[must_use]
    pub fn as_slice(&self) -> &[Comparison] {
        &self.0
    }

    /// Whether they hold for every event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Comparisons {
    type Err = ParseError;

    /// Reads `device = "mobile" and country in ("HR", "SI")`; an empty text is no comparison.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        Parser::read(text, Parser::whole_comparisons)
    }
}

/// One thing that must hold of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// What is looked at.
    pub field: Field,
    /// What must hold of it.
    pub test: Test,
}

/// What must hold of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// It stands so to this value.
    Is(Operator, Value),
    /// It equals one of these.
    In(Vec<Value>),
}

/// How a field stands to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`, exactly the opposite of `=`.
    NotEqual,
    /// `<`; texts by bytes, numbers by value.
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `contains`, case by case.
    Contains,
    /// `starts with`
    StartsWith,
    /// `ends with`
    EndsWith,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// In quotes: compared as text.
    Text(String),
    /// Bare: compared as a number; a field that is not a number is not equal to it, nor less, nor more.
    Number(Number),
}

/// How many events there must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// `at least N times`; where a rule does not say, `AtLeast(1)`.
    AtLeast(u32),
    /// `at most N times`, also none.
    AtMost(u32),
    /// `exactly N times`.
    Exactly(u32),
}

/// How recent events must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many units.
    pub amount: u32,
    /// Of what.
    pub unit: Unit,
}

impl Window {
    /// The window's length. Fits, as the parser bounds it by
    /// [`WINDOW_MINUTES_MAX`](crate::limits::WINDOW_MINUTES_MAX).
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.amount.saturating_mul(self.unit.minutes()).saturating_mul(60)
    }
}

/// A window's unit. A day is 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// 60 seconds.
    Minutes,
    /// 60 minutes.
    Hours,
    /// 24 hours.
    Days,
}

impl Unit {
    pub(crate) const fn minutes(self) -> u32 {
        match self {
            Self::Minutes => 1,
            Self::Hours => 60,
            Self::Days => 24 * 60,
        }
    }
}
