//! What runs in the child: takes the folder, watches the parent, and becomes ClickHouse.

use std::ffi::{CString, OsString};
use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::{Signal, getpid, kill_process};

use super::chdb;
use super::error::EngineError;
use super::folder::{self, Folder};
use crate::sql;

/// A parent that looks whether the folder is free has it for a moment; longer than this has it who uses it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the engine may take to end by itself once its parent is gone.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// The hidden subcommand's arguments.
#[derive(Args, Clone, Debug)]
#[group(id = "engine")]
pub struct EngineArgs {
    /// The engine's folder
    #[arg(long, value_name = "DIR")]
    path: PathBuf,
    /// The HTTP port on loopback
    #[arg(long, value_name = "PORT")]
    http_port: u16,
    /// The engine as a library
    #[arg(long, value_name = "FILE", required_unless_present = "program")]
    library: Option<PathBuf>,
    /// The engine as ClickHouse's own program
    #[arg(long, value_name = "FILE", conflicts_with = "library")]
    program: Option<PathBuf>,
}

/// Is ClickHouse until the parent ends or sends SIGTERM. To be called before any other thread exists.
///
/// # Errors
/// Where the folder is taken, the library or program cannot be run, or the engine stops by itself.
pub fn run_engine(args: &EngineArgs) -> Result<(), EngineError> {
    let folder = Folder::at(&args.path)?;
    let lock = lock(&folder)?;
    folder::write_pid(&lock).map_err(|error| folder.error(error))?;
    end_with_parent().map_err(|error| folder.error(error))?;
    write_settings(&folder).map_err(|error| folder.error(error))?;
    let argv = argv(&folder, args.http_port);
    match (&args.library, &args.program) {
        (Some(library), _) => {
            watch_parent().map_err(|error| folder.error(error))?;
            let argv = argv.into_iter().map(|argument| {
                let path = PathBuf::from(&argument);
                CString::new(argument.as_bytes()).map_err(|_| EngineError::Path { path })
            });
            chdb::run(library, &argv.collect::<Result<Vec<_>, _>>()?)
        }
        (None, Some(program)) => {
            // The lock has to live on in the program this process becomes.
            let kept = rustix::io::fcntl_setfd(&lock, rustix::io::FdFlags::empty());
            kept.map_err(|error| folder.error(error.into()))?;
            let mut command = Command::new(program);
            command.arg("local").args(argv.iter().skip(1));
            Err(EngineError::Program { program: program.clone(), source: command.exec() })
        }
        (None, None) => Err(EngineError::NotFound { looked_for: Vec::new() }),
    }
}

fn lock(folder: &Folder) -> Result<fs::File, EngineError> {
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        match folder.lock() {
            Err(EngineError::FolderTaken { .. }) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(20));
            }
            locked => return locked,
        }
    }
}

/// Linux can tell by itself. The thread that started this one lives as long as the parent does.
fn end_with_parent() -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
    Ok(())
}

/// Ends this process when the pipe at its standard input does: the parent holds the other end and writes
/// nothing. The engine gets an empty standard input instead.
fn watch_parent() -> std::io::Result<()> {
    let pipe = std::io::stdin().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(fs::File::open("/dev/null")?)?;
    let watch = move || {
        let mut pipe = fs::File::from(pipe);
        let mut byte = [0];
        while matches!(pipe.read(&mut byte), Ok(1..)) {}
        if kill_process(getpid(), Signal::TERM).is_ok() {
            thread::sleep(END_TIMEOUT);
        }
        std::process::exit(1);
    };
    thread::Builder::new().name("parent-watch".to_owned()).spawn(watch).map(drop)
}

fn argv(folder: &Folder, port: u16) -> Vec<OsString> {
    let with = |option: &str, path: &Path| {
        let mut argument = OsString::from(option);
        argument.push(path);
        argument
    };
    vec![
        "clickhouse".into(),
        with("--config-file=", &folder.settings()),
        with("--path=", &folder.data()),
        "--log-level=warning".into(),
        format!("--query={}", sql::SERVE).into(),
        "--".into(),
        // Once more, although the settings say it: never another interface, whatever they come to say.
        "--listen_host=127.0.0.1".into(),
        format!("--http_port={port}").into(),
    ]
}

/// The engine has no password, so no browser may speak to it: a page of any site could otherwise send it
/// SQL. Browsers say `Sec-Fetch-Site` with every request to this machine, and `Origin` with every POST.
const NO_BROWSERS: &str = "\
<http_handlers>
<rule><headers><Sec-Fetch-Site>regex:.+</Sec-Fetch-Site></headers><handler><type>static</type>\
<status>403</status><response_content>not for browsers</response_content></handler></rule>
<rule><headers><Origin>regex:.+</Origin></headers><handler><type>static</type>\
<status>403</status><response_content>not for browsers</response_content></handler></rule>
<defaults/>
</http_handlers>";

/// A machine that runs everything else too: half of its memory at most, small caches, one rotated log of
/// warnings. ClickHouse keeps no tables about itself (`system.query_log` and its like) where none are
/// configured.
fn write_settings(folder: &Folder) -> std::io::Result<()> {
    let log = folder.log();
    let log = log.to_string_lossy().replace('&', "&amp;").replace('<', "&lt;");
    let settings = format!(
        "<clickhouse>\n\
         <logger><level>warning</level><log>{log}</log><size>10M</size><count>1</count></logger>\n\
         <listen_host>127.0.0.1</listen_host>\n\
         <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>\n\
         <mark_cache_size>268435456</mark_cache_size>\n\
         <index_mark_cache_size>67108864</index_mark_cache_size>\n\
         <uncompressed_cache_size>0</uncompressed_cache_size>\n\
         <max_concurrent_queries>100</max_concurrent_queries>\n\
         {NO_BROWSERS}\n\
         </clickhouse>\n"
    );
    fs::write(folder.settings(), settings)
}
