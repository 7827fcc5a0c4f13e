//! The wrappers around the browser, in a real one.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that cannot set the scene must fail loudly")]

use sdk_wasm::browser::{Clock as _, LocalStorage, Scene as _, Storage, Window};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn document() -> web_sys::Document {
    web_sys::window().unwrap().document().unwrap()
}

fn keeps_what_it_is_given(storage: &mut impl Storage) {
    assert_eq!(storage.get("queue"), None);
    storage.set("queue", "{\"title\":\"Čaj\"}\n{}");
    assert_eq!(storage.get("queue").as_deref(), Some("{\"title\":\"Čaj\"}\n{}"));
    storage.set("queue", "{}");
    assert_eq!(storage.get("queue").as_deref(), Some("{}"));
    storage.remove("queue");
    assert_eq!(storage.get("queue"), None);
}

#[wasm_bindgen_test]
fn storage_keeps_what_it_is_given() {
    let window = web_sys::window().unwrap();
    keeps_what_it_is_given(&mut LocalStorage::open(&window, "storage"));
    keeps_what_it_is_given(&mut LocalStorage::in_memory());
}

#[wasm_bindgen_test]
fn storage_is_apart_for_every_site_and_outlives_the_tracker() {
    let window = web_sys::window().unwrap();
    LocalStorage::open(&window, "outlives").set("visitor", "ada");
    let local = window.local_storage().unwrap().unwrap();
    assert_eq!(local.get_item("footfall.outlives.visitor").unwrap().as_deref(), Some("ada"));
    assert_eq!(LocalStorage::open(&window, "other").get("visitor"), None);
    LocalStorage::open(&window, "outlives").remove("visitor");
    assert_eq!(local.get_item("footfall.outlives.visitor").unwrap(), None);
}

#[wasm_bindgen_test]
fn a_full_storage_keeps_in_memory() {
    let window = web_sys::window().unwrap();
    let mut storage = LocalStorage::open(&window, "full");
    let larger_than_any_quota = "x".repeat(11 * 1024 * 1024);
    storage.set("queue", &larger_than_any_quota);
    assert_eq!(storage.get("queue").map(|text| text.len()), Some(larger_than_any_quota.len()));
    assert_eq!(LocalStorage::open(&window, "full").get("queue"), None);
}

#[wasm_bindgen_test]
fn the_clock_tells_this_time_and_the_dice_fall() {
    let mut window = Window::open("clock").unwrap();
    let in_2024 = 1_704_067_200_000;
    assert!(window.now() > in_2024);
    let (mut first, mut second) = ([0; 16], [0; 16]);
    window.fill_random(&mut first);
    window.fill_random(&mut second);
    assert_ne!(first, [0; 16]);
    assert_ne!(first, second);
}

#[wasm_bindgen_test]
fn the_page_is_read_as_it_stands() {
    let window = Window::open("page").unwrap();
    let meta = document().create_element("meta").unwrap();
    meta.set_attribute("name", "footfall:category").unwrap();
    meta.set_attribute("content", "Tea/Teapots").unwrap();
    document().head().unwrap().append_child(&meta).unwrap();
    document().set_title("Teapot");
    let page = window.page();
    assert!(page.url.starts_with("http"), "{}", page.url);
    assert_eq!((page.title.as_str(), page.category.as_str()), ("Teapot", "Tea/Teapots"));
    meta.remove();
    assert_eq!(window.page().category, "");
}

#[wasm_bindgen_test]
fn the_browser_tells_of_itself() {
    let context = Window::open("context").unwrap().context();
    assert!(context.language.is_some_and(|language| language.len() >= 2));
    assert!(context.screen_width.is_some_and(|width| width > 0));
    assert!(context.timezone_offset.is_some_and(|minutes| minutes.abs() <= 14 * 60));
}
