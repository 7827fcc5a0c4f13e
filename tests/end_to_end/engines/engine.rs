//! A window of a real browser, whichever engine it has, driven by what W3C's WebDriver asks of all of them.
//!
//! `CHROME`, `CHROMEDRIVER`, `FIREFOX`, `GECKODRIVER`, `WEBKITWEBDRIVER` and `XVFB` name the programs, else they
//! are looked for on the path.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use fantoccini::{Client, ClientBuilder, Locator};
use footfall_tests::eventually;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// How long a page may take to do what is waited for, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// The same of a browser's start, and how many may fail at it.
const START: Duration = Duration::from_secs(40);
const ATTEMPTS: u32 = 3;
/// Between two looks at a page.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// Where nobody listens: what a browser wants of the world for itself goes there.
const NOWHERE: &str = "127.0.0.1:1";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Chromium,
    Firefox,
    WebKit,
}

/// What the visitor has set in their browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    Usual,
    /// Sites may keep nothing.
    KeepsNothing,
    /// Global Privacy Control is on. Only Firefox has it of its own.
    PrivacyControl,
}

impl Engine {
    /// Whether this engine is to be tested: `FOOTFALL_ENGINES` may name fewer than all, by commas.
    pub(super) fn is_asked_for(self) -> bool {
        let Ok(names) = env::var("FOOTFALL_ENGINES") else { return true };
        let all = [Self::Chromium, Self::Firefox, Self::WebKit];
        let known = all.map(|engine| format!("{engine:?}").to_lowercase());
        let unknown = names.split(',').find(|name| !known.iter().any(|known| known == name));
        assert!(unknown.is_none(), "FOOTFALL_ENGINES names {unknown:?}, and not only {known:?}");
        let named = names.split(',').any(|name| name == known[self as usize]);
        if !named {
            eprintln!("{self:?} was not run: FOOTFALL_ENGINES is {names}");
        }
        named
    }

    fn driver(self) -> anyhow::Result<Command> {
        let (variable, name, package) = match self {
            Self::Chromium => ("CHROMEDRIVER", "chromedriver", "Debian: chromium-driver"),
            Self::Firefox => ("GECKODRIVER", "geckodriver", "cargo install geckodriver"),
            Self::WebKit => ("WEBKITWEBDRIVER", "WebKitWebDriver", "Debian: webkit2gtk-driver"),
        };
        Ok(Command::new(program(variable, &[name], package)?))
    }

    /// What the browser is asked to be. The `proxy` keeps its own errands at home: no engine uses one for
    /// this machine's own addresses when told so.
    fn capabilities(self, habit: Habit, folder: &Path) -> anyhow::Result<Map<String, Value>> {
        let own = match self {
            Self::Chromium => json!({ "goog:chromeOptions": chrome(habit, folder) }),
            Self::Firefox => json!({ "moz:firefoxOptions": firefox(habit)? }),
            Self::WebKit => json!({
                "browserName": "MiniBrowser", "webkitgtk:browserOptions": webkit(habit)
            }),
        };
        let Value::Object(mut all) = own else { bail!("capabilities are an object") };
        let proxy = json!({
            "proxyType": "manual", "httpProxy": NOWHERE, "sslProxy": NOWHERE,
            "noProxy": ["127.0.0.1", "localhost"]
        });
        all.insert("proxy".into(), proxy);
        Ok(all)
    }
}

fn chrome(habit: Habit, folder: &Path) -> Value {
    let mut arguments = vec![format!("--user-data-dir={}", folder.join("profile").display())];
    let constant = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync";
    arguments.extend(constant.split_whitespace().map(ToOwned::to_owned));
    let mut options = json!({ "args": arguments });
    if let Ok(program) = env::var("CHROME") {
        options["binary"] = program.into();
    }
    if habit == Habit::KeepsNothing {
        options["prefs"] = json!({ "profile.default_content_setting_values.cookies": 2 });
    }
    options
}

fn firefox(habit: Habit) -> anyhow::Result<Value> {
    let program = program("FIREFOX", &["firefox-esr", "firefox"], "Debian: firefox-esr")?;
    let preferences = match habit {
        Habit::Usual => json!({}),
        Habit::KeepsNothing => json!({ "network.cookie.cookieBehavior": 2 }),
        Habit::PrivacyControl => json!({ "privacy.globalprivacycontrol.enabled": true }),
    };
    Ok(json!({ "args": ["-headless"], "binary": program, "prefs": preferences }))
}

fn webkit(habit: Habit) -> Value {
    let mut arguments = vec!["--automation"];
    if habit == Habit::KeepsNothing {
        arguments.push("--enable-html5-local-storage=false");
    }
    json!({ "args": arguments })
}

fn program(variable: &str, names: &[&str], package: &str) -> anyhow::Result<PathBuf> {
    if let Some(file) = env::var_os(variable) {
        return Ok(file.into());
    }
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let mut files = names.iter().flat_map(|name| folders.iter().map(move |dir| dir.join(name)));
    files.find(|file| file.is_file()).with_context(|| {
        format!(
            "there is no {}: install it ({package}), name it with {variable}, \
             or leave its engine out with FOOTFALL_ENGINES",
            names[0]
        )
    })
}

/// A program with all that it starts, ended with this value, or with the test however that ends: a shell
/// of the same group reads a pipe that this process holds, and ends them all when it is closed. It does so
/// too when the program ends.
struct Family(Child);

