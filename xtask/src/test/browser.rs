//! A real browser for the tests: the one that is there, else Debian's.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::debian;
use crate::place::on_path;

const CHROMES: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const INSTALL: &str = "install Chromium and its driver (Debian: apt-get install chromium chromium-driver; \
                       macOS: brew install chromium chromedriver), or name them with CHROME and CHROMEDRIVER";

/// Chromium or Chrome, and the driver that speaks WebDriver for it.
pub(crate) struct Browser {
    chrome: PathBuf,
    driver: PathBuf,
}

impl Browser {
    /// Finds it; where root may, installs it.
    pub(super) fn present() -> Result<Self> {
        let browser = match Self::find()? {
            Some(browser) => browser,
            None => Self::install()?,
        };
        println!("{}, {}", browser.chrome.display(), browser.driver.display());
        Ok(browser)
    }

    fn find() -> Result<Option<Self>> {
        let chrome = named("CHROME")?.or_else(|| on_path(&CHROMES));
        let driver = named("CHROMEDRIVER")?.or_else(|| on_path(&["chromedriver"]));
        Ok(chrome.zip(driver).map(|(chrome, driver)| Self { chrome, driver }))
    }

    fn install() -> Result<Self> {
        let there = debian::install(&["chromium", "chromium-driver"])?;
        ensure!(there, "no browser for the tests: {INSTALL}");
        Self::find()?.with_context(|| format!("no browser after its installation: {INSTALL}"))
    }

    /// Tells a program where the browser is.
    pub(crate) fn name_in(&self, command: &mut Command) {
        command.env("CHROME", &self.chrome).env("CHROMEDRIVER", &self.driver);
    }

    /// Capabilities for the driver, beside the `headless` and `no-sandbox` that wasm-bindgen's runner adds.
    pub(super) fn webdriver_settings(&self) -> String {
        let chrome = self.chrome.display();
        format!(
            r#"{{"goog:chromeOptions": {{"binary": {:?}, "args": ["disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"]}}}}"#,
            chrome.to_string()
        )
    }
}

pub(super) fn named(variable: &str) -> Result<Option<PathBuf>> {
    let Some(file) = env::var_os(variable).map(PathBuf::from) else { return Ok(None) };
    ensure!(file.is_file(), "{variable} names {}, which is not there", file.display());
    Ok(Some(file))
}
