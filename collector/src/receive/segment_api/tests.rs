//! The adapter by itself: what becomes of a message.

use std::net::IpAddr;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::enrich::Told;

const NOW: i64 = 1_800_000_000_000;
const UUID: &str = "5b2aeb8c-5026-4504-b40a-b1c0c423627f";

/// A head with nothing in it.
static NOTHING: LazyLock<Told<'static>> = LazyLock::new(Told::default);

fn from_server() -> Sender<'static> {
    Sender {
        ip: IpAddr::from([203, 0, 113, 9]),
        user_agent: "axios/1.7",
        origin: None,
        told: &NOTHING,
    }
}

/// The first event as JSON, with the visitor's address and user agent.
fn one_from(sender: Sender<'_>, call: Call, body: &Value) -> (Value, String, Option<String>) {
    let body = body.to_string();
    let told = request(call, &HeaderMap::new(), body.as_bytes(), sender, NOW).unwrap();
    let part = &told.parts[0];
    let Sent::Event(event) = &part.events[0] else { panic!("{:?}", part.events[0]) };
    let agent = part.user_agent.as_ref().map(|agent| agent.as_str().to_owned());
    (serde_json::to_value(event).unwrap(), part.ip.to_string(), agent)
}

fn one(call: &str, message: Value) -> Value {
    let mut body = json!({"writeKey": "shop", "messageId": UUID, "anonymousId": UUID});
    body.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    one_from(from_server(), Call::of(call).unwrap(), &body).0
}

#[test]
fn every_address_has_its_call() {
    for (paths, call) in [
        (["/v1/batch", "/v1/b", "/v1/batch/", "/v1/b/"], Call::Batch),
        (["/v1/track", "/v1/t", "/v1/track/", "/v1/t/"], Call::One("track")),
        (["/v1/identify", "/v1/i", "/v1/identify/", "/v1/i/"], Call::One("identify")),
        (["/v1/page", "/v1/p", "/v1/page/", "/v1/p/"], Call::One("page")),
        (["/v1/screen", "/v1/s", "/v1/screen/", "/v1/s/"], Call::One("screen")),
        (["/v1/group", "/v1/g", "/v1/group/", "/v1/g/"], Call::One("group")),
        (["/v1/alias", "/v1/a", "/v1/alias/", "/v1/a/"], Call::One("alias")),
    ] {
        assert_eq!(paths.map(Call::of), [Some(call); 4]);
    }
    assert_eq!(["/v1", "/v1/", "/v1/x", "/t", "/v1/t//"].map(Call::of), [None; 5]);
}

#[test]
fn each_kind_of_message_becomes_an_event() {
    let track =
        one("/v1/t", json!({"event": "Added", "properties": {"category": "Shoes", "price": 1.50}}));
    assert_eq!((&track["type"], &track["name"]), (&json!("custom"), &json!("Added")));
    assert_eq!(track["categories"], json!(["Shoes"]));
    assert_eq!(track["properties"], json!({"category": "Shoes", "price": 1.50}));

    let url = "https://shop.example/?token=1";
    let properties = json!({"url": url, "search": "?token=1", "path": "/", "size": 42});
    let page = one("/v1/p", json!({"name": "Home", "properties": properties}));
    assert_eq!((&page["type"], &page["url"]), (&json!("page_view"), &json!(url)));
    assert_eq!(page["title"], "Home");
    // The address is stored by its own rules, so nothing of it is left here.
    assert_eq!(page["properties"], json!({"name": "Home", "size": 42}));

    // What RudderStack's library in a page adds, by rudder-sdk-js: of the address all of its query too.
    let properties = json!({
        "url": "https://shop.example/", "tab_url": url, "path": "/", "search": "?token=1",
        "referrer": "https://a.example/?token=1", "referring_domain": "a.example",
        "initial_referrer": "https://a.example/?token=1", "initial_referring_domain": "a.example",
        "title": "Home", "size": 42,
    });
    let page = one("/v1/p", json!({"properties": properties}));
    assert_eq!((&page["title"], &page["properties"]), (&json!("Home"), &json!({"size": 42})));

    let bare = one("/v1/p", json!({"name": "Home"}));
    assert_eq!((&bare["type"], &bare["name"]), (&json!("custom"), &json!("page")));
    let screen = one("/v1/s", json!({"name": "Main"}));
    assert_eq!(
        (&screen["name"], &screen["properties"]["name"]),
        (&json!("screen"), &json!("Main"))
    );
    let group = one("/v1/g", json!({"groupId": "g1", "traits": {"email": "a@example.com"}}));
    assert_eq!(group["properties"], json!({"group_id": "g1"}));
    let alias = one("/v1/a", json!({"userId": "u1", "previousId": "anon1"}));
    assert_eq!((&alias["name"], &alias["user"]), (&json!("alias"), &json!("u1")));
    assert_eq!(alias["properties"], json!({"previous_id": "anon1"}));

    let traits =
        json!({"email": "a@example.com", "address": {"postalCode": "10000", "country": "HR"}});
    let identify = one("/v1/i", json!({"userId": 17, "traits": traits}));
    assert_eq!((&identify["type"], &identify["user"]), (&json!("identify"), &json!("17")));
    assert_eq!(identify["properties"]["postal_code"], "10000");
    assert_eq!(identify["properties"]["email"], "a@example.com");
    let traits = json!({"address": {"postalCode": null, "zip": "10000"}});
    let identify = one("/v1/i", json!({"traits": null, "context": {"traits": traits}}));
    assert_eq!(identify["properties"]["postal_code"], "10000");
}