const WATCH: &str = "{ \"$@\"; kill -KILL 0; } & read -r _; kill -KILL 0";

impl Family {
    fn start(command: &Command, output: Stdio) -> anyhow::Result<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", WATCH, "sh"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        shell.process_group(0).stdin(Stdio::piped()).stdout(output).stderr(Stdio::null());
        let started = shell.spawn();
        Ok(Self(
            started.with_context(|| format!("cannot start {}", command.get_program().display()))?,
        ))
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It fails only where they have been waited for already.
        drop(self.0.wait());
    }
}

/// One window of a visitor's browser, with an empty profile of its own.
pub(super) struct Window {
    client: Client,
    // In this order: who shows, is shown on and is kept in what follows.
    _driver: Family,
    _display: Option<Family>,
    _folder: TempDir,
}

impl Window {
    pub(super) async fn open(engine: Engine, habit: Habit) -> anyhow::Result<Self> {
        for _ in 0..ATTEMPTS {
            let opened = Self::try_open(engine, habit);
            // A driver ends where another program was quicker to take the port it had found, and WebKit's waits for
            // ever where its browser found the one taken that they agreed on.
            match tokio::time::timeout(START, opened).await {
                Ok(Ok(window)) => return Ok(window),
                Ok(Err(error)) => eprintln!("{engine:?} has not started: {error:#}"),
                Err(_) => eprintln!("{engine:?} has not started within {START:?}"),
            }
        }
        bail!("{engine:?} does not start")
    }

    async fn try_open(engine: Engine, habit: Habit) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let display = (engine == Engine::WebKit).then(display).transpose()?;
        let (driver, url) = driver(engine, folder.path(), display.as_ref())?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(engine.capabilities(habit, folder.path())?)
            .connect(&url)
            .await
            .with_context(|| format!("{engine:?} does not start"))?;
        let display = display.map(|(display, _)| display);
        Ok(Self { client, _driver: driver, _display: display, _folder: folder })
    }

    /// Loads a page, as by typing its address.
    pub(super) async fn come_to(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(super) async fn click(&self, selector: &str) {
        self.client.find(Locator::Css(selector)).await.unwrap().click().await.unwrap();
    }

    /// The value of a JavaScript expression.
    pub(super) async fn value(&self, expression: &str) -> anyhow::Result<Value> {
        Ok(self.client.execute(&format!("return ({expression})"), Vec::new()).await?)
    }

    /// Whether a JavaScript expression is true now.
    pub(super) async fn holds(&self, expression: &str) -> bool {
        self.value(expression).await.unwrap() == true
    }

    /// Waits until it is. A page on its way to another one cannot be asked; the next one can.
    pub(super) async fn wait_until(&self, expression: &str) {
        let looks = async {
            let mut look = tokio::time::interval(LOOK_EVERY);
            while !self.value(expression).await.is_ok_and(|value| value == true) {
                look.tick().await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, looks).await;
        waited.unwrap_or_else(|_| panic!("after {DEADLINE:?} it does not hold that {expression}"));
    }

    /// Waits until the tracker, or its fallback, works.
    pub(super) async fn ready(&self) {
        self.wait_until("document.readyState === 'complete' && footfall.ready").await;
    }

    /// Waits until all that the tracker has seen is delivered.
    pub(super) async fn idle(&self) {
        self.wait_until("footfall.idle()").await;
    }

    pub(super) async fn run(&self, script: &str) {
        self.value(&format!("(() => {{ {script}; return true; }})()")).await.unwrap();
    }

    pub(super) async fn close(self) {
        self.client.close().await.unwrap();
    }
}

/// A screen for who knows no other way: an X server without one, with its number.
fn display() -> anyhow::Result<(Family, String)> {
    let mut command = Command::new(program("XVFB", &["Xvfb"], "Debian: xvfb")?);
    // It chooses a free number and says it.
    command.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
    let mut server = Family::start(&command, Stdio::piped())?;
    let mut number = String::new();
    let output = server.0.stdout.take().context("a pipe")?;
    BufReader::new(output).read_line(&mut number)?;
    ensure!(!number.trim().is_empty(), "Xvfb ended before it was ready");
    Ok((server, format!(":{}", number.trim())))
}

/// A driver of the engine that answers, and where. The port was free a moment ago; who took it meanwhile
/// ends the driver, and another is tried.
fn driver(
    engine: Engine,
    folder: &Path,
    display: Option<&(Family, String)>,
) -> anyhow::Result<(Family, String)> {
    for _ in 0..5 {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = engine.driver()?;
        command.arg(format!("--port={port}"));
        // Nothing of this machine's user is read or written.
        command.env("HOME", folder).env("TMPDIR", folder);
        if let Some((_, number)) = display {
            command.env("DISPLAY", number);
            // Its own sandbox needs namespaces that root in a container has not; the pages are ours.
            command.env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1");
        }
        let mut driver = Family::start(&command, Stdio::null())?;
        let url = format!("http://127.0.0.1:{port}");
        let answers = eventually(DEADLINE, || {
            if driver.0.try_wait()?.is_some() {
                return Ok(false);
            }
            Ok(ureq::get(format!("{url}/status")).call().map(|_| true)?)
        });
        if answers.with_context(|| format!("the driver of {engine:?} hangs"))? {
            return Ok((driver, url));
        }
    }
    bail!("no driver of {engine:?} stays up")
}
