//! The loader's half of the browser (loader/host.js, loader/who.js), in a real one. No site is open here, so
//! keys begin with `footfall..`.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that cannot set the scene must fail loudly")]

use sdk_wasm::browser::{Clock as _, Outside as _, Scene as _, Storage as _, Window};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn local_storage() -> web_sys::Storage {
    web_sys::window().unwrap().local_storage().unwrap().unwrap()
}

fn document() -> web_sys::Document {
    web_sys::window().unwrap().document().unwrap()
}

#[wasm_bindgen_test]
fn the_queue_is_kept_where_the_next_page_finds_it() {
    let document = document();
    let mut window = Window { document: &document };
    assert_eq!(window.queue(), "");
    let events = "{\"id\":\"1\",\"title\":\"Čaj\"}\n{\"id\":\"2\"}";
    window.set_queue(events);
    assert_eq!(window.queue(), events);
    assert_eq!(local_storage().get_item("footfall..queue").unwrap().as_deref(), Some(events));
    window.set_queue("");
    assert_eq!(window.queue(), "");
    assert_eq!(local_storage().get_item("footfall..queue").unwrap(), None);
}

#[wasm_bindgen_test]
fn a_damaged_line_of_the_queue_costs_only_itself() {
    let document = document();
    let mut window = Window { document: &document };
    window.set_queue("nonsense\n{\"id\":\n5\n{\"id\":\"1\"}\nnull\n\n{}");
    assert_eq!(window.queue(), "{\"id\":\"1\"}");
    window.set_queue("");
}

#[wasm_bindgen_test]
fn a_full_storage_keeps_in_memory() {
    let document = document();
    let mut window = Window { document: &document };
    let larger_than_any_quota = format!("{{\"id\":\"{}\"}}", "x".repeat(11 * 1024 * 1024));
    window.set_queue(&larger_than_any_quota);
    assert_eq!(window.queue().len(), larger_than_any_quota.len());
    assert_eq!(local_storage().get_item("footfall..queue").unwrap(), None);
    window.set_queue("");
    assert_eq!(window.queue(), "");
}

/// The lines of [`Window::who`]: the event's id, the visitor's, the session's, the known one, consent.
fn who(begins: bool) -> Vec<String> {
    let told = Window { document: &document() }.who(begins);
    told.split('\n').map(ToOwned::to_owned).collect()
}

#[wasm_bindgen_test]
fn a_visitor_and_a_session_keep_their_ids_and_every_event_has_its_own() {
    let document = document();
    let before = Window { document: &document }.now();
    let all: Vec<_> = (0..100).map(|_| who(true)).collect();
    for told in &all {
        assert_eq!(told[1..], all[0][1..]);
        assert_eq!((told.len(), &*told[3]), (5, ""));
        let consent = r#"{"analytics":"unknown","personalization":"unknown","ads":"unknown"}"#;
        assert_eq!(told[4], consent);
        for id in &told[..3] {
            let digits = id.replace('-', "");
            let time = u64::from_str_radix(&digits[..12], 16).unwrap();
            assert!((before - 60_000..=before + 60_000).contains(&time), "{id}");
            // Version 7, and the variant of RFC 9562.
            assert_eq!((id.len(), &id[14..15], id.matches('-').count()), (36, "7", 4), "{id}");
            assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        }
    }
    let different: std::collections::BTreeSet<_> = all.iter().map(|told| &told[0]).collect();
    assert_eq!(different.len(), all.len());
}

#[wasm_bindgen_test]
fn a_session_that_has_ended_is_begun_anew_by_a_visit_and_not_by_what_is_told_late() {
    let storage = local_storage();
    let session = who(true)[2].clone();
    let long_ago = Window { document: &document() }.now() - 31 * 60 * 1000;
    for (stored, begins, goes_on) in [
        (format!("{session} {long_ago} "), false, true),
        (format!("{session} {long_ago} "), true, false),
        ("nonsense soon".to_owned(), true, false),
    ] {
        storage.set_item("footfall..session", &stored).unwrap();
        assert_eq!(who(begins)[2] == session, goes_on, "{stored}");
    }
}

#[wasm_bindgen_test]
fn damaged_ids_are_made_anew() {
    let storage = local_storage();
    storage.set_item("footfall..visitor", "<script>").unwrap();
    let visitor = who(true)[1].clone();
    assert_eq!(visitor.len(), 36);
    assert_eq!(storage.get_item("footfall..visitor").unwrap().as_deref(), Some(&*visitor));
}

#[wasm_bindgen_test]
fn the_page_is_read_as_it_stands() {
    let document = document();
    let meta = document.create_element("meta").unwrap();
    meta.set_attribute("name", "footfall:category").unwrap();
    meta.set_attribute("content", " Tea /\n Pots//Iron /").unwrap();
    document.head().unwrap().append_child(&meta).unwrap();
    document.set_title("Tea\npot");
    let window = Window { document: &document };
    let page = window.page();
    let lines: Vec<_> = page.split('\n').collect();
    assert!(lines[0].starts_with("http"), "{page}");
    assert_eq!(lines[1..3], [r#"["Tea","Tea/Pots","Tea/Pots/Iron"]"#, "Tea pot"]);
    assert_eq!(lines.len(), 4);
    meta.remove();
    assert_eq!(window.page().split('\n').nth(1), Some(""));
    assert!(window.is_visible());
}

#[wasm_bindgen_test]
fn what_another_tab_holds_is_waited_for() {
    let document = document();
    let window = Window { document: &document };
    assert_eq!(window.held_millis(), 0);
    let until = window.now() + 5000;
    local_storage().set_item("footfall..hold", &until.to_string()).unwrap();
    // And up to as long again, by chance, so that no two tabs come back at once.
    let held = window.held_millis();
    assert!((1..=10_000).contains(&held), "{held}");
    for past in ["1", "nonsense"] {
        local_storage().set_item("footfall..hold", past).unwrap();
        assert_eq!(window.held_millis(), 0, "{past}");
    }
    local_storage().remove_item("footfall..hold").unwrap();
}
