//! What a tracker costs a page: the same page with ours, with others' and with none, in turn, over a line and
//! on a processor that the browser slows down.

mod contender;
mod server;
mod table;
mod trace;
mod visit;

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;
use doctor::browser::Browser;

use contender::{CONTENDERS, Contender, PURE, Tag};
use server::Server;
use table::Table;
use visit::{Conditions, Measured, visit};

/// Opens the same page with one tracker after another
#[derive(Parser)]
struct Arguments {
    /// The folder with one of scripts for each tracker
    #[arg(long)]
    scripts: PathBuf,
    /// How often each page is opened; the median counts
    #[arg(long, default_value_t = 9)]
    runs: usize,
    /// Only these trackers, by the names of their folders, and the page without any (may be repeated)
    #[arg(long)]
    only: Vec<String>,
    /// Slow the processor down so many times, and measure nothing else (may be repeated)
    #[arg(long, default_values_t = [1, 4])]
    processor: Vec<u32>,
    /// Keep the browser's trace of each visit in this folder
    #[arg(long)]
    traces: Option<PathBuf>,
    /// Print the result as one line of JSON after the tables
    #[arg(long)]
    json: bool,
}

impl Arguments {
    fn measures(&self, contender: &Contender) -> bool {
        let asked_for = self.only.iter().any(|name| name == contender.name);
        self.only.is_empty() || asked_for || contender.tag == Tag::Nothing
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let server = Server::start(&arguments.scripts).await?;
    let browser = Browser::start().await?;
    let mut tables = Vec::new();
    for &processor in &arguments.processor {
        match runs(&browser, &server, Conditions { processor }, &arguments).await {
            Ok(measured) => tables.push(Table { processor, measured }),
            Err(error) => {
                browser.stop().await;
                return Err(error);
            }
        }
    }
    browser.stop().await;
    for table in &tables {
        print!("{table}");
    }
    if arguments.json {
        println!("{}", tables.iter().map(Table::json).collect::<serde_json::Value>());
    }
    Ok(())
}

/// What each contender took, once for each run. Each run begins with another of them.
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
async fn runs(
    browser: &Browser,
    server: &Server,
    conditions: Conditions,
    arguments: &Arguments,
) -> Result<Vec<Vec<Measured>>> {
    let runs = arguments.runs.max(1);
    let mut measured = vec![Vec::new(); CONTENDERS.len()];
    // The first round only warms the browser up.
    for run in 0..=runs {
        println!("processor / {}, run {run} of {runs}", conditions.processor);
        for turn in 0..CONTENDERS.len() {
            let which = (run + turn) % CONTENDERS.len();
            let (Some(contender), Some(of)) = (CONTENDERS.get(which), measured.get_mut(which))
            else {
                continue;
            };
            if !arguments.measures(contender) {
                continue;
            }
            let (took, trace) = visit(browser, &server.site, contender, conditions).await?;
            if let Some(folder) = &arguments.traces {
                let name = format!("{}-{}-{run}.json", contender.name, conditions.processor);
                fs::write(folder.join(name), serde_json::to_vec(&trace)?)?;
            }
            of.push(took);
        }
        if run == 0 {
            if arguments.only.is_empty() {
                ensure_equal(&measured)?;
            }
            measured.iter_mut().for_each(Vec::clear);
        }
    }
    Ok(measured)
}

/// What is measured beside ours as the same tracker must say the same.
fn ensure_equal(measured: &[Vec<Measured>]) -> Result<()> {
    let said =
        |which: usize| measured.get(which).and_then(|runs| runs.first()).map(|run| &run.said);
    let (ours, pure) = (said(0), said(PURE));
    ensure!(ours.is_some_and(|keys| keys.len() > 10), "our tracker says too little: {ours:?}");
    ensure!(ours == pure, "the tracker in JavaScript says {pure:?}, and ours {ours:?}");
    Ok(())
}
