//! One case for every reason to leave one event out; the others of its batch are taken.

use std::time::{Duration, Instant};

use collector::DropReason;
use collector::link::{Link, LinkKey, Target};
use serde_json::{Value, json};

use crate::http::send;
use crate::stack::{
    Collector, NOW, PATIENCE, Stack, alone, batch, count, eventually, page_view, with,
};

/// An event that is left out for the reason.
fn event(reason: DropReason) -> Value {
    let view = |fields: Value| with(page_view(7), &fields);
    let day = 24 * 60 * 60 * 1000;
    match reason {
        DropReason::EventMalformed => view(json!({"at": "yesterday"})),
        DropReason::IdNotUuid => view(json!({"id": "7"})),
        DropReason::TypeUnknown => view(json!({"type": "teleport"})),
        DropReason::AtTooOld => view(json!({"at": NOW - 31 * day})),
        DropReason::AtInFuture => view(json!({"at": NOW + day})),
        DropReason::VisitorMissing => view(json!({"visitor": null})),
        DropReason::VisitorNotUuid => view(json!({"visitor": "ada"})),
        DropReason::SessionNotUuid => view(json!({"session": "s1"})),
        DropReason::UserMissing => view(json!({"type": "identify"})),
        DropReason::UserTooLong => view(json!({"user": "u".repeat(257)})),
        DropReason::UrlMissing => view(json!({"url": null})),
        DropReason::UrlInvalid => view(json!({"url": "file:///etc/passwd"})),
        DropReason::HostNotAllowed => view(json!({"url": "https://evil.example/"})),
        DropReason::NameMissing => view(json!({"type": "custom", "name": "  "})),
        DropReason::FunnelMissing => view(json!({"type": "step", "step": "shipping"})),
        DropReason::StepMissing => view(json!({"type": "step", "funnel": "checkout"})),
        DropReason::PropertiesNotObject => view(json!({"properties": [1]})),
        DropReason::ExcludedHost => view(json!({"url": "https://staging.shop.example/"})),
        DropReason::ExcludedPath => view(json!({"url": "https://shop.example/admin/x"})),
        DropReason::ExcludedReferrer => view(json!({"referrer": "https://www.Spam.example/x"})),
        DropReason::ReferrerSpam => {
            view(json!({"referrer": "http://semalt.semalt.com/crawler.php?u=x"}))
        }
        // Of the whole request, or of a person: tests of their own below.
        DropReason::PersonSuppressed
        | DropReason::ExcludedNetwork
        | DropReason::ExcludedCountry
        | DropReason::ExcludedUserAgent => view(json!({})),
    }
}

/// The reasons that lie in one event alone.
fn of_one_event() -> impl Iterator<Item = DropReason> {
    DropReason::ALL.into_iter().filter(|reason| event(*reason) != page_view(7))
}

#[tokio::test]
async fn each_reason_leaves_out_its_event_and_no_other() {
    let (collector, _dir) = alone(&[]).await;
    for reason in of_one_event() {
        let answer = collector.post(&batch(&[page_view(1), event(reason), page_view(2)])).await;
        let field = if reason == DropReason::EventMalformed { "at" } else { reason.field() };
        let id = event(reason)["id"].clone();
        let expected =
            json!({"accepted": 2, "dropped": [{"id": id, "reason": reason.tag(), "field": field}]});
        assert_eq!((answer.status, answer.json()), (202, expected));
    }
    let metrics = collector.get("/metrics").await;
    for reason in of_one_event() {
        let line = format!("collector_events_dropped_total{{reason=\"{}\"}} 1\n", reason.tag());
        assert!(metrics.text().contains(&line), "{line}");
    }
}

#[tokio::test]
async fn a_batch_of_nothing_valid_is_answered_and_writes_nothing() {
    let (collector, dir) = alone(&[]).await;
    let answer = collector.post(&batch(&[event(DropReason::VisitorMissing)])).await;
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (202, Some(0)));
    assert_eq!(collector.post(&batch(&[])).await.status, 202);
    let names: Vec<_> = crate::stack::files(&dir.path().join("spool"));
    assert_eq!(names, [dir.path().join("spool/lock")]);
}

#[tokio::test]
async fn what_a_site_excludes_by_its_sender_is_left_out_whole() {
    let (collector, _dir) = alone(&["--trusted-proxy", "loopback"]).await;
    let sent = batch(&[page_view(1), page_view(2)]);
    for (header, value, reason, field) in [
        ("X-Forwarded-For", "192.0.2.7", "excluded_network", "address"),
        ("X-Forwarded-For", "::ffff:192.0.2.7", "excluded_network", "address"),
        ("User-Agent", "UptimeRobot/2.0", "excluded_user_agent", "user_agent"),
    ] {
        let answer = collector.post_as(&[(header, value)], &sent).await.json();
        assert_eq!(answer["accepted"], 0, "{answer}");
        assert_eq!(
            answer["dropped"][1],
            json!({"id": page_view(2)["id"], "reason": reason, "field": field})
        );
    }
    let answer = collector.post_as(&[("X-Forwarded-For", "198.51.100.7")], &sent).await.json();
    assert_eq!(answer["accepted"], 2);
}

