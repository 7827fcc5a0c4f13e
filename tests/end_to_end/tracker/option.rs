//! What a tag says by its attributes, and what is told of the browser that reads it.

use example_shop::browser::Browser;
use footfall_tests::Stack;

use super::site::{DEVICE, EARLY, Site, idle, is_stored, ready, run, stored};

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_says_which_address_and_files_count_and_when_a_day_ends() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("said", &site.origin).unwrap();
    // A clock that the page puts forward; the site's day ends ten minutes from now, by UTC.
    let head = "<link rel=canonical href='/mug'><script>window.later = 0; const now = Date.now;
        Date.now = () => now() + later;
        addEventListener('click', (event) => event.preventDefault());</script>
        <a id=book href='/list.epub'>book</a><a id=model href='/mug.obj'>model</a>";
    let end = "((Math.floor(now() / 60000) + 10) % 1440)";
    let tagged = format!(
        "<script>const script = document.createElement('script'); script.src = '{}';
         Object.assign(script.dataset, {{ canonical: '', downloads: 'obj', midnight: {end} }});
         document.head.append(script);</script>",
        tag.split('"').nth(1).unwrap()
    );
    let url = site.serve(String::new(), [EARLY, head, &tagged].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&format!("{url}/mug-blue"), "").await.unwrap();
    ready(&tab).await;
    tab.click("#book").await.unwrap();
    tab.click("#model").await.unwrap();
    run(&tab, "later = 5 * 60_000; footfall('before')").await;
    run(&tab, "later = 15 * 60_000; footfall('after')").await;
    idle(&tab).await;
    tab.close().await.unwrap();
    stored(&stack, "said", &["page_view", "early", "file_download", "before", "after"]);
    is_stored(&stack, "said", "min(path) = '/mug' AND max(path) = '/mug'").unwrap();
    is_stored(&stack, "said", "countIf(properties['url'] LIKE '%/mug.obj') = 1").unwrap();
    let days = "anyIf(session_id, name = 'before') = anyIf(session_id, name = 'early')
        AND anyIf(session_id, name = 'after') != anyIf(session_id, name = 'early')";
    is_stored(&stack, "said", days).unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_says_it_is_driven_is_kept_among_the_bots() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("driven", &site.origin).unwrap();
    let driven = "<script>Object.defineProperty(Navigator.prototype, 'webdriver',
        { get: () => true });</script>";
    let url = site.serve(String::new(), [EARLY, driven, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    idle(&tab).await;
    tab.close().await.unwrap();
    stored(&stack, "driven", &["page_view", "early"]);
    let bots = "SELECT DISTINCT bot_reason FROM footfall.bot_events FINAL WHERE site = 'driven'";
    assert_eq!(stack.rows(bots).unwrap(), [serde_json::json!({ "bot_reason": "webdriver" })]);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}
