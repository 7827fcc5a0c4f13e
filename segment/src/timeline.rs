//! A visitor's events as columns of small numbers, and what the numbers stand for.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{Field, Rule, Test};

/// One visitor's events, oldest first. All slices have one entry per event; the codes are those of one
/// [`Dictionary`], which many visitors share.
#[derive(Clone, Copy, Debug)]
pub struct Timeline<'a> {
    /// When each happened, whole seconds since 1970, never falling.
    pub times: &'a [u32],
    /// Each event's name.
    pub names: &'a [u32],
    /// For each field of the dictionary, in its order, what each event has there.
    pub fields: &'a [&'a [u32]],
}

/// What the codes of timelines stand for: the names that occur, and per field the values that occur.
///
/// A value is a list of texts, because a page has several categories; every other field's has one.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    pub(crate) names: Codes<String>,
    pub(crate) fields: Vec<(Field, Codes<Vec<String>>)>,
}

/// Codes in the order the values were first seen.
#[derive(Clone, Debug)]
pub(crate) struct Codes<T> {
    pub(crate) values: Vec<T>,
    codes: BTreeMap<T, u32>,
}

impl<T> Default for Codes<T> {
    fn default() -> Self {
        Self { values: Vec::new(), codes: BTreeMap::new() }
    }
}

impl<T: Clone + Ord> Codes<T> {
    /// A code beyond 32 bits cannot come about: the values would not fit into memory.
    fn code(&mut self, value: T) -> u32 {
        if let Some(code) = self.codes.get(&value) {
            return *code;
        }
        let code = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(value.clone());
        self.codes.insert(value, code);
        code
    }
}

impl Dictionary {
    /// An empty dictionary of the fields that `rule` looks at. The event's name is not among them: it
    /// has its own codes.
    #[must_use]
    pub fn for_rule(rule: &Rule) -> Self {
        let mut dictionary = Self::default();
        for action in rule.actions() {
            for comparison in action.condition.comparisons.as_slice() {
                let field = &comparison.field;
                let known = dictionary.fields.iter().any(|(known, _)| known == field);
                if !known && *field != Field::Name {
                    dictionary.fields.push((field.clone(), Codes::default()));
                }
            }
        }
        dictionary
    }

    /// The fields, in the order of [`Timeline::fields`].
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().map(|(field, _)| field)
    }

    /// The code of an event's name, a new one where it was not seen before.
    pub fn name(&mut self, name: &str) -> u32 {
        self.names.code(name.to_owned())
    }

    /// The code of what an event has in the field at `index`, a new one where it was not seen before;
    /// `None` where there is no such field. Of a field that an event lacks, the value is `[""]`; of
    /// categories, the list.
    pub fn value(&mut self, index: usize, value: &[&str]) -> Option<u32> {
        let (_, codes) = self.fields.get_mut(index)?;
        Some(codes.code(value.iter().map(|text| (*text).to_owned()).collect()))
    }
}

impl Test {
    /// Whether it holds for a field with this value.
    pub(crate) fn holds(&self, value: &[String]) -> bool {
        match self {
            Self::Is(crate::Operator::NotEqual, wanted) => {
                !value.iter().any(|text| wanted.stands(crate::Operator::Equal, text))
            }
            Self::Is(operator, wanted) => value.iter().any(|text| wanted.stands(*operator, text)),
            Self::In(wanted) => value.iter().any(|text| {
                wanted.iter().any(|wanted| wanted.stands(crate::Operator::Equal, text))
            }),
        }
    }
}
