//! What the pages say, and that strangers' text stays text.

use crate::started::{Started, settings};
use crate::story::{HOSTILE, shop};

#[tokio::test]
async fn the_sites_are_listed_with_their_last_30_days() {
    let database = shop().await;
    let started = Started::over(&database).await;
    let page = started.get("/").await;
    assert_eq!(page.status, 200);
    let cards: Vec<_> = page.body.split("<li class=\"card site\">").skip(1).collect();
    let figures = |card: &str| -> Vec<String> {
        card.split("<dd>").skip(1).map(|dd| dd.split('<').next().unwrap().to_owned()).collect()
    };
    assert!(cards[0].contains("href=\"/sites/blog\""));
    assert_eq!(figures(cards[0]), ["0", "0", "0"]);
    assert!(cards[1].contains("https://shop.example"));
    assert_eq!(figures(cards[1]), ["4", "5", "5"]);
    started.stop().await;
}

#[tokio::test]
async fn a_page_says_all_in_tables_and_draws_the_funnel_asked_for() {
    let database = shop().await;
    let started = Started::over(&database).await;
    let page = started.get("/sites/shop?step=page_view&step=add_to_cart&step=purchase").await;
    assert_eq!(page.status, 200, "{}", page.body);
    for words in [
        "1 Jan 2026 – 31 Jan 2026",
        "<td class=\"number\" data-value=\"4\">4</td>",
        "/p/1",
        "Croatia",
        "Slovenia",
        "Unknown",
        "Shoes / Running",
        "data-chart=\"area\"",
        "data-chart=\"funnel\"",
        "Visitors, all steps within 30 days",
        "50.0%",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let table = page.body.split("id=\"funnel-table\"").nth(1).unwrap();
    let counts: Vec<_> = table.split("data-value=\"").skip(1).take(6).collect();
    let counts: Vec<_> = counts.iter().map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(counts, ["4", "0", "2", "2", "1", "1"]);
    started.stop().await;
}

#[tokio::test]
async fn without_steps_the_sites_own_events_are_suggested() {
    let database = shop().await;
    let started = Started::over(&database).await;
    let page = started.get("/sites/shop?from=all").await.body;
    assert!(!page.contains("data-chart=\"funnel\""));
    assert!(page.contains("href=\"/sites/shop?from=all&#38;step=add_to_cart#funnel\""), "{page}");
    assert!(page.contains("step=checkout%2Fshipping#funnel\""), "{page}");
    started.stop().await;
}

#[tokio::test]
async fn a_step_that_does_not_parse_is_told_beside_the_form_that_keeps_it() {
    let database = shop().await;
    let started = Started::over(&database).await;
    let page = started.get("/sites/shop?step=page_view&step=add+wher+x").await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("role=\"alert\""));
    assert!(page.body.contains("column 5"), "{}", page.body);
    assert!(page.body.contains("value=\"add wher x\""));
    assert!(page.body.contains("Croatia"), "the rest of the page is there");
    started.stop().await;
}

#[tokio::test]
async fn a_site_without_any_event_shows_the_tag_to_paste() {
    let database = shop().await;
    let settings = settings().collector_at("http", "127.0.0.1:4999".parse().unwrap());
    let started = Started::with(settings, database.server().clone()).await;
    let page = started.get("/sites/blog").await.body;
    let tag =
        "&#60;script async src=&#34;http://127.0.0.1:4999/s/blog.js&#34;&#62;&#60;/script&#62;";
    assert!(page.contains(tag), "{page}");
    // A quiet range of a site that has events is not told to paste again.
    let quiet = started.get("/sites/shop?from=2020-01-01&to=2020-01-02").await;
    assert_eq!(quiet.status, 200);
    assert!(!quiet.body.contains("Paste this tag"), "{}", quiet.body);
    started.stop().await;
}

#[tokio::test]
async fn what_strangers_send_stays_text() {
    let database = shop().await;
    let started = Started::over(&database).await;
    let asked =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let step = asked(&format!("page_view where path = \"{}\"", HOSTILE.replace('"', "\\\"")));
    for path in [
        "/sites/shop".to_owned(),
        format!("/sites/shop?step={step}"),
        format!("/sites/shop?step={}", asked(HOSTILE)),
        format!("/sites/shop?window={}&step=a", asked(HOSTILE)),
        format!("/sites/shop?from={}", asked(HOSTILE)),
        format!("/sites/shop?{}=1", asked(HOSTILE)),
        format!("/sites/{}", asked(HOSTILE)),
    ] {
        let page = started.get(&path).await.body;
        assert!(!page.contains("<script>"), "{path}: {page}");
        assert!(!page.contains("alert(\"x\")"), "{path}: {page}");
        assert!(!page.contains("</table>'") && !page.contains("&{"), "{path}: {page}");
    }
    let page = started.get("/sites/shop").await.body;
    let times = page.matches("&#60;script&#62;alert(").count();
    assert!(
        times >= 4,
        "path, title, event and category are shown, escaped: {times} times: {page}"
    );
    started.stop().await;
}
