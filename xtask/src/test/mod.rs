//! `cargo xtask test`: every check and every test, in order, to the first that fails.

mod browser;
mod check;
mod debian;
mod engines;
mod failures;
mod fake_clock;
mod run;
mod summary;

use std::time::Instant;

use anyhow::{Context, Result};

use crate::fetch::{self, Fetched};
use crate::size;
pub(crate) use browser::Browser;
use engines::Engines;
use summary::Summary;

#[derive(clap::Args)]
pub(crate) struct Test {
    /// Only this step, after what it needs (may be repeated)
    #[arg(long, value_name = "STEP", value_parser = STEPS.map(|(name, _)| name))]
    only: Vec<String>,
}

/// What later steps take from earlier ones.
#[derive(Default)]
struct Bench {
    fetched: Option<Fetched>,
    browser: Option<Browser>,
    engines: Option<Engines>,
}

impl Bench {
    fn fetched(&self) -> Result<&Fetched> {
        self.fetched.as_ref().context("the step \"fetch\" comes first")
    }

    fn browser(&self) -> Result<&Browser> {
        self.browser.as_ref().context("the step \"browser\" comes first")
    }

    fn engines(&self) -> Result<&Engines> {
        self.engines.as_ref().context("the step \"engines\" comes first")
    }
}

type Step = fn(&mut Bench) -> Result<()>;

/// What must be there, then what fails fast, then what takes long.
const STEPS: [(&str, Step); 13] = [
    ("fetch", |bench| fetch::fetch().map(|fetched| bench.fetched = Some(fetched))),
    ("browser", |bench| browser().map(|browser| bench.browser = Some(browser))),
    ("engines", |bench| Engines::present().map(|engines| bench.engines = Some(engines))),
    ("format", |_| check::format()),
    ("build", |bench| run::build(bench.fetched()?)),
    ("budget", |_| size::budget()),
    ("lints", |_| check::lints()),
    ("lints in wasm", |_| check::lints_in_wasm()),
    ("documents", |_| check::documents()),
    ("dependencies", |_| check::dependencies()),
    ("unused dependencies", |_| check::unused_dependencies()),
    ("tests in wasm", |bench| run::tests_in_wasm(bench.browser()?)),
    ("tests", |bench| run::tests(bench.fetched()?, bench.browser()?, bench.engines()?)),
];

/// The browser of the tests, for the demo's visitors too.
pub(crate) fn browser() -> Result<Browser> {
    Browser::present()
}

impl Test {
    pub(crate) fn run(self) -> Result<()> {
        let mut bench = Bench::default();
        let mut summary = Summary::default();
        for (number, (name, step)) in STEPS.iter().enumerate() {
            if !self.asked_for(name) {
                continue;
            }
            println!("\n[{}/{}] {name}", number + 1, STEPS.len());
            let began = Instant::now();
            let outcome = step(&mut bench);
            summary.add(name, began.elapsed(), outcome.is_ok());
            if let Err(error) = outcome {
                print!("\n{summary}");
                return Err(error.context(format!("step \"{name}\" failed")));
            }
        }
        print!("\n{summary}");
        Ok(())
    }

    /// The first two steps are there for the others, and take no time once done; the third for the tests.
    fn asked_for(&self, step: &str) -> bool {
        let is_named = |step: &str| self.only.iter().any(|name| name == step);
        let needed = STEPS.iter().take(2).any(|(name, _)| *name == step)
            || (step == "engines" && is_named("tests"));
        needed || self.only.is_empty() || is_named(step)
    }
}
