//! The evaluator beside a slow and plain one that works on the texts themselves.

use proptest::prelude::*;
use segment::testing::{Event, NOW, evaluated, history, rule};
use segment::{
    Action, Comparison, Count, Dictionary, EventName, Expression, Operator, Program, Rule, Test,
    UnknownField, Value,
};

fn plainly(expression: &Expression, events: &[Event]) -> bool {
    match expression {
        Expression::Did(action) => did(action, events),
        Expression::Not(inner) => !plainly(inner, events),
        Expression::All(parts) => !parts.iter().any(|part| !plainly(part, events)),
        Expression::Any(parts) => parts.iter().filter(|part| plainly(part, events)).count() > 0,
    }
}

fn did(action: &Action, events: &[Event]) -> bool {
    let counted = events.iter().filter(|event| {
        let age = i64::from(NOW) - i64::from(event.time);
        let recent = action.window.is_none_or(|window| age <= i64::from(window.seconds()));
        let named = match &action.condition.event {
            EventName::Any => true,
            EventName::Is(name) => *name == event.name,
        };
        let comparisons = action.condition.comparisons.as_slice();
        age >= 0 && recent && named && comparisons.iter().all(|comparison| holds(comparison, event))
    });
    let counted = counted.count();
    match action.count {
        Count::AtLeast(times) => counted >= times as usize,
        Count::AtMost(times) => counted <= times as usize,
        Count::Exactly(times) => counted == times as usize,
    }
}

fn holds(comparison: &Comparison, event: &Event) -> bool {
    let value = event.value(&comparison.field);
    let any = |operator, wanted: &Value| value.iter().any(|text| stands(text, operator, wanted));
    match &comparison.test {
        Test::Is(Operator::NotEqual, wanted) => !any(Operator::Equal, wanted),
        Test::Is(operator, wanted) => any(*operator, wanted),
        Test::In(wanted) => wanted.iter().any(|wanted| any(Operator::Equal, wanted)),
    }
}

/// Numbers as floats: the ones the strategies make are told apart by them.
fn stands(text: &str, operator: Operator, wanted: &Value) -> bool {
    let order = match wanted {
        Value::Text(wanted) => match operator {
            Operator::Contains => return text.contains(wanted.as_str()),
            Operator::StartsWith => return text.starts_with(wanted.as_str()),
            Operator::EndsWith => return text.ends_with(wanted.as_str()),
            _ => text.as_bytes().cmp(wanted.as_bytes()),
        },
        Value::Number(wanted) => {
            let plain = text.strip_prefix('-').unwrap_or(text);
            let decimal = plain.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
            if !decimal || plain.is_empty() || plain.starts_with('.') || plain.ends_with('.') {
                return false;
            }
            let Ok(number) = text.parse::<f64>() else { return false };
            let wanted: f64 = wanted.to_string().parse().unwrap();
            let number = (number * 1e9).trunc() / 1e9;
            number.partial_cmp(&wanted).unwrap()
        }
    };
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
        other => panic!("{other} is not an order"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn says_what_a_plain_evaluator_says(rule in rule(), histories in prop::collection::vec(history(), 1..4)) {
        let plain: Vec<bool> =
            histories.iter().map(|history| plainly(rule.expression(), history)).collect();
        prop_assert_eq!(evaluated(&rule, &histories), plain, "{}", rule);
    }
}

/// A history of events of one name, so many seconds ago.
fn ages(name: &str, ages: &[u32]) -> Vec<Event> {
    let event = |age: &u32| Event {
        time: NOW - age,
        name: name.to_owned(),
        fields: std::collections::BTreeMap::new(),
    };
    ages.iter().map(event).collect()
}

#[test]
fn a_window_has_both_its_edges() {
    let means = |rule: &str, age: u32| evaluated(&rule.parse().unwrap(), &[ages("a", &[age])])[0];
    assert!(means("did a in last 1 minute", 60));
    assert!(!means("did a in last 1 minute", 61));
    assert!(means("did a in last 3660 days", 0));
}

#[test]
fn counts_and_joins() {
    let means = |rule: &str| evaluated(&rule.parse().unwrap(), &[ages("a", &[300, 200, 100])])[0];
    assert!(means("did a at least 3 times") && !means("did a at least 4 times"));
    assert!(means("did a at most 3 times") && !means("did a at most 2 times"));
    assert!(means("did a exactly 3 times") && !means("did a exactly 2 times"));
    assert!(means("did b at most 0 times") && means("did b exactly 0 times") && !means("did b"));
    assert!(means("did a exactly 1 time in last 2 minutes"));
    assert!(means("did b or did a and not did b"));
}

#[test]
fn refuses_a_dictionary_made_for_another_rule() {
    let rule: Rule = "did a where path = \"/\"".parse().unwrap();
    let other = Dictionary::for_rule(&"did a where country = \"HR\"".parse().unwrap());
    assert_eq!(Program::bind(&rule, &other).unwrap_err(), UnknownField(segment::Field::Path));
}
