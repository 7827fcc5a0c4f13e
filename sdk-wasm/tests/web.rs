//! The loader's half of the browser (loader/host.js), in a real one. No site is open here, so keys
//! begin with `footfall..`.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that cannot set the scene must fail loudly")]

use sdk_wasm::browser::{Clock as _, Scene as _, Storage as _, Window};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn local_storage() -> web_sys::Storage {
    web_sys::window().unwrap().local_storage().unwrap().unwrap()
}

fn document() -> web_sys::Document {
    web_sys::window().unwrap().document().unwrap()
}

#[wasm_bindgen_test]
fn storage_keeps_what_it_is_given_where_the_next_page_finds_it() {
    let document = document();
    let mut window = Window { document: &document };
    assert_eq!(window.get("kept"), "");
    let text = "{\"title\":\"Čaj\"}\n{}";
    window.set("kept", text);
    assert_eq!(window.get("kept"), text);
    assert_eq!(local_storage().get_item("footfall..kept").unwrap().as_deref(), Some(text));
    window.set("kept", "{}");
    assert_eq!(window.get("kept"), "{}");
    window.remove("kept");
    assert_eq!(window.get("kept"), "");
    assert_eq!(local_storage().get_item("footfall..kept").unwrap(), None);
}

#[wasm_bindgen_test]
fn a_full_storage_keeps_in_memory() {
    let document = document();
    let mut window = Window { document: &document };
    let larger_than_any_quota = "x".repeat(11 * 1024 * 1024);
    window.set("full", &larger_than_any_quota);
    assert_eq!(window.get("full").len(), larger_than_any_quota.len());
    assert_eq!(local_storage().get_item("footfall..full").unwrap(), None);
    window.remove("full");
    assert_eq!(window.get("full"), "");
}

#[wasm_bindgen_test]
fn the_clock_tells_this_time_and_ids_are_of_it() {
    let document = document();
    let mut window = Window { document: &document };
    let before = window.now();
    let in_2024 = 1_704_067_200_000;
    assert!(before > in_2024);
    let ids: Vec<String> = (0..100).map(|_| window.id()).collect();
    for id in &ids {
        assert_eq!(id.len(), 36, "{id}");
        let digits = id.replace('-', "");
        let time = u64::from_str_radix(&digits[..12], 16).unwrap();
        assert!((before..=window.now()).contains(&time), "{id}");
        // Version 7, and the variant of RFC 9562.
        assert_eq!((&id[14..15], id.matches('-').count()), ("7", 4), "{id}");
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
    }
    let different: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(different.len(), ids.len());
}

#[wasm_bindgen_test]
fn the_page_is_read_as_it_stands() {
    let meta = document().create_element("meta").unwrap();
    meta.set_attribute("name", "footfall:category").unwrap();
    meta.set_attribute("content", " Tea /\n Pots//Iron /").unwrap();
    document().head().unwrap().append_child(&meta).unwrap();
    document().set_title("Teapot");
    let page = Window { document: &document() }.page();
    assert!(page.url().starts_with("http"), "{}", page.url());
    assert_eq!((page.title(), page.category()), ("Teapot", "Tea/Pots/Iron"));
    meta.remove();
    assert_eq!(Window { document: &document() }.page().category(), "");
}

#[wasm_bindgen_test]
fn json_is_told_from_what_is_not() {
    let document = document();
    let window = Window { document: &document };
    assert!(window.is_json(r#"{"id":"1"}"#));
    for damaged in ["", "{", r#"{"id":"#, "nonsense"] {
        assert!(!window.is_json(damaged), "{damaged}");
    }
}
