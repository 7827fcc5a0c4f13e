//! What a rule becomes in SQL, to the letter. That it means the same is tested in `analytics`, where there is a
//! database.

use segment::{Parameter, ParameterValue, Parameters, Rule};

#[test]
fn nothing_from_outside_stands_in_the_text() {
    let rule = Rule::parse(
        "did page_view where path starts with \"/x'\" and category != \"Shoes\" and properties.price > 5 at least 2 times in last 1 days and not did \"p q\"",
    );
    let mut parameters = Parameters::new("rule");
    let sql = rule.unwrap().sql(1_700_000_000, &mut parameters);
    assert_eq!(
        sql.events,
        "occurred_at < fromUnixTimestamp64Milli({rule_0:Int64}) AND (\
         (name = {rule_1:String} AND startsWith(path, {rule_2:String}) \
         AND NOT arrayExists(category -> (category = {rule_3:String}), categories) \
         AND (match(properties[{rule_4:String}], '^-?[0-9]{1,18}([.][0-9]{1,30})?\\\\z') \
         AND ifNull(toDecimal128OrNull(toString(properties[{rule_4:String}]), 9) > {rule_5:Decimal(38, 9)}, false))) \
         OR (name = {rule_6:String}))"
    );
    assert_eq!(
        sql.visitors,
        "((countIf((name = {rule_7:String} AND startsWith(path, {rule_8:String}) \
         AND NOT arrayExists(category -> (category = {rule_9:String}), categories) \
         AND (match(properties[{rule_10:String}], '^-?[0-9]{1,18}([.][0-9]{1,30})?\\\\z') \
         AND ifNull(toDecimal128OrNull(toString(properties[{rule_10:String}]), 9) > {rule_11:Decimal(38, 9)}, false))) \
         AND occurred_at >= fromUnixTimestamp64Milli({rule_12:Int64})) >= {rule_13:Int64}) \
         AND NOT (countIf((name = {rule_14:String})) >= {rule_15:Int64}))"
    );
    let values = parameters.as_slice();
    assert_eq!(values.len(), 16);
    let first =
        Parameter { name: "rule_0".to_owned(), value: ParameterValue::Integer(1_700_000_001_000) };
    assert_eq!(values[0], first);
    assert_eq!(values[2].value, ParameterValue::Text("/x'".to_owned()));
    assert_eq!(values[12].value, ParameterValue::Integer(1_699_913_600_000));
}

#[test]
fn a_rule_that_means_the_idle_reads_every_event() {
    let events = |rule: &str| {
        Rule::parse(rule).unwrap().sql(0, &mut Parameters::new("rule")).events.contains("name =")
    };
    assert!(events("did a or did b"));
    assert!(events("did a and not did b"));
    assert!(!events("not did a"));
    assert!(!events("did a at most 2 times"));
    assert!(!events("did a or did b at least 0 times"));
    assert!(events("not did a at most 2 times"));
}
