//! Requests as a shop's visitors send them, made once and then only given new events' and visitors' ids.

use serde_json::{Value, json};
use uuid::Uuid;

/// Requests made, so that caches see the variety of a busy site and not one visitor.
const SINGLES: usize = 4_000;
const BATCHES: usize = 400;

const USER_AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
];
const REFERRERS: &[&str] = &[
    "",
    "https://www.google.com/",
    "https://shop.example/coffee",
    "https://shop.example/coffee/ethiopia-yirgacheffe",
    "https://l.facebook.com/l.php?u=https%3A%2F%2Fshop.example%2F",
    "https://blog.example/the-best-beans-of-the-year",
];
const CAMPAIGNS: &[&str] = &[
    "",
    "",
    "",
    "?utm_source=newsletter&utm_medium=email&utm_campaign=spring%20sale&utm_content=hero",
    "?gclid=Cj0KCQjwzsO2BhCXARIsAAZ_Example&utm_source=google&utm_medium=cpc",
    "?page=2&sort=price",
];
const PAGES: &[(&str, &str, &[&str])] = &[
    ("/", "Shop: coffee, tea and what you need for it", &[]),
    ("/coffee", "Coffee beans from small farms", &["Coffee"]),
    (
        "/coffee/ethiopia-yirgacheffe",
        "Ethiopia Yirgacheffe, washed, 250 g",
        &["Coffee", "Coffee/Single origin"],
    ),
    ("/tea/sencha", "Sencha, first harvest, 100 g", &["Tea", "Tea/Green"]),
    ("/tableware/cups", "Cups and saucers", &["Tableware"]),
    ("/checkout", "Checkout", &[]),
];

/// Requests in turn.
pub(crate) struct Visits {
    requests: Vec<Request>,
    next: usize,
    /// Makes event ids unique: between runs, and within this one.
    run: u64,
    events: u64,
}

/// Events of a visitor, about: more, and it would be a bot by its pace.
const EVENTS_PER_VISITOR: u64 = 8;

/// A whole HTTP request, and where its events' ids and their visitors' stand.
struct Request {
    bytes: Vec<u8>,
    ids: Vec<usize>,
    visitors: Vec<usize>,
}

impl Visits {
    /// Requests of so many events each, made at this time (milliseconds since 1970).
    pub(crate) fn new(site: &str, events_per_request: usize, now: u64) -> Self {
        let count = if events_per_request == 1 { SINGLES } else { BATCHES };
        let requests = (0..count).map(|visit| request(site, visit, events_per_request, now));
        Self { requests: requests.collect(), next: 0, run: now, events: 0 }
    }

    /// The next request, its events new.
    pub(crate) fn next(&mut self) -> &[u8] {
        let at = self.next % self.requests.len();
        self.next += 1;
        let request = &mut self.requests[at];
        let run = self.run << 16 | 0x7000;
        for id in &request.ids {
            self.events += 1;
            put(&mut request.bytes, *id, Uuid::from_u64_pair(run, 1 << 63 | self.events));
        }
        let visitor = Uuid::from_u64_pair(run, (3 << 62) | (self.events / EVENTS_PER_VISITOR));
        request.visitors.iter().for_each(|place| put(&mut request.bytes, *place, visitor));
        &request.bytes
    }
}

fn put(bytes: &mut [u8], at: usize, id: Uuid) {
    id.hyphenated().encode_lower(&mut bytes[at..at + 36]);
}

fn request(site: &str, visit: usize, events: usize, now: u64) -> Request {
    let visitor = Uuid::from_u64_pair(0x018f_4d5e_0000_7000, 0x8000_0000_0000_0000 + visit as u64);
    let events: Vec<Value> =
        (0..events).map(|n| event(visit * 7 + n, visitor, now - 60_000 + n as u64)).collect();
    let body = json!({
        "site": site, "sent_at": now,
        "context": {"language": "hr-HR", "screen_width": 1440, "timezone_offset": -120},
        "events": events,
    });
    let body = body.to_string();
    let address = address(visit as u32);
    let agent = pick(USER_AGENTS, visit);
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: collect.shop.example\r\nContent-Length: {}\r\n\
         User-Agent: {agent}\r\nContent-Type: text/plain;charset=UTF-8\r\nAccept: */*\r\n\
         Origin: https://shop.example\r\nReferer: https://shop.example/\r\n\
         Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: hr-HR,hr;q=0.9,en;q=0.8\r\n\
         X-Forwarded-For: {address}\r\n\r\n",
        body.len()
    );
    let places = |marker: &[u8]| {
        let found = memchr::memmem::find_iter(body.as_bytes(), marker);
        found.map(|at| head.len() + at + marker.len()).collect()
    };
    let (ids, visitors) = (places(br#""id":""#), places(br#""visitor":""#));
    Request { bytes: [head.into_bytes(), body.into_bytes()].concat(), ids, visitors }
}

fn event(n: usize, visitor: Uuid, at: u64) -> Value {
    let (path, title, categories) = PAGES[n % PAGES.len()];
    let mut event = json!({
        "id": Uuid::nil(), "type": "page_view", "at": at, "visitor": visitor,
        "session": Uuid::from_u64_pair(visitor.as_u64_pair().0, !visitor.as_u64_pair().1),
        "consent": {"analytics": "granted", "personalization": "granted", "ads": "denied"},
        "url": format!("https://shop.example{path}{}", pick(CAMPAIGNS, n / 3)),
        "title": title,
    });
    if !categories.is_empty() {
        event["categories"] = json!(categories);
    }
    if let referrer @ [_, ..] = pick(REFERRERS, n / 2).as_bytes() {
        event["referrer"] = json!(String::from_utf8_lossy(referrer));
    }
    match n % 8 {
        3 => {
            event["type"] = json!("custom");
            event["name"] = json!("add_to_cart");
            event["properties"] = json!({"product": "ethiopia-yirgacheffe", "price": 12.5, "quantity": 2, "currency": "EUR"});
        }
        6 => {
            event["type"] = json!("step");
            event["funnel"] = json!("checkout");
            event["step"] = json!("shipping");
        }
        _ => {}
    }
    event
}

fn pick<'a>(texts: &[&'a str], n: usize) -> &'a str {
    texts[n % texts.len()]
}

/// Addresses all over the world, the same in every run.
fn address(n: u32) -> std::net::Ipv4Addr {
    let mixed = n.wrapping_add(1).wrapping_mul(0x9e37_79b9);
    // 1.0.0.0 to 223.255.255.255
    std::net::Ipv4Addr::from((mixed % 0xdf00_0000) | 0x0100_0000)
}
