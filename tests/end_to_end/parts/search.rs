//! What visitors look for on the site itself.

use serde_json::json;

use super::site::{
    Site, closed, come, is_well, leave, opened, properties, run, stored, tag, told, visitor,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_told_once_as_it_was_meant_and_without_numbers_or_addresses() {
    let (stack, browser) = opened().await;
    let results =
        "<!doctype html><title>Search</title><meta name=\"footfall:results\" content=\"12\">HEAD";
    let site = Site::bind().await;
    let tagged = tag(&stack, "search", &[&site.origin], "data-with=search");
    let url = site.serve(&[("/", results)], &tagged, "", None);
    let tab = visitor(&browser).await;
    come(&tab, &format!("{url}/find?q=%20Blue%20%20MUG"), &["search"]).await;
    leave(&tab).await;
    // On a single page: letter by letter, the word, its second page, and what is none of ours.
    come(&tab, &format!("{url}/find"), &["search"]).await;
    let typed = ["r", "re", "red"]
        .map(|term| format!("history.replaceState({{}}, '', '?q={term}')"))
        .join(";");
    run(&tab, &typed).await;
    tab.wait_until("new Promise((done) => setTimeout(() => done(true), 1300))").await.unwrap();
    run(&tab, "history.pushState({}, '', '?q=red&page=2')").await;
    run(&tab, "document.querySelector('meta').content = 'many'").await;
    run(&tab, "history.pushState({}, '', '?keywords=ada%40x.example+%2B385+91+123-4567+mug')")
        .await;
    is_well(&tab).await;
    leave(&tab).await;
    let told = told(&stack, "search", "site_search", 3);
    assert_eq!(
        told,
        [
            json!({"term": "blue mug", "results": "12"}),
            json!({"term": "red", "results": "12"}),
            json!({"term": "[email] [number] mug"}),
        ]
    );

    let site = Site::bind().await;
    let tagged = tag(
        &stack,
        "own",
        &[&site.origin],
        "data-with=search data-search-parameters='was suche' data-search-folders=finde",
    );
    let page = "<!doctype html><title>Suche</title>HEAD";
    let url = site.serve(&[("/", page)], &tagged, "", None);
    come(&tab, &format!("{url}/?q=cat&suche=Tee"), &["search"]).await;
    leave(&tab).await;
    for path in ["/de/finde/gr%C3%BCner+Tee%20&%zz", "/finde/", "/suche/kaffee"] {
        come(&tab, &format!("{url}{path}"), &["search"]).await;
        leave(&tab).await;
    }
    let views = ["page_view"; 4];
    let events = stored(&stack, "own", &[&views[..], &["site_search"; 2]].concat());
    let terms = [json!({"term": "tee"}), json!({"term": "grüner tee &%zz"})];
    assert_eq!(properties(&events, "site_search"), terms);
    tab.close().await.unwrap();
    closed(stack, browser).await;
}
