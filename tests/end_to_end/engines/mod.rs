//! The tracker in the three engines that browsers are made of: the same pages, the same events.

mod engine;
mod visit;

use footfall_tests::Stack;

use engine::{Engine, Habit, Window};

/// Every point, one after the other: a browser takes seconds to start.
async fn is_measured_by(engine: Engine) {
    if !engine.is_asked_for() {
        return;
    }
    let stack = Stack::up(&[]).unwrap();
    let window = Window::open(engine, Habit::Usual).await.unwrap();
    visit::first_view(&stack, &window, engine).await;
    visit::history(&stack, &window).await;
    visit::step(&stack, &window).await;
    visit::leaving(&stack, &window).await;
    visit::consent(&stack, &window).await;
    visit::without_webassembly(&stack, &window, engine).await;
    window.close().await;

    let window = Window::open(engine, Habit::KeepsNothing).await.unwrap();
    visit::nothing_kept(&stack, &window).await;
    window.close().await;

    let window = Window::open(engine, Habit::PrivacyControl).await.unwrap();
    visit::privacy_control(&stack, &window, engine).await;
    window.close().await;
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_in_chromium_is_measured() {
    is_measured_by(Engine::Chromium).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_in_firefox_is_measured() {
    is_measured_by(Engine::Firefox).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_in_webkit_is_measured() {
    is_measured_by(Engine::WebKit).await;
}