#[tokio::test]
async fn an_excluded_network_is_the_visitors_too_where_a_server_tells_it() {
    let (collector, _dir) = alone(&["--trusted-proxy", "loopback"]).await;
    // Of the server, and of the visitor.
    for (server, visitor, accepted) in [
        ("198.51.100.7", "192.0.2.7", 0),
        ("198.51.100.7", "::ffff:192.0.2.7", 0),
        ("192.0.2.7", "198.51.100.7", 0),
        ("198.51.100.7", "198.51.100.8", 1),
    ] {
        let track =
            json!({"writeKey": "shop", "event": "x", "userId": "u1", "context": {"ip": visitor}});
        let from = [("X-Forwarded-For", server)];
        let sent = track.to_string();
        let answer =
            send(collector.address, "POST", "/v1/track", &from, sent.as_bytes()).await.json();
        assert_eq!(answer["accepted"], accepted, "{server} {visitor}: {answer}");
        let reason = answer["dropped"][0]["reason"].as_str();
        assert_eq!(reason, (accepted == 0).then_some("excluded_network"));
    }
}

/// A collector whose ClickHouse is away and that knows the site `shop` by these settings.
async fn with_settings(settings: Value) -> (Collector, tempfile::TempDir) {
    let folder = tempfile::TempDir::new().unwrap();
    let server = crate::stack::away(folder.path());
    let sites = json!([with(json!({"name": "shop", "origins": []}), &settings)]);
    std::fs::write(folder.path().join("sites.json"), sites.to_string()).unwrap();
    (Collector::start(folder.path(), &server, &[]).await, folder)
}

#[tokio::test]
async fn pages_of_hosts_that_are_not_the_sites_are_left_out() {
    let origins = json!({"origins": ["https://www.shop.example", "http://localhost:8080",
        "http://127.0.0.1:4404", "http://[::1]:4404", "https://xn--duan-mta.hr"]});
    let domains = with(origins.clone(), &json!({"domains": ["Shop.test", ".shop.hr"]}));
    let hosts = with(origins.clone(), &json!({"hosts": ["brand.example"]}));
    let any = with(origins.clone(), &json!({"hosts": ["*"]}));
    let cases = [
        (
            origins,
            "www.shop.example shop.example Blog.Shop.example:8443 shop.example. localhost:3000 127.0.0.1 \
             [::1]:80 xn--duan-mta.hr dućan.hr",
            "evil.example shop.example.evil.example notshop.example shop.test 127.0.0.2 example hr",
        ),
        (
            domains,
            "www.shop.example shop.test a.shop.test www.shop.hr",
            "brand.example evilshop.hr",
        ),
        (hosts, "brand.example shop.brand.example", "shop.example evil.example"),
        (any, "evil.example shop.example", ""),
        (json!({}), "evil.example localhost", ""),
    ];
    for (settings, taken, left_out) in cases {
        let (collector, _folder) = with_settings(settings.clone()).await;
        for (hosts, taken) in [(taken, true), (left_out, false)] {
            for host in hosts.split_whitespace() {
                let url = json!({"url": format!("https://{host}/a?b#c")});
                let answer = collector.post(&batch(&[with(page_view(1), &url)])).await.json();
                let dropped = json!([{"id": page_view(1)["id"], "reason": "host_not_allowed", "field": "url"}]);
                let expected = if taken { json!([]) } else { dropped };
                assert_eq!(answer["dropped"], expected, "{host} by {settings}");
            }
        }
        // What happens on a server has no page.
        let paid = with(page_view(2), &json!({"type": "custom", "name": "paid", "url": null}));
        assert_eq!(collector.post(&batch(&[paid])).await.json()["accepted"], 1);
    }
}

#[tokio::test]
async fn a_host_is_asked_for_whatever_way_an_event_comes_in() {
    let origins = json!({"origins": ["https://shop.example"]});
    let (collector, folder) = with_settings(origins).await;
    let told = Some("host_not_allowed");
    // By a page of the site too: it may have been told another address than its own.
    let evil = json!({"url": "https://evil.example/"});
    let sent = batch(&[with(page_view(1), &evil)]);
    let answer = collector.post_as(&[("Origin", "https://shop.example")], &sent).await;
    assert_eq!(answer.header("x-footfall-dropped"), told);
    let track = json!({"writeKey": "shop", "userId": "u1", "event": "x",
        "context": {"page": {"url": "https://evil.example/"}}});
    let track = track.to_string();
    let answer = send(collector.address, "POST", "/v1/track", &[], track.as_bytes()).await;
    assert_eq!(answer.header("x-footfall-dropped"), told);
    let pixel = "/v1/pixel.gif?site=shop&visitor=018f4d5e-0000-7000-8000-00000000000a&url=https://evil.example/";
    assert_eq!(collector.get(pixel).await.header("x-footfall-dropped"), told);
    // A redirect link's target was chosen by who signed it.
    let target = Target::new("https://partner.example/").unwrap();
    let link = Link::new("shop".parse().unwrap(), target, "mail").unwrap();
    let path = link.path(&LinkKey::open(None, folder.path()).unwrap());
    let answer = collector.get(&path).await;
    assert_eq!((answer.status, answer.header("x-footfall-dropped")), (302, None));
}

