//! The API gives the library's reports, and says what is wrong with a question.

use analytics::funnel::{By, Funnel};
use analytics::interest::Interests;
use analytics::query::{Filter, Range};
use analytics::segment::Segment;
use analytics::traffic::{Countries, TopPages, VisitorsOverTime};
use audience::destination::google::CustomerMatchCsv;
use audience::{Audience, SnapshotError};
use identifier::Email;
use segment::Rule;
use serde_json::{Value, json};
use store::testing::{TestDatabase, insert, insert_identifiers, visitor, visitor_id};
use store::{Address, IdentifierRow, Server};
use wire::{Choice, SiteName};

use crate::started::{Started, now, settings};
use crate::story::shop;

fn site() -> SiteName {
    "shop".parse().unwrap()
}

fn month() -> Range {
    Range::parse(None, None, now()).unwrap()
}

#[tokio::test]
async fn every_report_is_the_librarys() {
    let (database, filter) = (shop().await, Filter::default());
    let server = database.server();
    let started = Started::over(&database).await;
    let funnel = Funnel {
        site: site(),
        steps: ["page_view where path = \"/p/1\"", "add_to_cart", "checkout/shipping"]
            .map(|step| step.parse().unwrap())
            .to_vec(),
        window: "30m".parse().unwrap(),
        by: By::Session,
        range: Range::ALL,
        filter: filter.clone(),
    };
    let interests = Interests {
        site: site(),
        visitor: None,
        half_life: std::time::Duration::from_secs(7 * 24 * 3600),
        limit: 2,
        now: now(),
        range: month(),
        filter: filter.clone(),
    };
    let rule = Rule::parse("did add_to_cart and not did purchase").unwrap();
    let visitors =
        VisitorsOverTime { site: site(), range: month(), interval: None, filter: filter.clone() };
    let filtered = Filter("country = \"HR\"".parse().unwrap());
    let pages = TopPages { site: site(), range: month(), limit: 3, filter: filtered };
    let countries = Countries { site: site(), range: month(), limit: 10, filter };
    let expected: [(&str, Value); 6] = [
        (
            "/funnel?site=shop&step=page_view+where+path+%3D+%22/p/1%22&step=add_to_cart&step=checkout/shipping&window=30m&by=session&from=all",
            json!(funnel.ask(server).await.unwrap()),
        ),
        ("/interests?site=shop&half_life=7d&limit=2", json!(interests.ask(server).await.unwrap())),
        (
            "/segment?site=shop&rule=did%20add_to_cart%20and%20not%20did%20purchase",
            json!(Segment { site: site(), rule, now: now() }.ask(server).await.unwrap()),
        ),
        ("/traffic/visitors?site=shop", json!(visitors.ask(server).await.unwrap())),
        (
            "/traffic/pages?site=shop&limit=3&filter=country+%3D+%22HR%22",
            json!(pages.ask(server).await.unwrap()),
        ),
        ("/traffic/countries?site=shop&from=&to=", json!(countries.ask(server).await.unwrap())),
    ];
    for (question, report) in expected {
        let answered = started.get(&format!("/api/v1{question}")).await;
        assert_eq!(answered.status, 200, "{question}: {}", answered.body);
        assert_eq!(answered.json(), report, "{question}");
        assert_eq!(answered.header("content-type"), "application/json");
        assert_eq!(answered.header("cache-control"), "no-store");
    }
    let counts: Vec<_> = funnel.ask(server).await.unwrap().steps;
    assert_eq!(counts.iter().map(|step| step.count).collect::<Vec<_>>(), [2, 2, 1]);
    let sites = started.get("/api/v1/sites").await.json();
    let blog = json!({ "name": "blog", "origins": ["https://blog.example"] });
    let shop = json!({ "name": "shop", "origins": ["https://shop.example"] });
    assert_eq!(sites, json!({ "sites": [blog, shop] }));
    started.stop().await;
}

#[tokio::test]
async fn a_bad_question_is_told_what_is_wrong_with_it() {
    let database = shop().await;
    let started = Started::over(&database).await;
    for (question, status, tag, words) in [
        ("/funnel?site=nobody&step=a", 404, "site_unknown", "nobody"),
        ("/funnel?step=a", 400, "parameter_missing", "site"),
        ("/funnel?site=No+Name&step=a", 400, "parameter_invalid", "site"),
        ("/funnel?site=shop", 400, "parameter_missing", "step"),
        ("/funnel?site=shop&step=a&windw=1d", 400, "parameter_unknown", "windw"),
        ("/funnel?site=shop&step=a&window=soon", 400, "parameter_invalid", "window"),
        ("/funnel?site=shop&step=a&by=colour", 400, "parameter_invalid", "by"),
        ("/funnel?site=shop&step=a&from=yesterday", 400, "parameter_invalid", "yesterday"),
        ("/funnel?site=shop&site=shop&step=a", 400, "parameter_repeated", "site"),
        ("/interests?site=shop&half_life=long", 400, "parameter_invalid", "half_life"),
        ("/interests?site=shop&limit=0", 400, "limit", "1000"),
        ("/traffic/pages?site=shop&limit=ten", 400, "parameter_invalid", "limit"),
        ("/traffic/visitors?site=shop&interval=eon", 400, "parameter_invalid", "interval"),
        ("/traffic/visitors?site=shop&filter=country", 400, "parameter_invalid", "filter"),
        ("/sites?page=2", 400, "parameter_unknown", "page"),
        ("/nothing", 404, "not_found", "nothing"),
    ] {
        let answered = started.get(&format!("/api/v1{question}")).await;
        let error = &answered.json()["error"];
        assert_eq!((answered.status, error["tag"].as_str()), (status, Some(tag)), "{question}");
        assert!(error["message"].as_str().unwrap().contains(words), "{question}: {error}");
        assert!(!error["hint"].as_str().unwrap().is_empty(), "{question}");
    }
    let steps = "&step=a".repeat(33);
    let many = started.get(&format!("/api/v1/funnel?site=shop{steps}")).await;
    assert_eq!((many.status, many.json()["error"]["tag"].as_str()), (400, Some("funnel_steps")));
    let long = started.get(&format!("/api/v1/funnel?site=shop&step={}", "a".repeat(20_000))).await;
    assert_eq!((long.status, long.json()["error"]["tag"].as_str()), (414, Some("query_too_long")));
    started.stop().await;
}

