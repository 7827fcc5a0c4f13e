//! What the language reads, and what it says of what it cannot read.

use proptest::prelude::*;
use segment::limits::{ACTIONS_MAX, DEPTH_MAX, TEXT_BYTES_MAX};
use segment::testing::rule;
use segment::{Comparisons, Condition, Count, EventName, Expression, ParseError, Rule};

fn refused(text: &str) -> ParseError {
    Rule::parse(text).unwrap_err()
}

#[test]
fn reads_what_the_readme_shows() {
    for text in [
        "did product_view where category = \"Shoes\" at least 2 times in last 30 days and not did purchase",
        "did any where country in (\"HR\", \"SI\")",
        "did page_view where path starts with \"/shoes\"",
        "(did a or did b) and did c",
        "did a or did b and did c",
        "not (did a and did b)",
        "did a where properties.price > 19.99 and category contains \"x\" exactly 3 times",
        "did \"Add to cart\" where properties.\"odd key\" != \"\" at most 2 times in last 12 hours",
        "did checkout/shipping in last 5 minutes",
    ] {
        assert_eq!(Rule::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn is_easy_about_case_space_and_number() {
    let text = "  DID product_view\n\tWHERE category=\"Shoes\" And path>=\"/\" AT LEAST 1 time IN LAST 1 day OR Not DID b ";
    let shown =
        "did product_view where category = \"Shoes\" and path >= \"/\" in last 1 days or not did b";
    assert_eq!(Rule::parse(text).unwrap().to_string(), shown);
}

#[test]
fn and_binds_closer_than_or() {
    let rule = Rule::parse("did a or did b and not did c").unwrap();
    let Expression::Any(parts) = rule.expression() else { panic!("an or, not {rule:?}") };
    assert!(matches!(parts.as_slice(), [Expression::Did(_), Expression::All(_)]));
    assert_eq!(rule.actions().len(), 3);
    assert!(rule.actions().iter().all(|action| action.count == Count::AtLeast(1)));
}

const NAME: &str = "`any`|an event's name (in quotes, unless it is of a-z 0-9 _ / . -)";
const AFTER_NAME: &str = "`where`|`exactly`|`at least`, `at most`|`in last`|`and`|`or`|";
const OPERATORS: &str = "`in`|`=`|`!=`|`<`|`<=`|`>`|`>=`|`contains`|`starts with`|`ends with`";
const VALUE: &str = "a text in quotes|a number (at most 18 digits before the point and 9 after it)";

#[test]
fn tells_the_place_and_what_was_expected() {
    let after_name = |end: &str| format!("{AFTER_NAME}{end}");
    for (text, byte, column, expected, found) in [
        ("", 0, 1, "`did`|`not`|`(`", "the end"),
        ("did", 3, 4, NAME, "the end"),
        ("did a b", 6, 7, &after_name("the end"), "`b`"),
        ("did a where path", 16, 17, OPERATORS, "the end"),
        ("did a where path starts \"x\"", 24, 25, "`with`", "`\"x\"`"),
        ("did a where path contains 5", 26, 27, "a text in quotes", "`5`"),
        ("did a at last 2 times", 9, 10, "`least`|`most`", "`last`"),
        ("did a at least two times", 15, 16, "a number from 0 to 1000000", "`two`"),
        ("did a in last 2 weeks", 16, 17, "`minutes`|`hours`|`days`", "`weeks`"),
        ("did a in last 0 days", 14, 15, "a whole number of minutes, hours or days", "`0`"),
        ("did a in last 3661 days", 14, 15, "at most 3660 days", "more"),
        ("(did a", 6, 7, &after_name("`)`"), "the end"),
        ("did é", 4, 5, NAME, "`é`"),
        ("did \"é\" oder", 9, 9, &after_name("the end"), "`oder`"),
        ("did where", 4, 5, NAME, "`where`"),
        ("did Purchase", 4, 5, NAME, "`Purchase`"),
        ("did \"\"", 4, 5, NAME, "`\"\"`"),
        ("did a where path = /x", 19, 20, VALUE, "`/x`"),
        ("did a where path in \"x\"", 20, 21, "`(`", "`\"x\"`"),
        ("did a where path in (\"x\" \"y\")", 25, 26, "`,`|`)`", "`\"y\"`"),
    ] {
        let error = refused(text);
        assert_eq!((error.position.byte, error.position.column), (byte, column), "{text}");
        assert_eq!(error.expected.join("|"), expected, "{text}");
        assert_eq!(error.found, found, "{text}");
    }
}

#[test]
fn tells_of_broken_texts_and_unknown_fields() {
    for text in ["did \"a", "did \"a\\q\"", "did a where path = \"x\\"] {
        assert!(refused(text).expected[0].starts_with("a text that ends with a quote"), "{text}");
    }
    for comparison in ["nosuch = \"x\"", "properties = \"x\"", "5 = \"x\"", ""] {
        let error = refused(&format!("did a where {comparison}"));
        assert!(error.expected[0].starts_with("a field (name, kind, host"), "{comparison}");
    }
}

#[test]
fn shows_the_line_with_a_caret() {
    let error = refused("did product_view\nwher category = \"Shoes\"");
    assert_eq!(
        error.to_string(),
        "line 2, column 1: expected `where`, `exactly`, `at least`, `at most`, `in last`, `and`, `or` or the end, \
         found `wher`\n  wher category = \"Shoes\"\n  ^"
    );
    let error = refused("did \"žaba\" wher");
    assert!(error.to_string().ends_with("\n  did \"žaba\" wher\n             ^"), "{error}");
    assert!(!error.summary().contains('\n'));
    let long = format!("did \"{}\" wher", "x".repeat(500));
    let shown = refused(&long).to_string();
    assert!(shown.lines().all(|line| line.len() < 200), "{shown}");
    assert!(!refused("did a where path = \u{1b}[31m").to_string().contains('\u{1b}'));
}

#[test]
fn keeps_to_its_limits() {
    let nested = |depth: usize| format!("{}did a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Rule::parse(&nested(DEPTH_MAX)).is_ok());
    assert_eq!(refused(&nested(DEPTH_MAX + 1)).expected, ["at most 32 levels of `not` and `(`"]);
    assert_eq!(refused(&format!("{}did a", "not ".repeat(900))).position.byte, 4 * DEPTH_MAX);
    let joined = |actions: usize| vec!["did a"; actions].join(" or ");
    assert!(Rule::parse(&joined(ACTIONS_MAX)).is_ok());
    assert_eq!(refused(&joined(ACTIONS_MAX + 1)).expected, ["at most 64 times `did`"]);
    let wheres = |count: usize| format!("did a where {}", vec!["path = 1"; count].join(" and "));
    assert!(Rule::parse(&wheres(16)).is_ok());
    assert_eq!(refused(&wheres(17)).expected, ["at most 16 comparisons after one `where`"]);
    let values = |count: usize| format!("did a where path in ({})", vec!["1"; count].join(","));
    assert!(Rule::parse(&values(256)).is_ok());
    assert_eq!(refused(&values(257)).expected, ["at most 256 values"]);
    let long = format!("did \"{}\"", "x".repeat(TEXT_BYTES_MAX));
    assert_eq!(refused(&long).expected, ["at most 4096 bytes"]);
    assert!(Rule::parse("did a at least 1000001 times").is_err());
    assert!(Rule::parse("did a in last 99999999999 days").is_err());
}

#[test]
fn reads_a_condition_alone() {
    for text in [
        "product_view",
        "checkout/shipping",
        "page_view where path = \"/cart\" and country = \"HR\"",
        "\"Add to cart\"",
        "any where path = \"/\"",
    ] {
        assert_eq!(text.parse::<Condition>().unwrap().to_string(), text);
    }
    assert!("product_view in last 3 days".parse::<Condition>().is_err());
    assert!("did product_view".parse::<Condition>().is_err());
    let quoted: Condition = "\"any\"".parse().unwrap();
    assert_eq!(quoted.event, EventName::Is("any".to_owned()));
}

#[test]
fn reads_comparisons_alone() {
    let text = "device = \"mobile\" and country in (\"HR\", 5)";
    assert_eq!(text.parse::<Comparisons>().unwrap().to_string(), text);
    assert!(" ".parse::<Comparisons>().unwrap().is_empty());
    assert!("device = \"mobile\" or".parse::<Comparisons>().is_err());
}

proptest! {
    #[test]
    fn what_is_shown_reads_back(rule in rule()) {
        let shown = rule.to_string();
        prop_assert_eq!(Rule::parse(&shown).unwrap(), rule);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        if let Err(error) = Rule::parse(&text) {
            prop_assert!(text.is_char_boundary(error.position.byte));
            prop_assert!(!error.expected.is_empty() && !error.to_string().is_empty());
        }
    }

    #[test]
    fn any_words_are_read_or_refused(words in prop::collection::vec(
        prop::sample::select(vec![
            "did", "not", "(", ")", "and", "or", "a", "any", "where", "path", "=", "\"x\"", "5", "in",
            "last", "days", "at", "least", "times", "\n", "properties.", "\\", "\"", "é", ",",
        ]), 0..20)) {
        let text = words.join(" ");
        match Rule::parse(&text) {
            Ok(rule) => prop_assert_eq!(Rule::parse(&rule.to_string()).unwrap(), rule),
            Err(error) => prop_assert!(error.position.byte <= text.len()),
        }
    }
}
