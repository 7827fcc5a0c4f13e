#![doc = include_str!("../README.md")]
#![allow(clippy::print_stderr, reason = "a command line says there what is no answer")]

mod archive;
mod arguments;
mod asked;
mod audience;
mod clickhouse;
mod collect;
mod database;
mod dead_letters;
mod doctor;
mod explain;
mod failure;
mod funnel;
mod import;
mod interests;
mod link;
mod log;
mod migrate;
mod output;
mod privacy;
mod segment;
mod serve;
mod signal;
mod site;
mod site_flag;
mod site_tracker;
mod traffic;
mod up;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// A collector makes and frees small pieces of memory all day long. Counted by callgrind, that takes an
/// event 2,400 instructions with this one and 4,500 with glibc's; the process holds some 20 MB more.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    log::start(&arguments.log);
    match arguments.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}