#[tokio::test]
async fn a_rule_that_does_not_parse_is_told_where_and_what_was_expected() {
    let database = shop().await;
    let started = Started::over(&database).await;
    let expected = Rule::parse("did a wher b").unwrap_err();
    for question in ["/segment?site=shop&rule=", "/audience/google.csv?site=shop&rule="] {
        let answered = started.get(&format!("/api/v1{question}did+a+wher+b")).await;
        let error = &answered.json()["error"];
        assert_eq!(answered.status, 400);
        assert_eq!(error["parameter"], "rule");
        assert_eq!(error["position"]["column"], expected.position.column);
        assert_eq!(error["position"]["line"], 1);
        assert_eq!(error["position"]["expected"], json!(expected.expected));
        assert_eq!(error["position"]["found"], json!(expected.found));
        assert!(error["message"].as_str().unwrap().contains("column 7"), "{error}");
    }
    started.stop().await;
}

#[tokio::test]
async fn a_clickhouse_that_is_away_is_told_and_health_does_not_depend_on_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = taken.local_addr().unwrap();
    drop(taken);
    let address: Address = format!("http://{nobody}").parse().unwrap();
    let started = Started::with(settings(), Server::new(&address)).await;
    let answered = started.get("/api/v1/sites").await;
    assert_eq!(answered.status, 503);
    assert_eq!(answered.json()["error"]["tag"], "clickhouse_unavailable");
    assert_eq!(answered.header("retry-after"), "5");
    let page = started.get("/").await;
    assert_eq!(page.status, 503);
    assert!(page.body.contains("ClickHouse cannot be reached"), "{}", page.body);
    let health = started.get("/healthz").await;
    assert_eq!((health.status, health.json()), (200, json!({ "status": "ok" })));
    started.stop().await;
}

/// Three buyers with an e-mail address, one of whom has not consented.
async fn buyers() -> TestDatabase {
    let database = shop().await;
    let mut identifiers = Vec::new();
    for (name, choice) in
        [("dora", Choice::Granted), ("emil", Choice::Granted), ("fran", Choice::Denied)]
    {
        let visit = visitor(name).consents(choice).at("2026-01-12T10:00:00Z").does("purchase");
        insert(database.server(), &visit.rows()).await;
        let email = Email::parse(&format!("{name}@example.com")).unwrap();
        identifiers.push(IdentifierRow {
            site: "shop".to_owned(),
            visitor_id: visitor_id(name),
            kind: "email_google".to_owned(),
            value: email.google().to_string(),
            consent_ads: if choice == Choice::Granted { 1 } else { 2 },
            ..IdentifierRow::default()
        });
    }
    insert_identifiers(database.server(), &identifiers).await;
    database
}

#[tokio::test]
async fn an_audience_leaves_as_the_librarys_file_and_not_below_the_floor() {
    let database = buyers().await;
    let started = Started::over(&database).await;
    let rule = Rule::parse("did purchase").unwrap();
    let audience = Audience { site: site(), rule, size_min: 2, now: now() };
    let snapshot = audience.snapshot(database.server(), CustomerMatchCsv).await.unwrap();
    let mut file = Vec::new();
    snapshot.write(&mut file).unwrap();

    let path = "/api/v1/audience/google.csv?site=shop&rule=did+purchase";
    let answered = started.get(&format!("{path}&size_min=2")).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    assert_eq!(answered.body, String::from_utf8(file).unwrap());
    assert_eq!(answered.body.lines().count(), 3);
    assert!(!answered.body.contains('@'));
    assert_eq!(answered.header("content-type"), "text/csv; charset=utf-8");
    assert!(answered.header("content-disposition").starts_with("attachment"));

    let audience = Audience { size_min: 100, ..audience };
    let refused = audience.snapshot(database.server(), CustomerMatchCsv).await.unwrap_err();
    let SnapshotError::BelowFloor { receipt } = refused else { panic!("{refused}") };
    let answered = started.get(path).await;
    assert_eq!(
        (answered.status, &answered.json()["error"]["tag"]),
        (409, &json!("audience_too_small"))
    );
    assert_eq!(answered.json()["error"]["counts"], json!(receipt));
    assert_eq!(receipt.leaving, 2);
    started.stop().await;
}
