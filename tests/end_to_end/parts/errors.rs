//! Mistakes of scripts: counted, grouped, and without what a visitor may have typed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::site::{Site, closed, come, leave, opened, properties, run, stored, tag, visitor};

/// How often each group's mistake was told in all, by its message.
fn counts(told: &[Value]) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for told in told {
        let count: u32 = told["count"].as_str().unwrap().parse().unwrap();
        let message = told["message"].as_str().unwrap_or_else(|| told["group"].as_str().unwrap());
        *counts.entry(message.to_owned()).or_default() += count;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_of_scripts_are_counted_and_grouped_without_what_was_typed() {
    let (stack, browser) = opened().await;
    let site = Site::bind().await;
    let tag = tag(&stack, "errors", &[&site.origin], "data-with=errors");
    let page = include_str!("errors.html").replace("ELSEWHERE", &site.other_origin());
    let pages = [
        ("/", page.as_str()),
        ("/shop.js", include_str!("errors.js")),
        ("/other.js", "addEventListener('click', () => { throw new Error('theirs'); })"),
    ];
    let url = site.serve(&pages, &tag, "", None);
    let tab = visitor(&browser).await;
    come(&tab, &url, &["errors"]).await;
    run(
        &tab,
        "for (const order of [1, 22, 333]) soon(() => fails(`order ${order} of \"Ada Lovelace\" <ada@x.example> at \
            https://x.example/pay?token=s3cret failed, +385 91 123 4567`)); \
         for (const name of ['price', 'price']) soon(() => rejects(`cannot read '${name}'`)); \
         soon(() => reads('Lovelace')); \
         soon(() => refuses({ secret: 's3cret' })); \
         soon(() => dispatchEvent(new Event('click')))",
    )
    .await;
    tab.wait_until("wrong.length === 8").await.unwrap();
    leave(&tab).await;
    let told = properties(
        &stored(
            &stack,
            "errors",
            &["page_view", "error", "error", "error", "error", "error", "error", "error"],
        ),
        "error",
    );
    let masked =
        "Uncaught Error: order 1 of \"…\" <[email]> at https://x.example/pay failed, [number]";
    let expected = [
        (masked, 3),
        ("Script error.", 1),
        ("SyntaxError: Unexpected token \"…\", \"…\" is not valid JSON", 1),
        ("TypeError: cannot read 'price'", 2),
        ("object", 1),
    ];
    let expected = expected.map(|(message, count)| (message.to_owned(), count));
    assert_eq!(counts(&told), BTreeMap::from(expected), "{told:?}");
    let one = |message: &str| told.iter().find(|told| told["message"] == message).unwrap();
    let ours = one(masked);
    assert_eq!(ours["source"], format!("{url}/shop.js"));
    assert_eq!((&ours["line"], &ours["kind"]), (&"1".into(), &"error".into()));
    assert!(ours["column"].as_str().is_some_and(|column| column.parse::<u32>().is_ok()), "{ours}");
    let rejected = one("TypeError: cannot read 'price'");
    assert_eq!((&rejected["source"], &rejected["kind"]), (&ours["source"], &"rejection".into()));
    assert_eq!(rejected["line"], "2");
    assert_eq!(one("Script error.").get("source"), None);

    come(&tab, &url, &["errors"]).await;
    run(&tab, "for (const name of 'abcdefghijkl') for (const _ of 'xx') soon(() => fails(`kind ${name}`))").await;
    tab.wait_until("wrong.length === 24").await.unwrap();
    leave(&tab).await;
    // Seven of before; ten groups and the others, at once and at the end.
    let mut expected = vec!["page_view"; 2];
    expected.extend(["error"; 7 + 11 + 11]);
    let told = properties(&stored(&stack, "errors", &expected), "error");
    let counts = counts(&told);
    assert_eq!((counts["Uncaught Error: kind a"], counts["other"]), (2, 4), "{counts:?}");
    assert_eq!(counts.get("Uncaught Error: kind l"), None);
    tab.close().await.unwrap();
    closed(stack, browser).await;
}
