//! `footfall doctor`: whether a page is measured, and what to mend.

use std::time::Duration;

use analytics::query::Table;
use anyhow::bail;
use clap::Args;
use doctor::{Finding, Report};
use url::Url;

use crate::output::{self, Format};

#[derive(Args)]
pub(crate) struct Doctor {
    /// A page of the site, with https:// or http://; it is opened as a visitor would, in a headless Chromium
    url: Url,
    /// How long the page may take to load, and then the tracker to be through
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    patience: u64,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Doctor {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let report = doctor::examine(&self.url, Duration::from_secs(self.patience)).await?;
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
