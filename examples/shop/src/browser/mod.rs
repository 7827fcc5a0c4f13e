//! A real browser, driven: Chromium through chromedriver.
//!
//! `CHROME` and `CHROMEDRIVER` name the programs, else `chromium` and `chromedriver` are looked for
//! on the path.

mod proxy;

use std::env;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::http::Method;
use fantoccini::error::CmdError;
use fantoccini::wd::{WebDriverCompatibleCommand, WindowHandle};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use url::Url;

use crate::visitor::Device;

use self::proxy::Proxy;

/// How long a page, a click or a delivery may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often chromedriver is started until it has a port.
const STARTS: u32 = 3;
/// Between two looks at a page.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// What every browser is started with: nothing of its own on the network, and nothing that says
/// that a program drives it, since it plays people.
const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--disable-blink-features=AutomationControlled",
];

/// A device with no will of its own, for pictures.
const CAMERA: Device = Device { user_agent: "", width: 1440, height: 900, mobile: false };

/// Light or dark, as the visitor's system says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `prefers-color-scheme: light`
    Light,
    /// `prefers-color-scheme: dark`
    Dark,
}

/// A chromedriver of our own, which ends with this value.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    url: String,
}

impl Browser {
    /// Starts chromedriver on a free port, and once more where another program was quicker to take that:
    /// chromedriver looks for one that is free in IPv4, and then takes it in IPv6 too.
    ///
    /// # Errors
    ///
    /// When it is not installed or does not come up.
    pub async fn start() -> anyhow::Result<Self> {
        for _ in 1..STARTS {
            if let Ok(browser) = Self::started().await {
                return Ok(browser);
            }
        }
        Self::started().await
    }

    async fn started() -> anyhow::Result<Self> {
        let program = env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".into());
        let mut driver = Command::new(&program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {program}; is it installed?"))?;
        let output = driver.stdout.take().context("chromedriver has no output")?;
        let mut lines = BufReader::new(output).lines();
        let port = async {
            let mut said = String::new();
            while let Some(line) = lines.next_line().await? {
                if let Some((_, port)) = line.split_once("started successfully on port ") {
                    return Ok(port.trim_end_matches('.').parse::<u16>()?);
                }
                said = line;
            }
            bail!("{program} ended before it was ready: {said}")
        };
        let port = timeout(DEADLINE, port).await.with_context(|| format!("{program} hangs"))??;
        // Read on, or the driver stops when the pipe is full.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { driver, url: format!("http://127.0.0.1:{port}") })
    }

    /// A new visitor: a browser of its own, with an empty profile. With an `address`, everybody
    /// who trusts this machine as a proxy sees the visitor come from there.
    ///
    /// # Errors
    ///
    /// When the browser does not start.
    pub async fn visitor(
        &self,
        device: &Device,
        language: &str,
        address: Option<&str>,
    ) -> anyhow::Result<Tab> {
        let profile = tempfile::tempdir().context("no place for a browser's profile")?;
        let mut arguments: Vec<_> = ARGUMENTS.iter().map(ToString::to_string).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        arguments.push(format!("--window-size={},{}", device.width, device.height));
        let proxy = match address {
            Some(address) => Some(Proxy::start(address).await?),
            None => None,
        };
        if let Some(proxy) = &proxy {
            arguments.push(format!("--proxy-server={}", proxy.url()));
            // Chromium spares this machine's own addresses the proxy unless it is told not to.
            arguments.push("--proxy-bypass-list=<-loopback>".into());
        }
        let mut options = json!({ "args": arguments, "excludeSwitches": ["enable-automation"] });
        if let Ok(program) = env::var("CHROME") {
            options["binary"] = program.into();
        }
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".into(), options);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.url)
            .await
            .context("the browser does not start")?;
        let tab = Tab { client, profile, proxy };
        tab.become_device(device, language).await?;
        Ok(tab)
    }

    /// A picture (PNG) of the whole page at `url`, `width` CSS pixels wide, once `ready` (a
    /// JavaScript expression) holds.
    ///
    /// # Errors
    ///
    /// When the page does not come to that.
    pub async fn screenshot(
        &self,
        url: &str,
        width: u32,
        scheme: Scheme,
        ready: &str,
    ) -> anyhow::Result<Vec<u8>> {
        let tab =
            self.visitor(&Device { width, mobile: width < 600, ..CAMERA }, "en", None).await?;
        let picture = async {
            tab.prefer(scheme).await?;
            tab.come_to(url, "").await?;
            tab.wait_until("document.readyState === 'complete'").await?;
            tab.wait_until(ready).await?;
            tab.picture(width).await
        };
        let picture = picture.await;
        tab.close().await?;
        picture
    }

    /// Ends chromedriver.
    ///
    /// # Errors
    ///
    /// When it cannot be ended.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.driver.kill().await.context("cannot end chromedriver")
    }
}

/// One visitor's browser, with one page.
#[derive(Debug)]
pub struct Tab {
    client: Client,
    profile: TempDir,
    proxy: Option<Proxy>,
}

impl Tab {
    /// Loads a page, as by a link on `referrer` (empty: by typing the address).
    ///
    /// # Errors
    ///
    /// When it cannot be reached.
    pub async fn come_to(&self, url: &str, referrer: &str) -> anyhow::Result<()> {
        let mut parameters = json!({ "url": url });
        if !referrer.is_empty() {
            parameters["referrer"] = referrer.into();
            parameters["referrerPolicy"] = "unsafeUrl".into();
        }
        let answer = self.devtools("Page.navigate", parameters).await?;
        match answer["errorText"].as_str() {
            Some(error) => bail!("cannot open {url}: {error}"),
            None => Ok(()),
        }
    }

