//! What runs: the programs, the tests against one real ClickHouse, the tracker's own tests in a browser.

use std::fs;

use anyhow::{Result, ensure};

use super::browser::Browser;
use super::engines::Engines;
use super::failures::run_tests;
use super::fake_clock;
use crate::build::{self, TARGET};
use crate::clickhouse::{Engine, TEST_CLICKHOUSE_URL};
use crate::fetch::{self, Fetched};
use crate::place;
use crate::program::{cargo, run};

/// What the tests start, and the tests: at once, because cargo would build what they share twice otherwise.
pub(super) fn build(fetched: &Fetched) -> Result<()> {
    build::assets(fetched)?;
    run(cargo().args(["build", "--locked", "--workspace", "--all-targets"]))
}

/// One engine for all tests; each makes a database of its own in it.
pub(super) fn tests(fetched: &Fetched, browser: &Browser, engines: &Engines) -> Result<()> {
    let sdks = fetch::sdks()?;
    let clock = fake_clock::present()?;
    let mut engine = Engine::start("test-clickhouse", 0)?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "--workspace", "--no-fail-fast"]);
    tests.env(TEST_CLICKHOUSE_URL, &engine.url);
    tests.env("FOOTFALL_BIN_DIR", place::target().join("debug"));
    tests.env("FOOTFALL_SDK_MODULES", sdks);
    tests.env("FOOTFALL_TEST_GEO_FILE", &fetched.geo_file);
    if let Some(clock) = clock {
        tests.env(fake_clock::VARIABLE, clock);
    }
    if let Some(data) = place::reference_data() {
        tests.env("FOOTFALL_REFERENCE_DATA", data);
    }
    browser.name_in(&mut tests);
    engines.name_in(&mut tests);
    let outcome = run_tests(&mut tests);
    // Where the engine is gone, that is why the tests failed.
    engine.check()?;
    outcome?;
    engine.stop()
}

/// `sdk-wasm/tests/web.rs` in the browser. cargo's runner for wasm is built here, as its versions must agree.
pub(super) fn tests_in_wasm(browser: &Browser) -> Result<()> {
    let name = "wasm-test-runner";
    run(cargo().args([
        "build",
        "--locked",
        "-p",
        "xtask",
        "--features",
        "wasm-tests",
        "--bin",
        name,
    ]))?;
    let runner = place::built("debug", name);
    ensure!(runner.is_file(), "cargo made no {}", runner.display());

    let folder = tempfile::tempdir()?;
    let settings = folder.path().join("webdriver.json");
    fs::write(&settings, browser.webdriver_settings())?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "-p", "sdk-wasm", "--target", TARGET, "--test", "web"]);
    tests.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
    tests.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &settings);
    // The runner's own 5 s and 20 s are short for a busy machine's first start of a browser.
    tests.env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60").env("WASM_BINDGEN_TEST_TIMEOUT", "120");
    browser.name_in(&mut tests);
    run(&mut tests)
}