#[tokio::test]
async fn referrer_spam_is_taken_where_it_is_wanted() {
    let spam = batch(&[event(DropReason::ReferrerSpam)]);
    let (collector, _dir) = alone(&["--keep-referrer-spam"]).await;
    assert_eq!(collector.post(&spam).await.json()["accepted"], 1);
    // A site alone, by its last good copy.
    let (collector, _dir) = with_settings(json!({"keep_referrer_spam": true})).await;
    assert_eq!(collector.post(&spam).await.json()["accepted"], 1);
    // A page of the site's own is no spam, whatever it is called.
    let (collector, _dir) = with_settings(json!({})).await;
    let own = json!({"url": "https://semalt.com/b", "referrer": "https://semalt.com/a"});
    let answer = collector.post(&batch(&[with(page_view(1), &own)])).await;
    assert_eq!(answer.json()["accepted"], 1);
}

#[tokio::test]
async fn a_suppression_is_known_at_once_when_the_operator_says_so() {
    // How often the list is read by itself.
    const EVERY: Duration = Duration::from_secs(5);
    let Stack { collector, data_dir: _data_dir, database } = Stack::up(&[]).await;
    let began = Instant::now();
    let mut known = 0;
    // More than can have become known by itself in that time: a slow machine needs more of them for it.
    while known <= began.elapsed().as_secs() / EVERY.as_secs() + 1 {
        let number = known;
        let email = format!("ana{number}@shop.example");
        let suppress = "INSERT INTO suppressions
            SELECT 'shop', 'email_google', lower(hex(SHA256(?))), '', now64(3)";
        database.server().client().query(suppress).bind(&email).execute().await.unwrap();
        collector.handle.reload();
        let fields = json!({"type": "identify", "user": "u1", "properties": {"email": email}});
        let sent = batch(&[with(page_view(number), &fields)]);
        eventually("the suppression is known", || async {
            collector.post(&sent).await.json()["accepted"] == 0
        })
        .await;
        known += 1;
        assert!(
            began.elapsed() < PATIENCE,
            "{known} were known, none of them sooner than by itself"
        );
    }
}

#[tokio::test]
async fn a_suppressed_person_is_refused_at_the_door() {
    let identify = |number, email: &str| {
        with(
            page_view(number),
            &json!({"type": "identify", "user": format!("u{number}"), "properties": {"email": email}}),
        )
    };
    let Stack { collector, data_dir, database } = Stack::up(&[]).await;
    let sent = batch(&[identify(1, "Ana.Horvat@gmail.com"), identify(2, "ivo@shop.example")]);
    assert_eq!(collector.post(&sent).await.json()["accepted"], 2);
    // As `footfall privacy suppress` does it: by the hashes of the address and of whom it was told.
    let suppress = "INSERT INTO suppressions SELECT site, known.1, known.2, '', now64(3) FROM ( \
            SELECT site, arrayJoin([(toString(kind), value), ('user', lower(hex(SHA256(user_id))))]) AS known \
            FROM identifiers \
            WHERE kind = 'email_google' AND value = lower(hex(SHA256('anahorvat@gmail.com'))) \
        )";
    eventually("the identifiers are stored", || async {
        count(&database, "identifiers").await == 4
    })
    .await;
    database.server().client().query(suppress).execute().await.unwrap();
    assert_eq!(count(&database, "suppressions").await, 2);
    eventually("the suppression is known", || async {
        collector.post(&sent).await.json()["accepted"] == 1
    })
    .await;
    let dropped =
        json!([{"id": page_view(1)["id"], "reason": "person_suppressed", "field": "properties"}]);
    assert_eq!(collector.post(&sent).await.json()["dropped"], dropped);
    // Whoever is known by the user id is the same person, whatever they do.
    let theirs = batch(&[with(page_view(3), &json!({"user": "u1"})), page_view(4)]);
    let answer = collector.post(&theirs).await.json();
    assert_eq!(answer["dropped"][0]["reason"], "person_suppressed");
    assert_eq!(answer["dropped"][0]["field"], "user");
    assert_eq!(
        (&answer["accepted"], &answer["dropped"][0]["id"]),
        (&json!(1), &page_view(3)["id"])
    );
    collector.stop().await;
    // Known from the copy too, while ClickHouse is away.
    let nobody = crate::stack::away(data_dir.path());
    let collector = Collector::start(data_dir.path(), &nobody, &[]).await;
    assert_eq!(collector.post(&sent).await.json()["dropped"], dropped);
    assert_eq!(collector.post(&theirs).await.json()["dropped"], answer["dropped"]);
}
