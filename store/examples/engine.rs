//! The smallest program around the embedded ClickHouse: starts it on a data folder, says where it answers,
//! and holds it until it is killed.
//!
//! `cargo run -p store --example engine -- hold DIR PORT`, with `FOOTFALL_CLICKHOUSE_LIBRARY` naming the
//! library where it is not in the cache.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program on the command line")]

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use store::embedded::{EngineArgs, run_engine};
use store::{OpenOptions, open};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Opens the store of a data folder and holds it.
    Hold {
        data_dir: PathBuf,
        engine_port: u16,
        #[arg(long, env = "FOOTFALL_CLICKHOUSE_LIBRARY")]
        library: Option<PathBuf>,
    },
    /// The child process the engine lives in.
    #[command(hide = true)]
    Engine(EngineArgs),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Engine(arguments) => run_engine(&arguments).map_err(Into::into),
        Command::Hold { data_dir, engine_port, library } => hold(data_dir, engine_port, library),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn hold(
    data_dir: PathBuf,
    engine_port: u16,
    library: Option<PathBuf>,
) -> Result<(), Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let options =
        OpenOptions { clickhouse_url: None, data_dir, library, engine_port, share: true, program };
    let store = open(&options).await?;
    println!("{}", store.server.url());
    std::future::pending::<()>().await;
    Ok(store.close().await?)
}
