//! Forms begun, sent and given up, and nothing of what was typed.

use std::collections::BTreeMap;

use serde_json::json;

use super::site::{
    Site, closed, come, here, is_well, leave, opened, properties, run, stored, tag, visitor,
};

#[tokio::test(flavor = "multi_thread")]
async fn forms_are_told_as_begun_sent_or_given_up_and_never_what_is_in_them() {
    let (stack, browser) = opened().await;
    let site = Site::bind().await;
    let tag = tag(&stack, "forms", &[&site.origin], "data-with=forms");
    let url = site.serve(&[("/", include_str!("forms.html"))], &tag, "", None);
    let tab = visitor(&browser).await;
    come(&tab, &url, &["forms"]).await;
    // A script fills in, and a page puts the cursor into a field: neither begins a form.
    run(&tab, "document.forms[1][0].dispatchEvent(new Event('input', { bubbles: true }))").await;
    tab.fill("[name=email]", "ada@example.com").await.unwrap();
    tab.fill("[name=pass]", "s3cret-s3cret").await.unwrap();
    tab.fill("[name=diary]", "dear diary").await.unwrap();
    tab.click("button").await.unwrap();
    tab.wait_until("location.pathname === '/thanks'").await.unwrap();

    here(&tab, &["forms"]).await;
    tab.fill("[name=city]", "Timbuktu").await.unwrap();
    tab.fill("[autocomplete]", "4111111111111111").await.unwrap();
    run(&tab, "document.querySelector('select').focus()").await;
    is_well(&tab).await;
    leave(&tab).await;
    let events = stored(
        &stack,
        "forms",
        &["page_view", "form_start", "form_submit", "page_view", "form_start", "form_abandoned"],
    );
    let letter = [("form_id", "letter"), ("form_name", "newsletter"), ("form_action", "/thanks")];
    let pay = [("form_action", "pay.example/now")];
    let about = |form: &[(&str, &str)], more: &[(&str, &str)]| {
        json!(form.iter().chain(more).copied().collect::<BTreeMap<_, _>>())
    };
    let started = [about(&letter, &[("field", "email")]), about(&pay, &[("field", "city")])];
    assert_eq!(properties(&events, "form_start"), started);
    let timed = |name: &str| {
        let mut told = properties(&events, name).remove(0);
        let seconds = told.as_object_mut().unwrap().remove("seconds").unwrap();
        let seconds: u32 = seconds.as_str().unwrap().parse().unwrap();
        assert!(seconds < 60, "{name} after {seconds} s");
        told
    };
    assert_eq!(timed("form_submit"), about(&letter, &[("fields", "2")]));
    let given_up = about(&pay, &[("fields", "2"), ("last_field", "country")]);
    assert_eq!(timed("form_abandoned"), given_up);
    let all = serde_json::to_string(&events).unwrap().to_lowercase();
    for typed in
        ["ada", "s3cret", "dear", "diary", "timbuktu", "4111", "card_number_field", "order=9"]
    {
        assert!(!all.contains(typed), "{typed} is in {all}");
    }
    tab.close().await.unwrap();
    closed(stack, browser).await;
}
