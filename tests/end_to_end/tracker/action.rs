//! What visitors do, without a line of the site's own code: they look, scroll, click, send forms; and what
//! a shop says by name.

use std::time::Duration;

use anyhow::ensure;
use example_shop::browser::Browser;
use footfall_tests::{Stack, eventually};
use serde_json::{Value, json};

use super::site::{DEVICE, EARLY, Site, idle, is_stored, ready, run, stands, stored};

/// Rows of a question, each a list.
fn asked(stack: &Stack, question: &str) -> anyhow::Result<Vec<Value>> {
    let question = format!("{question} FORMAT JSONCompactEachRow");
    let answer = ureq::post(&stack.clickhouse).send(&question)?.into_body().read_to_string()?;
    Ok(answer.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

fn eventually_asked(stack: &Stack, question: &str, expected: &Value) {
    eventually(Duration::from_secs(60), || {
        let rows = Value::from(asked(stack, question)?);
        ensure!(rows == *expected, "{rows} and not {expected}");
        Ok(())
    })
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_and_declared_elements_are_told() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("clicks", &site.origin).unwrap();
    let page = "<base target=elsewhere>\
        <a id=out href='https://other.example/way?token=secret#part'><b>out</b></a>\
        <a id=file href='/files/Price%20list.PDF?x=1'>file</a>\
        <a id=mail href='mailto:ada@shop.example'>mail</a><a id=phone href='tel:+385911'>phone</a>\
        <a id=inner href='/inner' target=_self onclick='event.preventDefault()'>inner</a>\
        <button id=buy data-footfall-event=add_to_cart data-footfall-sku=mug-01 data-footfall-price=18.50 \
          data-footfall-in-stock=true><i id=icon>+</i></button>\
        <form id=form data-footfall-step='checkout/shipping' data-footfall-way=post onsubmit='return false'>\
          <input name=city><button id=send>send</button></form>";
    let url = site.serve(String::new(), [EARLY, &tag, page].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    // The links must not lead away from the page that is looked at.
    run(
        &tab,
        "addEventListener('click', (event) => event.target.closest('a') && event.preventDefault())",
    )
    .await;
    for element in ["#out b", "#file", "#mail", "#phone", "#inner", "#icon", "#form input", "#send"]
    {
        tab.click(element).await.unwrap();
    }
    idle(&tab).await;
    assert!(tab.holds("errors.length === 0").await);
    tab.close().await.unwrap();
    let question = "SELECT kind, name, properties['url'], properties['sku'], properties['price'],
            properties['in_stock'], properties['way'], arraySort(mapKeys(properties))
        FROM footfall.events FINAL WHERE site = 'clicks' AND kind IN ('custom', 'step') AND name != 'early'
        ORDER BY occurred_at, event_id";
    let other = "https://other.example/way";
    let file = format!("{url}/files/Price%20list.PDF");
    let expected = json!([
        ["custom", "outbound_link", other, "", "", "", "", ["url"]],
        ["custom", "file_download", file, "", "", "", "", ["url"]],
        ["custom", "mail_link", "", "", "", "", "", []],
        ["custom", "phone_link", "", "", "", "", "", []],
        ["custom", "add_to_cart", "", "mug-01", "18.5", "true", "", ["in_stock", "price", "sku"]],
        ["step", "checkout/shipping", "", "", "", "", "post", ["way"]],
    ]);
    eventually_asked(&stack, question, &expected);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn engagement_is_the_time_somebody_looked_and_how_far_they_scrolled() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("looked", &site.origin).unwrap();
    // Ten windows high.
    let tall = format!("<style>body {{ height: {}px; margin: 0 }}</style>", DEVICE.height * 10);
    let url = site.serve(String::new(), [EARLY, &tag, &tall].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    // To the middle and back at once: six windows of ten have been seen.
    let walk = "window.began = performance.now(); window.walked = false;
        const at = (top) => new Promise((there) => {
            addEventListener('scroll', there, { once: true }); scrollTo(0, top); });
        at(1).then(() => at(innerHeight * 5)).then(() => at(0)).then(() => { walked = true; })";
    run(&tab, walk).await;
    tab.wait_until("walked && performance.now() - began > 1500").await.unwrap();
    run(&tab, "history.pushState({}, '', '/second')").await;
    stands(&tab, 1500).await;
    let looked = tab.evaluate("performance.now()").await.unwrap().as_f64().unwrap();
    tab.come_to("about:blank", "").await.unwrap();
    tab.close().await.unwrap();
    let question = "SELECT path, sum(toUInt32(properties['engaged_ms'])), max(toUInt8(properties['scroll_percent']))
        FROM (
            SELECT site, kind, path, properties FROM footfall.events FINAL UNION ALL
            SELECT site, kind, path, properties FROM footfall.bot_events FINAL
        )
        WHERE site = 'looked' AND kind = 'engagement' GROUP BY path ORDER BY path";
    let mut rows = Vec::new();
    eventually(Duration::from_secs(60), || {
        rows = asked(&stack, question)?;
        ensure!(rows.len() == 2, "{rows:?}");
        Ok(())
    })
    .unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row[0].as_str().unwrap(), &row[2])).collect();
    assert!(matches!(told[..], [("/", _), ("/second", _)]), "{rows:?}");
    assert!((54..=60).contains(&rows[0][2].as_u64().unwrap()), "{rows:?}");
    let millis = |row: &Value| row[1].as_u64().unwrap();
    let sum: u64 = rows.iter().map(millis).sum();
    assert!(millis(&rows[0]) > 1000 && millis(&rows[1]) > 1000, "{rows:?}");
    assert!(sum as f64 <= looked + 1000.0, "{rows:?} of {looked} ms");
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_says_what_was_bought_and_who_bought_it() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("bought", &site.origin).unwrap();
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    let calls = "footfall('product_viewed', { product_id: 'mug-01', price: 18, currency: 'EUR' });
        footfall('order_completed', { order_id: '1001', total: 41.5, currency: 'EUR', products: [
            { product_id: 'mug-01', price: 18, quantity: 2 }, { product_id: 'tea-02', price: 5.5 } ] });
        footfall('identify', 'customer-7'); footfall('group', 'guild', { plan: 'gold' });
        footfall('alias', 'customer-8'); footfall('step', 'incomplete'); footfall('group');
        footfall('reset'); footfall('after')";
    run(&tab, calls).await;
    idle(&tab).await;
    tab.close().await.unwrap();
    let question = "SELECT name, user_id, properties['order_id'], properties['group_id'], properties['previous_id'],
            toFloat64(value), currency, JSONLength(properties['products'])
        FROM footfall.events FINAL WHERE site = 'bought' AND kind != 'engagement' AND name != 'early'
        ORDER BY name";
    let expected = json!([
        ["after", "", "", "", "", 0, "", 0],
        ["alias", "customer-8", "", "", "customer-7", 0, "", 0],
        ["group", "customer-7", "", "guild", "", 0, "", 0],
        ["identify", "customer-7", "", "", "", 0, "", 0],
        ["order_completed", "", "1001", "", "", 41.5, "EUR", 2],
        ["page_view", "", "", "", "", 0, "", 0],
        ["product_viewed", "", "", "", "", 0, "", 0],
    ]);
    eventually_asked(&stack, question, &expected);
    let visitors = "SELECT uniqExact(visitor_id), uniqExact(session_id) FROM footfall.events FINAL
        WHERE site = 'bought' AND kind != 'engagement'";
    eventually_asked(&stack, visitors, &json!([[2, 2]]));
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_are_names_drawings_and_components_are_told_and_harm_nobody() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("odd", &site.origin).unwrap();
    let page = "<button id=numbers data-footfall-event=picked data-footfall-sku=00123 \
          data-footfall-ean=1234567890123456>picked</button>\
        <svg width=20 height=20><a id=drawn href='https://other.example/drawn?x=1'>\
          <rect id=part width=20 height=20 /></a></svg>\
        <shop-button id=component data-footfall-event=composed></shop-button>\
        <a href='https://other.example/around'><shop-button id=within></shop-button></a>\
        <a id=broken href='http://['>broken</a>\
        <script>customElements.define('shop-button', class extends HTMLElement { connectedCallback() {\
          this.attachShadow({ mode: 'open' }).innerHTML = '<button>in the shadow</button>'; } });\
          addEventListener('click', (event) => event.target.closest('a') && event.preventDefault())</script>";
    let url = site.serve(String::new(), [EARLY, &tag, page].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    let clicks = "const click = (element) => element.dispatchEvent(new MouseEvent('click',
            { bubbles: true, cancelable: true, composed: true }));
        for (const id of ['numbers', 'part', 'broken']) click(document.getElementById(id));
        for (const id of ['component', 'within'])
            click(document.getElementById(id).shadowRoot.querySelector('button'))";
    run(&tab, clicks).await;
    idle(&tab).await;
    assert!(tab.holds("errors.length === 0").await, "{:?}", tab.evaluate("errors").await);
    tab.close().await.unwrap();
    let question =
        "SELECT name, properties['url'], properties['sku'], properties['ean'] FROM footfall.events FINAL
        WHERE site = 'odd' AND kind = 'custom' AND name != 'early' ORDER BY name, properties['url']";
    let expected = json!([
        ["composed", "", "", ""],
        ["outbound_link", "https://other.example/around", "", ""],
        ["outbound_link", "https://other.example/drawn", "", ""],
        ["picked", "", "00123", "1234567890123456"],
    ]);
    eventually_asked(&stack, question, &expected);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// A slide show turns for a minute before nobody, by a clock that the page puts forward.
#[tokio::test(flavor = "multi_thread")]
async fn what_moves_by_itself_is_no_visitor() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("slides", &site.origin).unwrap();
    let page = "<div id=slides style='height: 100px; overflow: auto'><div style='height: 5000px'></div></div>\
        <script>window.later = 0; window.turned = 0; const now = Date.now; Date.now = () => now() + later;
          addEventListener('scroll', () => turned++, true);</script>";
    let url = site.serve(String::new(), [EARLY, page, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    for round in 1..=6 {
        run(&tab, "later += 10_000; document.querySelector('#slides').scrollTop += 50").await;
        tab.wait_until(&format!("turned >= {round}")).await.unwrap();
    }
    tab.come_to("about:blank", "").await.unwrap();
    tab.close().await.unwrap();
    let told = "countIf(kind = 'engagement') > 0";
    eventually(Duration::from_secs(60), || is_stored(&stack, "slides", told)).unwrap();
    let looked = "sum(toUInt32OrZero(properties['engaged_ms'])) <= 35000";
    is_stored(&stack, "slides", looked).unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_reset_takes_their_time_with_them() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("reset", &site.origin).unwrap();
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    stands(&tab, 1500).await;
    run(&tab, "footfall('reset'); history.pushState({}, '', '/next')").await;
    idle(&tab).await;
    tab.come_to("about:blank", "").await.unwrap();
    tab.close().await.unwrap();
    stored(&stack, "reset", &["page_view", "early", "page_view"]);
    let ids = "(uniqExact(visitor_id), uniqExact(session_id)) = (2, 2)";
    is_stored(&stack, "reset", ids).unwrap();
    let first = "anyIf(visitor_id, kind = 'engagement' AND path = '/')
        = anyIf(visitor_id, kind = 'page_view' AND path = '/')";
    is_stored(&stack, "reset", first).unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}