#[test]
fn ids_are_uuids_and_the_same_for_every_try() {
    let ids = |message: Value| {
        let event = one("/v1/t", message);
        (event["id"].as_str().unwrap().to_owned(), event["visitor"].as_str().unwrap().to_owned())
    };
    let inside = ids(json!({"messageId": format!("node-next-1795313851172-{UUID}")}));
    assert_eq!(inside, (UUID.to_owned(), UUID.to_owned()));
    for own in [
        UUID.to_owned(),
        format!("ajs-next-1795313893340-{UUID}"),
        format!("node-a6d3c0c5a1d1b1c3b5a7b9d2e4f60718-{UUID}"),
    ] {
        assert_eq!(ids(json!({"messageId": own})).0, UUID, "{own}");
    }
    let made = ids(json!({"messageId": "m1", "anonymousId": "anon1"}));
    assert_eq!(made, ids(json!({"messageId": "m1", "anonymousId": "anon1"})));
    assert_ne!(made, ids(json!({"messageId": "m2", "anonymousId": "anon2"})));
    // Of the person where nothing tells the browser, and not of a browser of that name.
    let person = ids(json!({"anonymousId": null, "userId": "u1"})).1;
    assert_eq!(person, ids(json!({"anonymousId": null, "userId": "u1"})).1);
    assert_ne!(person, ids(json!({"anonymousId": "u1"})).1);
    // Without an id: by what it says where it has a time, else never the same.
    let timed = json!({"messageId": null, "timestamp": NOW});
    assert_eq!(ids(timed.clone()), ids(timed));
    assert_ne!(ids(json!({"messageId": null})), ids(json!({"messageId": null})));
}

#[test]
fn messages_whose_ids_have_the_same_uuid_behind_words_of_the_senders_are_two_events() {
    let id = |id: String| one("/v1/t", json!({"messageId": id}))["id"].clone();
    let order = id(format!("order-completed-{UUID}"));
    assert_eq!(order, id(format!("order-completed-{UUID}")), "the same for every try");
    for other in [
        format!("payment-{UUID}"),
        format!("7{UUID}"),
        format!("-{UUID}"),
        format!("node-next--{UUID}"),
        format!("node-next-17x-{UUID}"),
        format!("my-node-next-17-{UUID}"),
        format!("node-order-{UUID}"),
        UUID.to_owned(),
    ] {
        assert_ne!(id(other.clone()), order, "{other}");
        assert_eq!(id(other.clone()) == UUID, other == UUID, "{other}");
    }
}

#[test]
fn a_library_on_a_server_speaks_for_the_visitor_and_one_on_a_device_is_the_visitors() {
    let body = |library: &str| json!({"writeKey": "shop", "context": {"ip": "81.2.69.142", "userAgent": "Firefox", "library": {"name": library}}});
    let track = Call::One("track");
    let who = |sender, body: &Value| {
        let (_, ip, agent) = one_from(sender, track, body);
        (ip, agent)
    };
    let visitor = ("81.2.69.142".to_owned(), Some("Firefox".to_owned()));
    let connection = ("203.0.113.9".to_owned(), Some("axios/1.7".to_owned()));
    assert_eq!(who(from_server(), &body("@segment/analytics-node")), visitor);
    assert_eq!(who(from_server(), &body("analytics-python")), visitor);
    let mapped = body("x").to_string().replace("81.2", "::ffff:81.2");
    assert_eq!(who(from_server(), &serde_json::from_str(&mapped).unwrap()), visitor);
    assert_eq!(who(from_server(), &body("analytics.js")), connection);
    assert_eq!(who(from_server(), &body("RudderLabs JavaScript SDK")), connection);
    // As Segment's and RudderStack's name themselves.
    for library in [
        "analytics-ios",
        "analytics-android",
        "analytics-swift",
        "analytics-kotlin",
        "@segment/analytics-react-native",
        "analytics_flutter",
        "rudder-ios-library",
        "com.rudderstack.android.sdk.core",
        "rudder-unity-library",
        "RudderStack Cordova",
    ] {
        assert_eq!(who(from_server(), &body(library)), connection, "{library}");
    }
    for library in ["axios-wrapper", "community-python", "studios", "my-analytics.json"] {
        assert_eq!(who(from_server(), &body(library)), visitor, "{library}");
    }
    let in_page = Sender { origin: Some("https://shop.example"), ..from_server() };
    assert_eq!(who(in_page, &body("analytics-node")), connection);
    // Nothing is told of the visitor, and nothing of the server is taken for it.
    assert_eq!(who(from_server(), &json!({"writeKey": "shop"})), ("0.0.0.0".to_owned(), None));
}

