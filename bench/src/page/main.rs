//! What a tracker costs a page: the same page with ours, with others' and with none, in turn, over a line and
//! on a processor that the browser slows down.

mod contender;
mod server;
mod table;
mod visit;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;
use doctor::browser::Browser;

use contender::{CONTENDERS, PURE};
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
    /// Print the result as one line of JSON after the tables
    #[arg(long)]
    json: bool,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let server = Server::start(&arguments.scripts).await?;
    let browser = Browser::start().await?;
    let mut tables = Vec::new();
    for processor in [1, 4] {
        match runs(&browser, &server, Conditions { processor }, arguments.runs.max(1)).await {
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
    runs: usize,
) -> Result<Vec<Vec<Measured>>> {
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
            let took = visit(browser, &server.site, contender, conditions).await?;
            of.push(took);
        }
        if run == 0 {
            ensure_equal(&measured)?;
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
