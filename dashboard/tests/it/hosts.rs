//! Who is answered, and the headers that go with every answer.

use crate::started::{Started, settings};
use crate::story::shop;

#[tokio::test]
async fn a_host_that_is_not_this_machine_is_refused_unless_told() {
    let database = shop().await;
    let started = Started::over(&database).await;
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost@evil"] {
        for path in ["/", "/api/v1/sites", "/sites/shop", "/healthz"] {
            let answered = started.get_as(path, Some(host)).await;
            assert_eq!(answered.status, 403, "{host}{path}");
            assert!(!answered.body.contains("shop.example"), "{host}{path}");
        }
    }
    for host in ["localhost:4401", "127.0.0.1", "[::1]:4401"] {
        assert_eq!(started.get_as("/api/v1/sites", Some(host)).await.status, 200, "{host}");
    }
    started.stop().await;

    let allowed = settings().answering_anyone();
    let started = Started::with(allowed, database.server().clone()).await;
    assert_eq!(started.get_as("/api/v1/sites", Some("footfall.example")).await.status, 200);
    started.stop().await;
}

#[tokio::test]
async fn every_answer_forbids_scripts_from_elsewhere_frames_and_guessing() {
    let database = shop().await;
    let started = Started::over(&database).await;
    let page = started.get("/sites/shop").await.body;
    let style = page.split('"').find(|part| part.ends_with("/dashboard.css")).unwrap().to_owned();
    for (path, status) in [
        ("/", 200),
        ("/sites/shop", 200),
        ("/sites/nobody", 404),
        ("/api/v1/sites", 200),
        ("/assets/0/dashboard.css", 404),
        (style.as_str(), 200),
    ] {
        let answered = started.get(path).await;
        assert_eq!(answered.status, status, "{path}");
        let policy = answered.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{path}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answered.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answered.header("referrer-policy"), "no-referrer", "{path}");
    }
    let kept = started.get(&style).await;
    assert_eq!(kept.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(!page.contains(" style=") && !page.contains(" onclick="), "the policy forbids these");
    let scripts: Vec<_> =
        page.split("src=\"").skip(1).map(|part| part.split('"').next().unwrap()).collect();
    assert!(scripts.iter().all(|script| script.starts_with("/assets/")), "{scripts:?}");
    // Those from npm are in the program once `cargo xtask build` has been there; the tests in a browser need them.
    for name in ["/charts.js", "/dashboard.js"] {
        let script = scripts.iter().find(|script| script.ends_with(name)).unwrap();
        let answered = started.get(script).await;
        assert_eq!(
            (answered.status, answered.header("content-type")),
            (200, "text/javascript; charset=utf-8")
        );
    }
    started.stop().await;
}
