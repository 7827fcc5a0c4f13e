//! For tests, here and in `analytics` (feature `testing`): random rules, and random histories small
//! enough that the rules often mean somebody.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec as list;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;
use proptest::sample::select;

use crate::limits::TEXT_BYTES_MAX;
use crate::{
    Action, Comparison, Comparisons, Condition, Count, Dictionary, EventName, Expression, Field,
    Number, Operator, Program, Rule, Test, Timeline, Unit, Value, Window, evaluate,
};

/// When the histories' rules are asked: 2023-11-14, in seconds since 1970.
pub const NOW: u32 = 1_700_000_000;

const NAMES: [&str; 5] = ["a", "b", "checkout/shipping", "Add to cart", "and"];

const TEXTS: [&str; 16] = [
    "",
    "a",
    "ab",
    "b",
    "B",
    "Shoes",
    "Shoes/Running",
    "5",
    "05",
    "5.0",
    "-3.5",
    "1e5",
    "5\n",
    "0.30000000000000004",
    "é\"\\'`",
    " 5",
];

const NUMBERS: [&str; 5] = ["5", "-3.5", "0.3", "0", "99"];

/// Seconds before now, many of them at the edge of a window.
const AGES: [i64; 15] =
    [-1, 0, 1, 59, 60, 61, 120, 3599, 3600, 3601, 7200, 86_399, 86_400, 86_401, 200_000];

/// One event of a random history.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Seconds since 1970.
    pub time: u32,
    /// Its name.
    pub name: String,
    /// What else is known of it: categories a list, every other field one text. A field that is not
    /// here is empty.
    pub fields: BTreeMap<Field, Vec<String>>,
}

impl Event {
    /// What the event has in a field.
    #[must_use]
    pub fn value(&self, field: &Field) -> Vec<String> {
        match (self.fields.get(field), field) {
            (Some(value), _) => value.clone(),
            (None, Field::Name) => vec![self.name.clone()],
            (None, Field::Category) => Vec::new(),
            (None, _) => vec![String::new()],
        }
    }
}

fn fields() -> impl Strategy<Value = Field> {
    select(vec![
        Field::Path,
        Field::Category,
        Field::Country,
        Field::User,
        Field::Property("price".into()),
        Field::Property("odd key'`".into()),
    ])
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => select(TEXTS.as_slice()).prop_map(String::from),
        1 => list(any::<char>(), 0..6).prop_map(String::from_iter),
    ]
}

/// A visitor's random history, oldest first.
pub fn history() -> impl Strategy<Value = Vec<Event>> {
    let value = (fields(), list(texts(), 1..3)).prop_map(|(field, mut value)| {
        if field != Field::Category {
            value.truncate(1);
        }
        (field, value)
    });
    let values = list(value, 0..4).prop_map(|values| values.into_iter().collect());
    let event = (select(AGES.as_slice()), select(NAMES.as_slice()), values).prop_map(
        |(age, name, fields)| Event {
            time: u32::try_from(i64::from(NOW) - age).unwrap_or(NOW),
            name: name.into(),
            fields,
        },
    );
    list(event, 0..8).prop_map(|mut events| {
        events.sort_by_key(|event| event.time);
        events
    })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    let number = || {
        select(NUMBERS.as_slice())
            .prop_filter_map("a number", |number| Number::from_literal(number).map(Value::Number))
    };
    let text = || texts().prop_map(Value::Text);
    let ordering = || {
        select(vec![
            Operator::Equal,
            Operator::NotEqual,
            Operator::Less,
            Operator::LessOrEqual,
            Operator::Greater,
            Operator::GreaterOrEqual,
        ])
    };
    let inner = select(vec![Operator::Contains, Operator::StartsWith, Operator::EndsWith]);
    let test = prop_oneof![
        (ordering(), text()).prop_map(|(operator, value)| Test::Is(operator, value)),
        (ordering(), number()).prop_map(|(operator, value)| Test::Is(operator, value)),
        (inner, text()).prop_map(|(operator, value)| Test::Is(operator, value)),
        list(prop_oneof![text(), number()], 1..4).prop_map(Test::In),
    ];
    let field = prop_oneof![4 => fields(), 1 => Just(Field::Name)];
    (field, test).prop_map(|(field, test)| Comparison { field, test })
}

fn condition() -> impl Strategy<Value = Condition> {
    let event = prop_oneof![
        1 => Just(EventName::Any),
        4 => select(NAMES.as_slice()).prop_map(|name| EventName::Is(name.into())),
    ];
    (event, list(comparison(), 0..3))
        .prop_map(|(event, list)| Condition { event, comparisons: Comparisons(list) })
}

fn action() -> impl Strategy<Value = Action> {
    let count = prop_oneof![
        4 => Just(Count::AtLeast(1)),
        1 => (0..4_u32).prop_map(Count::AtLeast),
        1 => (0..4_u32).prop_map(Count::AtMost),
        1 => (0..4_u32).prop_map(Count::Exactly),
    ];
    let unit = select(vec![Unit::Minutes, Unit::Hours, Unit::Days]);
    let window = (1..3_u32, unit).prop_map(|(amount, unit)| Window { amount, unit });
    let window = proptest::option::of(window);
    (condition(), count, window).prop_map(|(condition, count, window)| Action {
        condition,
        count,
        window,
    })
}

/// A random rule within the limits.
pub fn rule() -> impl Strategy<Value = Rule> {
    let did = action().prop_map(Expression::Did);
    let expression = did.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Expression::Not(Box::new(inner))),
            list(inner.clone(), 2..4).prop_map(Expression::All),
            list(inner, 2..4).prop_map(Expression::Any),
        ]
    });
    expression
        .prop_map(|expression| Rule { expression })
        .prop_filter("a short rule", |rule| rule.to_string().len() <= TEXT_BYTES_MAX)
}

/// Whom of these visitors the evaluator says the rule means, at [`NOW`].
///
/// # Panics
/// Where the evaluator's own parts do not fit together.
#[must_use]
pub fn evaluated(rule: &Rule, histories: &[Vec<Event>]) -> Vec<bool> {
    let mut dictionary = Dictionary::for_rule(rule);
    let fields: Vec<Field> = dictionary.fields().cloned().collect();
    let mut coded = Vec::new();
    for history in histories {
        let times: Vec<u32> = history.iter().map(|event| event.time).collect();
        let names: Vec<u32> = history.iter().map(|event| dictionary.name(&event.name)).collect();
        let mut columns = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            let column = history.iter().map(|event| {
                let value = event.value(field);
                let value: Vec<&str> = value.iter().map(String::as_str).collect();
                dictionary.value(index, &value).expect("a field of the dictionary")
            });
            columns.push(column.collect::<Vec<u32>>());
        }
        coded.push((times, names, columns));
    }
    let program = Program::bind(rule, &dictionary).expect("the rule's own dictionary");
    let evaluated = coded.iter().map(|(times, names, columns)| {
        let fields: Vec<&[u32]> = columns.iter().map(Vec::as_slice).collect();
        evaluate(&program, &Timeline { times, names, fields: &fields }, NOW)
    });
    evaluated.collect()
}
