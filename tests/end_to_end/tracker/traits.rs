//! What is known of a person, on its way through the part that hashes it.

use example_shop::browser::{Browser, Tab};
use footfall_tests::Stack;
use serde_json::json;

use super::site::{DEVICE, EARLY, Site, idle, is_stored, ready, run, stored};

/// What the tracker says in debug mode, and what it sends.
const HEARD: &str = "<script>window.said = []; window.sent = [];
    console.log = (...what) => said.push(what.join(' ')); const fetched = fetch;
    window.fetch = (url, request) => (sent.push(request.body), fetched(url, request));</script>";

async fn hashed(tab: &Tab, site: &str) {
    let done = format!(
        "performance.getEntriesByType('resource').some((entry) => /traits/.test(entry.name)) \
         && !localStorage['footfall.{site}.traits'] && footfall.idle()"
    );
    tab.wait_until(&done).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sits_down_next_is_not_taken_for_the_person_before() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("next", &site.origin).unwrap();
    let url = site.serve(String::new(), [EARLY, HEARD, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    // What is nothing has no hash, and a name that no platform takes does not go at all.
    let traits = "{ email: 'ada@shop.example', first_name: null, name: 'Ada Lovelace' }";
    run(&tab, &format!("footfall('identify', 'customer-6', {traits})")).await;
    hashed(&tab, "next").await;
    run(
        &tab,
        "footfall('identify', 'customer-7', { email: 'bob@shop.example' }); footfall('reset')",
    )
    .await;
    hashed(&tab, "next").await;
    run(&tab, "footfall('after')").await;
    idle(&tab).await;
    assert!(tab.holds("localStorage['footfall.next.user'] === undefined").await);
    assert!(tab.holds("sent.length > 0 && !/Lovelace|shop.example\"/.test(sent.join())").await);
    assert!(tab.holds("errors.length === 0").await);
    tab.close().await.unwrap();
    let events = ["page_view", "early", "identify", "identify", "identify", "after"];
    stored(&stack, "next", &events);
    is_stored(&stack, "next", "anyIf(user_id, name = 'after') = ''").unwrap();
    // Who they are goes in behind what they did.
    stack.drained().unwrap();
    let question =
        "SELECT DISTINCT kind FROM footfall.identifiers FINAL WHERE site = 'next' ORDER BY kind";
    let kinds = [json!({"kind": "email_google"}), json!({"kind": "email_meta"})];
    assert_eq!(stack.rows(question).unwrap(), kinds);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_hashed_is_hashed_on_the_next_page() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("again", &site.origin).unwrap();
    let tag = tag.replace("<script ", "<script data-debug ");
    let url = site.serve(String::new(), [EARLY, HEARD, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    let without = |urls: &[&str]| json!({ "urls": urls });
    tab.devtools("Network.enable", json!({})).await.unwrap();
    tab.devtools("Network.setBlockedURLs", without(&["*.traits.js"])).await.unwrap();
    run(&tab, "footfall('identify', 'customer-7', { email: 'ada@shop.example' })").await;
    tab.wait_until("said.some((text) => /without traits/.test(text)) && footfall.idle()")
        .await
        .unwrap();
    tab.devtools("Network.setBlockedURLs", without(&[])).await.unwrap();
    tab.come_to(&format!("{url}/next"), "").await.unwrap();
    ready(&tab).await;
    hashed(&tab, "again").await;
    assert!(tab.holds("errors.length === 0").await);
    tab.close().await.unwrap();
    let page = ["page_view", "early", "identify"];
    stored(&stack, "again", &[page, page].concat());
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// By whatever name a form has it, and of a group too, whose name alone is nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn no_address_and_no_number_leaves_the_page_as_it_is() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("names", &site.origin).unwrap();
    let tag = tag.replace("<script ", "<script data-raw-traits=false ");
    let url = site.serve(String::new(), [EARLY, HEARD, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    run(
        &tab,
        "footfall('group', 'guild', { name: 'Guild', plan: 'gold', email: 'ada@shop.example',
            phone: '+385 91 234 5678', owner: { name: 'Ada Lovelace' } });
        footfall('identify', 'customer-7', { email_address: 'ada@shop.example', mobile: '+385 91 234 5678',
            email2: 'ada@shop.example', user_email: 'ada@shop.example', 'e-mail': 'ada@shop.example',
            telephone: '+385 91 234 5678', email_sha256: 'hashed-before' })",
    )
    .await;
    hashed(&tab, "names").await;
    let personal = "sent.join().match(/shop.example\"|91 234 5678|912345678|Lovelace/)";
    assert_eq!(tab.evaluate(personal).await.unwrap(), json!(null));
    assert!(tab.holds("/hashed-before/.test(sent.join())").await);
    assert!(tab.holds("/\"name\":\"Guild\",\"plan\":\"gold\"/.test(sent.join())").await);
    tab.close().await.unwrap();
    stored(&stack, "names", &["page_view", "early", "group", "identify", "identify"]);
    // By their own names they would be hashed; by others they do not go at all.
    stack.drained().unwrap();
    let known = "SELECT count() AS known FROM footfall.identifiers FINAL WHERE site = 'names'";
    assert_eq!(stack.rows(known).unwrap()[0]["known"], 0);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}
