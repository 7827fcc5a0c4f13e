//! The marketer's page, in a real browser: narrow and wide, light and dark.

use std::path::{Path, PathBuf};

use example_shop::browser::{Browser, Scheme, Tab};
use example_shop::visitor::Device;
use footfall_tests::Stack;
use serde_json::json;

/// What visitors of the page do, in order; each next one does one step less.
const WAY: [&str; 4] = ["product_view", "add_to_cart", "checkout", "purchase"];
const VISITORS: u64 = 12;

/// Sends every visitor's page view and events; gives how many events that makes.
fn send(stack: &Stack) -> u64 {
    let now: u64 = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis().try_into().unwrap();
    let mut events = Vec::new();
    for visitor in 0..VISITORS {
        let id = format!("018f0000-0000-7000-8000-{visitor:012}");
        let done = WAY.len() - usize::try_from(visitor).unwrap() % WAY.len();
        let names = std::iter::once(None).chain(WAY.iter().take(done).map(Some));
        for (at, name) in (now - 60_000..).step_by(1000).zip(names) {
            let number = events.len();
            events.push(json!({
                "id": format!("018f0000-0000-7000-9000-{number:012}"),
                "type": if name.is_some() { "custom" } else { "page_view" },
                "name": name, "at": at, "visitor": id, "session": id,
                "url": format!("https://shop.example/p/{visitor}"),
                "title": "<script>alert(1)</script>", "categories": ["Shoes"],
            }));
        }
    }
    let body = json!({ "site": "shop", "sent_at": now, "events": events }).to_string();
    let user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let answer = ureq::post(format!("{}/v1/events", stack.collector))
        .header("user-agent", user_agent)
        .send(body)
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    assert!(answer.contains(&format!(r#""accepted":{}"#, events.len())), "{answer}");
    events.len() as u64
}

/// Where the pictures go, to be looked at.
fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_s_page_is_drawn_narrow_and_wide_light_and_dark() {
    let stack = Stack::up(&[]).unwrap();
    stack.site("shop", "https://shop.example").unwrap();
    stack.arrived("shop", send(&stack)).unwrap();
    let steps: String = WAY.iter().map(|step| format!("&step={step}")).collect();
    let url = format!("{}/sites/shop?from=30d{steps}", stack.dashboard);
    let browser = Browser::start().await.unwrap();
    for width in [390, 1440] {
        for scheme in [Scheme::Light, Scheme::Dark] {
            let device = Device { user_agent: "", width, height: 900, mobile: width < 600 };
            let tab = browser.visitor(&device, "en", None).await.unwrap();
            tab.prefer(scheme).await.unwrap();
            tab.come_to(&url, "").await.unwrap();
            is_drawn(&tab).await;
            let picture = tab.picture(width).await.unwrap();
            std::fs::write(pictures().join(format!("site-{width}-{scheme:?}.png")), picture)
                .unwrap();
            tab.close().await.unwrap();
        }
    }
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// Both charts, visitors over time and the funnel, have something painted on them.
const PAINTED: &str = "[...document.querySelectorAll('[data-chart]')].filter(chart => \
    [...chart.querySelectorAll('canvas')].some(canvas => canvas.getContext('2d')\
    .getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0))).length === 2";
const COUNTS: &str = "[...document.querySelectorAll('#funnel-table tbody tr')]\
    .map(row => row.cells[1].textContent.trim())";

async fn is_drawn(tab: &Tab) {
    tab.wait_until(PAINTED).await.unwrap();
    assert!(tab.holds("document.documentElement.scrollWidth <= window.innerWidth").await);
    // A stranger's title is text on the page, and nothing else.
    assert!(tab.holds("![...document.scripts].some(s => s.textContent.includes('alert'))").await);
    let counts = tab.evaluate(COUNTS).await.unwrap();
    assert_eq!(counts, json!(["12", "9", "6", "3"]));
}
