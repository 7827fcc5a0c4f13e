#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod evaluate;
mod field;
pub mod limits;
mod number;
mod parse;
mod rule;
mod show;
mod sql;
#[cfg(feature = "testing")]
pub mod testing;
mod timeline;

pub use evaluate::{Program, UnknownField, evaluate};
pub use field::Field;
pub use number::Number;
pub use parse::{ParseError, Position};
pub use rule::{
    Action, Comparison, Comparisons, Condition, Count, EventName, Expression, Operator, Rule, Test,
    Unit, Value, Window,
};
pub use sql::{Parameter, ParameterValue, Parameters, RuleSql};
pub use timeline::{Dictionary, Timeline};
