//! A real browser for the tests: the one that is there, else Debian's.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::place::on_path;
use crate::program::run;

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
        if !installed(&["chromium", "chromium-driver"])? {
            bail!("no browser for the tests: {INSTALL}")
        }
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

/// Installs packages of Debian's; false where this is no Debian, or somebody else than root.
pub(super) fn installed(packages: &[&str]) -> Result<bool> {
    let root = rustix::process::geteuid().is_root();
    let Some(apt) = on_path(&["apt-get"]).filter(|_| root) else { return Ok(false) };
    let apt = |arguments: &[&str]| {
        run(Command::new(&apt).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "--quiet"])?;
    let quiet = ["install", "--quiet", "--yes", "--no-install-recommends"];
    apt(&[&quiet[..], packages].concat())?;
    Ok(true)
}

pub(super) fn named(variable: &str) -> Result<Option<PathBuf>> {
    let Some(file) = env::var_os(variable).map(PathBuf::from) else { return Ok(None) };
    ensure!(file.is_file(), "{variable} names {}, which is not there", file.display());
    Ok(Some(file))
}
