//! `GET /v1/pixel.gif`: an event in an address.

use serde_json::{Value, json};

use crate::http::send;
use crate::stack::{Stack, VISITOR, alone};

#[tokio::test]
async fn a_picture_is_answered_and_its_event_stored() {
    let stack = Stack::up(&[]).await;
    let path = format!(
        "/v1/pixel.gif?site=shop&visitor={VISITOR}&url=https://shop.example/a%3Futm_source%3Dnews%26token%3D1&title=A"
    );
    let answer = stack.collector.get(&path).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/gif")));
    assert_eq!((answer.body.len(), &answer.body[..6]), (43, &b"GIF89a"[..]));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-footfall-dropped"), None);
    let custom = format!(
        "/v1/pixel.gif?site=shop&type=custom&name=opened&visitor={VISITOR}&p.mail=spring&id=018f4d5e-0000-7000-8000-000000000001"
    );
    for _ in 0..2 {
        let shown = [("Referer", "https://shop.example/mail?id=7")];
        let answer = send(stack.collector.address, "GET", &custom, &shown, b"").await;
        assert_eq!(answer.status, 200);
    }
    let question =
        "SELECT name, path, query, title, visitor_id, properties FROM events FINAL ORDER BY name";
    let rows: Vec<Value> = stack.stored(question).await;
    let row = |name: &str, path: &str, query: &str, title: &str, properties: Value| json!({"name": name, "path": path, "query": query, "title": title, "visitor_id": VISITOR, "properties": properties});
    let expected = [
        row("opened", "/mail", "", "", json!({"mail": "spring"})),
        row("page_view", "/a", "utm_source=news", "A", json!({})),
    ];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn why_an_event_is_left_out_or_a_picture_refused_is_told() {
    let (collector, _dir) = alone(&[]).await;
    let dropped = async |query: &str| {
        let answer = collector.get(&format!("/v1/pixel.gif?site=shop&{query}")).await;
        assert_eq!((answer.status, answer.body.len()), (200, 43), "{query}");
        answer.header("x-footfall-dropped").map(str::to_owned)
    };
    let page = "url=https://shop.example/";
    assert_eq!(dropped(page).await.as_deref(), Some("visitor_missing"));
    assert_eq!(dropped(&format!("visitor={VISITOR}")).await.as_deref(), Some("url_missing"));
    let identify = format!("visitor={VISITOR}&type=identify&user=ana");
    assert_eq!(dropped(&identify).await.as_deref(), Some("type_unknown"));
    assert_eq!(dropped(&format!("visitor={VISITOR}&{page}")).await, None);

    let get = async |path: &str, headers: &[(&str, &str)]| {
        let answer = send(collector.address, "GET", path, headers, b"").await;
        (answer.status, answer.json()["error"]["tag"].as_str().unwrap().to_owned())
    };
    let unknown = (403, "site_unknown".to_owned());
    assert_eq!(get("/v1/pixel.gif?site=nobody", &[]).await, unknown);
    assert_eq!(get("/v1/pixel.gif", &[]).await, unknown);
    let foreign = (403, "origin_not_allowed".to_owned());
    let path = "/v1/pixel.gif?site=shop";
    assert_eq!(get(path, &[("Referer", "https://evil.example/")]).await, foreign);
    assert_eq!(get(path, &[("Origin", "https://evil.example")]).await, foreign);
    let answer = send(collector.address, "POST", path, &[], b"").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET")));
}
