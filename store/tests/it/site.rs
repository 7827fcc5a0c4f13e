//! Sites: added once, changed by a new version.

use store::site::{Added, HOSTS_MAX, ORIGINS_MAX, Site, SiteError, SiteSettings, add, find, list};
use store::testing::TestDatabase;

fn site(name: &str, origins: &[&str]) -> Site {
    let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    let settings = SiteSettings { origins, ..SiteSettings::default() };
    Site { name: name.parse().unwrap(), settings }
}

async fn versions(database: &TestDatabase) -> u64 {
    let count = database.server().client().query("SELECT count() FROM definitions");
    count.fetch_one().await.unwrap()
}

#[tokio::test]
async fn the_same_site_twice_is_one_version_and_new_origins_make_another() {
    let database = TestDatabase::create().await;
    let server = database.server();
    let first = site("shop", &["https://shop.example", "https://www.shop.example"]);
    let turned = site("shop", &["https://www.shop.example", "https://shop.example/"]);
    assert_eq!(add(server, &first, 1000).await.unwrap(), Added::New);
    assert_eq!(add(server, &turned, 2000).await.unwrap(), Added::Unchanged);
    assert_eq!(versions(&database).await, 1);

    let moved = site("shop", &["https://new.example"]);
    // At the same millisecond by the caller's clock: the later call still wins.
    assert_eq!(add(server, &moved, 1000).await.unwrap(), Added::Changed);
    let other = site("blog", &["http://localhost:8080"]);
    assert_eq!(add(server, &other, 1000).await.unwrap(), Added::New);
    assert_eq!(find(server, &moved.name).await.unwrap().as_ref(), Some(&moved));
    assert_eq!(find(server, &"blo".parse().unwrap()).await.unwrap(), None);
    assert_eq!(list(server).await.unwrap(), [other, moved]);
    assert_eq!(versions(&database).await, 3);
}

#[tokio::test]
async fn a_definition_that_cannot_be_read_does_not_hide_the_others() {
    let database = TestDatabase::create().await;
    let shop = site("shop", &["https://shop.example"]);
    add(database.server(), &shop, 1000).await.unwrap();
    let odd = "INSERT INTO definitions (kind, name, body, applied_at) VALUES
        ('site', 'newer', '{\"origins\": 7}', 1), ('site', 'Not A Name', '{\"origins\": []}', 1)";
    database.server().client().query(odd).execute().await.unwrap();
    assert_eq!(list(database.server()).await.unwrap(), [shop]);
}

#[tokio::test]
async fn more_origins_than_are_kept_are_refused() {
    let database = TestDatabase::create().await;
    let origins: Vec<String> = (0..=ORIGINS_MAX).map(|n| format!("https://s{n}.example")).collect();
    let many = site("shop", &origins.iter().map(String::as_str).collect::<Vec<_>>());
    let error = add(database.server(), &many, 1000).await.unwrap_err();
    assert!(matches!(error, SiteError::TooManyOrigins { count: 101, .. }), "{error:?}");
    assert_eq!(list(database.server()).await.unwrap(), []);
}

#[tokio::test]
async fn exclusions_are_kept_with_the_site_and_a_definition_without_them_is_read() {
    let database = TestDatabase::create().await;
    let server = database.server();
    let old = "INSERT INTO definitions (kind, name, body, applied_at) VALUES
        ('site', 'shop', '{\"origins\": [\"https://shop.example\"]}', 1)";
    server.client().query(old).execute().await.unwrap();
    let plain = site("shop", &["https://shop.example"]);
    assert_eq!(list(server).await.unwrap(), std::slice::from_ref(&plain));
    assert_eq!(add(server, &plain, 1000).await.unwrap(), Added::Unchanged);
    let exclude = ["path=/admin", "network=10.0.0.0/8"].map(|text| text.parse().unwrap());
    let mut strict = plain;
    strict.settings.exclude = exclude.to_vec();
    assert_eq!(add(server, &strict, 1000).await.unwrap(), Added::Changed);
    strict.settings.exclude.sort();
    assert_eq!(list(server).await.unwrap(), [strict]);
}

#[tokio::test]
async fn hosts_are_kept_with_the_site_and_more_than_are_kept_are_refused() {
    let database = TestDatabase::create().await;
    let mut shop = site("shop", &["https://shop.example"]);
    let hosts = ["shop.test", "*", "Shop.Test"].map(|host| host.parse().unwrap());
    shop.settings.hosts = hosts.to_vec();
    assert_eq!(add(database.server(), &shop, 1000).await.unwrap(), Added::New);
    let kept = list(database.server()).await.unwrap().remove(0).settings.hosts;
    assert_eq!(kept.iter().map(ToString::to_string).collect::<Vec<_>>(), ["*", "shop.test"]);
    shop.settings.hosts = (0..=HOSTS_MAX).map(|n| format!("s{n}.test").parse().unwrap()).collect();
    let error = add(database.server(), &shop, 2000).await.unwrap_err();
    assert!(matches!(error, SiteError::TooManyHosts { count: 101, .. }), "{error:?}");
}

#[tokio::test]
async fn a_scripts_path_is_one_sites_and_an_events_path_may_be_shared() {
    let database = TestDatabase::create().await;
    let server = database.server();
    let with = |name: &str, script: Option<&str>, events: Option<&str>| {
        let mut site = site(name, &["https://shop.example"]);
        site.settings.tracker.script_path = script.map(|path| path.parse().unwrap());
        site.settings.tracker.events_path = events.map(|path| path.parse().unwrap());
        site
    };
    let shop = with("shop", Some("/assets/app.js"), Some("/assets/t"));
    add(server, &shop, 1000).await.unwrap();
    add(server, &shop, 2000).await.unwrap();
    add(server, &with("blog", Some("/assets/blog.js"), Some("/assets/t")), 1000).await.unwrap();
    for (script, events, taken) in [
        (Some("/assets/app.js"), None, "/assets/app.js"),
        (None, Some("/assets/app.js"), "/assets/app.js"),
    ] {
        let error = add(server, &with("news", script, events), 1000).await.unwrap_err();
        assert_eq!(error.to_string(), format!("the path {taken} is the site shop's already"));
    }
    let wrong = with("news", Some("/assets/app"), None);
    let error = add(server, &wrong, 1000).await.unwrap_err().to_string();
    assert_eq!(error, "the site news: the script's path /assets/app does not end in .js");
    assert_eq!(list(server).await.unwrap().len(), 2);
    assert!(list(server).await.unwrap().contains(&shop));
}
