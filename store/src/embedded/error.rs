//! Why there is no engine, and what to do.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use thiserror::Error;

/// Why the embedded ClickHouse does not run.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Neither the library nor a program of ClickHouse is here.
    #[error("no ClickHouse on this machine (looked for {}); fetch the engine with `cargo xtask fetch`, or name a server with `--clickhouse-url http://USER:PASSWORD@HOST:8123`", listed(.looked_for))]
    NotFound {
        /// The places.
        looked_for: Vec<PathBuf>,
    },
    /// Something listens on the port, or it may not be taken.
    #[error(
        "port {port} of 127.0.0.1 cannot be taken for the embedded ClickHouse: {source}; choose another with `--engine-port PORT`, 0 for any free one"
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// Another engine is on this folder.
    #[error("the embedded ClickHouse in {folder} is in use by another process{}; stop it, or choose another folder with `--data-dir DIR`", by(*.pid))]
    FolderTaken {
        /// The engine's folder.
        folder: PathBuf,
        /// The engine that has it, where it told.
        pid: Option<u32>,
    },
    /// The engine's folder cannot be made or written.
    #[error("the embedded ClickHouse's folder {folder} cannot be used: {source}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The child could not be started at all.
    #[error("the embedded ClickHouse's process ({program} engine) cannot be started: {source}")]
    Spawn {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The child ended before it was ready.
    #[error(
        "the embedded ClickHouse ended before it was ready ({status}); the end of {log}:\n{last}"
    )]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        last: String,
    },
    /// The child runs, and does not answer.
    #[error("the embedded ClickHouse gave no answer within {} s and was killed; the end of {log}:\n{last}", limit.as_secs())]
    NotReady {
        /// How long was waited.
        limit: Duration,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        last: String,
    },
    /// Killed, and still there.
    #[error("the embedded ClickHouse (process {pid}) does not end")]
    DoesNotEnd {
        /// The process.
        pid: u32,
    },
    /// In the child: the library could not be loaded.
    #[error("the ClickHouse library {library} cannot be loaded: {source}")]
    Library {
        /// The library.
        library: PathBuf,
        /// What the loader said.
        source: libloading::Error,
    },
    /// In the child: the engine came back with an error.
    #[error("the ClickHouse engine stopped: {message}")]
    Engine {
        /// What it said.
        message: String,
    },
    /// In the child: a path with a NUL in it.
    #[error("the path {path} cannot be given to the engine")]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// In the child: ClickHouse's own program could not be run.
    #[error("the program {program} cannot be run: {source}")]
    Program {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn listed(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

fn by(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}
