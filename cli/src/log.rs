//! Where log lines go: standard error, so that standard output holds answers only.

use std::io::{IsTerminal, stderr};

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

#[derive(Args)]
pub(crate) struct LogArguments {
    /// What is logged: error, warn, info, debug, or a filter such as collector=debug
    #[arg(long, global = true, env = "FOOTFALL_LOG", default_value = "info")]
    log: String,
    /// How a log line is written
    #[arg(long, global = true, env = "FOOTFALL_LOG_FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

pub(crate) fn start(arguments: &LogArguments) {
    let filter = EnvFilter::try_new(&arguments.log).unwrap_or_else(|error| {
        eprintln!("--log {:?} is not a filter ({error}); logging at info", arguments.log);
        EnvFilter::new("info")
    });
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal());
    match arguments.log_format {
        LogFormat::Text => lines.with_target(false).init(),
        LogFormat::Json => lines.json().init(),
    }
}
