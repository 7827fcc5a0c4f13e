//! The shop on the command line: `serve` it, or `walk` through it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program's answer is what it prints"
)]

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use example_shop::visitor::Expected;
use example_shop::walk::{plan, walk_seen};
use tokio::net::TcpListener;

/// A small shop with the tracker in it, and the visitors who walk through it.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the shop.
    Serve {
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:4404")]
        listen: SocketAddr,
        /// The site's tag, put verbatim into every page.
        #[arg(long, default_value = "")]
        tag: String,
    },
    /// Let ten people walk through the shop, and print the funnel that makes.
    Walk {
        /// The shop's address.
        #[arg(long, default_value = "http://127.0.0.1:4404")]
        shop: String,
        /// How to print the funnel.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Table,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Serve { listen, tag } => {
            let listener = TcpListener::bind(listen)
                .await
                .with_context(|| format!("cannot listen on {listen}"))?;
            eprintln!("the shop is at http://{}", listener.local_addr()?);
            example_shop::serve(listener, tag, interrupted()).await
        }
        Command::Walk { shop, format } => {
            let plan = plan();
            let mut left = 0;
            let walked = walk_seen(&shop, &plan, |visitor| {
                left += 1;
                let (name, country, reach) = (visitor.name, visitor.country, visitor.reach);
                eprintln!("{left}/{} {name} ({country}) has left: {reach:?}", plan.visitors.len());
            });
            print(&walked.await?.expected, format)
        }
    }
}

fn print(expected: &Expected, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => println!("{}", serde_json::to_string(expected)?),
        Format::Table => {
            for step in &expected.steps {
                println!("{:<20} {:>3}", step.name, step.count);
            }
        }
    }
    Ok(())
}

/// Ctrl-C, or the signal a service manager sends.
async fn interrupted() {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    let terminated = async {
        match &mut terminate {
            Ok(signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}