#[test]
fn the_campaign_is_of_the_address_where_that_names_none() {
    let url = |url: &str| {
        let campaign = json!({"source": "news letter", "medium": "email", "name": "spring"});
        let context = json!({"page": {"url": url}, "campaign": campaign});
        one("/v1/t", json!({"event": "x", "context": context}))["url"].clone()
    };
    let query = "utm_source=news+letter&utm_medium=email&utm_campaign=spring";
    assert_eq!(url("https://a.example/x?q=1#top"), format!("https://a.example/x?q=1&{query}#top"));
    assert_eq!(url("https://a.example/"), format!("https://a.example/?{query}"));
    assert_eq!(url("https://a.example/?utm_source=b"), "https://a.example/?utm_source=b");
    let bare = json!({"event": "x", "context": {"campaign": {"source": "b"}}});
    assert_eq!(one("/v1/t", bare)["properties"], json!({"campaign": {"source": "b"}}));
}

#[test]
fn the_key_is_read_from_the_head_or_the_body() {
    let site = |authorization: Option<&str>, body: &str| {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        let told = request(Call::Batch, &headers, body.as_bytes(), from_server(), NOW);
        told.map(|told| told.site.as_str().to_owned())
    };
    let of = |name: &str| Ok(name.to_owned());
    // echo -n shop: | base64
    assert_eq!(site(Some("Basic c2hvcDo="), r#"{"batch":[],"writeKey":"other"}"#), of("shop"));
    assert_eq!(site(Some("Bearer x"), r#"{"batch":[],"writeKey":"other"}"#), of("other"));
    assert_eq!(site(None, r#"{"batch":[]}"#), Err(Rejection::KeyMissing));
    assert!(matches!(site(None, "{}"), Err(Rejection::BodyNotBatch { .. })));
    assert!(matches!(site(None, "{"), Err(Rejection::BodyNotJson { .. })));
    let many = format!(r#"{{"writeKey":"shop","batch":[{}1]}}"#, "1,".repeat(1000));
    assert!(matches!(site(None, &many), Err(Rejection::BatchTooLarge { .. })));
}

#[test]
fn a_message_of_a_wrong_shape_costs_only_itself_and_is_named() {
    let body = json!({"writeKey": "shop", "sentAt": NOW, "batch": [
        {"type": "track", "event": "x", "messageId": "m1"},
        7,
        {"type": "track", "event": "x", "messageId": "m2", "timestamp": "yesterday"},
        {"type": "page", "name": "x", "messageId": "m3", "properties": [1]},
    ]});
    let body = body.to_string();
    let told =
        request(Call::Batch, &HeaderMap::new(), body.as_bytes(), from_server(), NOW).unwrap();
    let mut events = told.parts.iter().flat_map(|part| &part.events);
    let Some(Sent::Event(first)) = events.next() else { panic!("the first is one") };
    assert_eq!((told.sent_at, first.at), (NOW.unsigned_abs(), NOW.unsigned_abs()));
    let fields: Vec<_> = events
        .filter_map(|sent| match sent {
            Sent::Malformed(dropped, _) => Some((dropped.id.as_str(), dropped.field.as_deref())),
            Sent::Event(_) => None,
        })
        .collect();
    assert_eq!(fields, [("", None), ("m2", Some("timestamp"))]);
    let dropped = Dropped { id: first.id.as_str().to_owned(), reason: String::new(), field: None };
    let mut answer = Answer { accepted: 3, dropped: vec![dropped] };
    told.put_into_its_words(&mut answer);
    let answer = serde_json::to_value(Success::of(&answer)).unwrap();
    assert_eq!((&answer["success"], &answer["accepted"]), (&json!(true), &json!(3)));
    assert_eq!(answer["dropped"][0]["id"], "m1", "by the sender's own id");
}