    /// Clicks on the first element that `selector` finds.
    ///
    /// # Errors
    ///
    /// When there is none, or something lies over it.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        let element = self.client.find(Locator::Css(selector)).await;
        let clicked = async { element?.click().await }.await;
        clicked.with_context(|| format!("cannot click on {selector}"))
    }

    /// Types into the field that `selector` finds.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn fill(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        let element = self.client.find(Locator::Css(selector)).await;
        let filled = async { element?.send_keys(text).await }.await;
        filled.with_context(|| format!("cannot type into {selector}"))
    }

    /// Whether `selector` finds anything.
    ///
    /// # Errors
    ///
    /// When the browser is gone.
    pub async fn has(&self, selector: &str) -> anyhow::Result<bool> {
        Ok(!self.client.find_all(Locator::Css(selector)).await?.is_empty())
    }

    /// Whether a JavaScript expression is true now; one that throws is not.
    pub async fn holds(&self, expression: &str) -> bool {
        self.evaluate(expression).await.is_ok_and(|value| value == Value::Bool(true))
    }

    /// The value of a JavaScript expression.
    ///
    /// # Errors
    ///
    /// When it throws, or the page goes away under it.
    pub async fn evaluate(&self, expression: &str) -> anyhow::Result<Value> {
        Ok(self.client.execute(&format!("return ({expression})"), Vec::new()).await?)
    }

    /// Waits until a JavaScript expression is true.
    ///
    /// # Errors
    ///
    /// When it has not become so in 30 seconds.
    pub async fn wait_until(&self, expression: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + DEADLINE;
        let looks = async {
            let mut next = Instant::now();
            // A page on its way to another one cannot be asked; the next one can.
            while !self.evaluate(expression).await.is_ok_and(|value| value == true) {
                next += LOOK_EVERY;
                sleep_until(next).await;
            }
        };
        let within = || format!("after {DEADLINE:?} it does not hold that {expression}");
        timeout_at(deadline, looks).await.with_context(within)
    }

    /// The page's address.
    ///
    /// # Errors
    ///
    /// When the browser is gone.
    pub async fn url(&self) -> anyhow::Result<Url> {
        Ok(self.client.current_url().await?)
    }

    /// Says whether the visitor's system is light or dark.
    ///
    /// # Errors
    ///
    /// When the browser does not take it.
    pub async fn prefer(&self, scheme: Scheme) -> anyhow::Result<()> {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", features).await?;
        Ok(())
    }

    /// A picture (PNG) of the whole page, `width` CSS pixels wide.
    ///
    /// # Errors
    ///
    /// When the browser gives none.
    pub async fn picture(&self, width: u32) -> anyhow::Result<Vec<u8>> {
        let height = self.evaluate("document.documentElement.scrollHeight").await?;
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await?;
        self.client.screenshot().await.context("the browser gives no picture")
    }

    /// Opens another tab beside this one and turns to it, with the `device` that the first has; what
    /// is asked from now on is asked there. Gives the tab that was turned away from, to come back to.
    ///
    /// # Errors
    ///
    /// When the browser opens none.
    pub async fn open_another(
        &self,
        device: &Device,
        language: &str,
    ) -> anyhow::Result<WindowHandle> {
        let another = self.client.new_window(true).await.context("the browser opens no tab")?;
        let before = self.turn_to(another.handle).await?;
        self.become_device(device, language).await?;
        Ok(before)
    }

    /// Turns to a tab, and gives the one that was turned away from.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub async fn turn_to(&self, tab: WindowHandle) -> anyhow::Result<WindowHandle> {
        let before = self.client.window().await?;
        self.client.switch_to_window(tab).await.context("there is no such tab")?;
        self.devtools("Page.bringToFront", json!({})).await?;
        Ok(before)
    }

    /// The visitor leaves: the browser ends, and its profile is deleted.
    ///
    /// # Errors
    ///
    /// When either fails.
    pub async fn close(self) -> anyhow::Result<()> {
        self.client.close().await.context("the browser does not end")?;
        // What a browser still writes on its way out does not matter to anybody.
        drop(self.profile);
        drop(self.proxy);
        Ok(())
    }

    /// A command of Chromium's own protocol, and its answer.
    ///
    /// # Errors
    ///
    /// When Chromium refuses it.
    pub async fn devtools(&self, name: &str, parameters: Value) -> Result<Value, CmdError> {
        let command = Devtools { body: json!({ "cmd": name, "params": parameters }).to_string() };
        self.client.issue_cmd(command).await
    }

    async fn become_device(&self, device: &Device, language: &str) -> anyhow::Result<()> {
        let Device { user_agent, width, height, mobile } = device;
        let metrics = json!({
            "width": width, "height": height, "screenWidth": width, "screenHeight": height,
            "deviceScaleFactor": 1, "mobile": mobile
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await?;
        if !user_agent.is_empty() {
            let agent = json!({ "userAgent": user_agent, "acceptLanguage": language });
            self.devtools("Emulation.setUserAgentOverride", agent).await?;
        }
        Ok(())
    }
}

/// chromedriver's door to Chromium's own protocol.
#[derive(Debug)]
struct Devtools {
    body: String,
}

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.clone()))
    }
}
