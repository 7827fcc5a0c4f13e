//! `footfall doctor`: whether a page is measured, and what to mend.

use std::time::Duration;

use analytics::query::Table;
use anyhow::bail;
use clap::{Args, ValueEnum};
use doctor::{Answer, Finding, Report};
use url::Url;

use crate::output::{self, Format};

/// An hour: nobody waits longer for a page.
const PATIENCE_MAX: u64 = 3600;

#[derive(Args)]
pub(crate) struct Doctor {
    /// A page of the site, with https:// or http://; it is opened as a visitor would, in a headless Chromium
    #[arg(value_parser = page)]
    url: Url,
    /// How long the page may take to load, and then the tracker to be through
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 15,
        value_parser = clap::value_parser!(u64).range(1..=PATIENCE_MAX)
    )]
    patience: u64,
    /// What the visitor answers when the page has been seen; without it nothing, as somebody who has just come
    #[arg(long, value_enum, value_name = "ANSWER")]
    consent: Option<Consent>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Consent {
    /// Agrees to everything, so that a site is seen that waits for consent
    Granted,
    /// Agrees to nothing, to see whether they are left alone
    Denied,
}

impl From<Consent> for Answer {
    fn from(consent: Consent) -> Self {
        match consent {
            Consent::Granted => Self::Granted,
            Consent::Denied => Self::Denied,
        }
    }
}

/// `localhost:8080` is an address too, of the scheme `localhost`.
fn page(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| {
        format!("a page's address begins with https:// or http://, as https://{text}")
    })
}

impl Doctor {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let patience = Duration::from_secs(self.patience);
        let report = doctor::examine(&self.url, self.consent.map(Answer::from), patience).await?;
        match self.format {
            // Sentences do not fit a table's cells.
            Format::Table => output::print(&report)?,
            format => format.print(&report, &table(&report))?,
        }
        verdict(&report)
    }
}

fn table(report: &Report) -> Table {
    let rows = report.findings.iter().map(|finding| {
        let Finding { check, state, seen, advice } = finding;
        vec![(*check).to_owned(), state.to_string(), seen.clone(), advice.clone()]
    });
    Table { columns: vec!["check", "state", "seen", "advice"], rows: rows.collect() }
}

/// A page that is not measured is a failure to scripts, too.
fn verdict(report: &Report) -> anyhow::Result<()> {
    if report.is_well() {
        return Ok(());
    }
    bail!("visitors of {} are not measured as they should be", report.url)
}
