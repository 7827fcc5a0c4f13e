//! ClickHouse on this machine, without a server to install: the engine in a child process of its own.
//!
//! The child listens on loopback only, and lives no longer than the program that started it: it ends when
//! the pipe at its standard input does, which the kernel closes however the program ends.

mod chdb;
mod child;
mod error;
mod find;
mod folder;
mod keeper;

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use url::Url;

pub use child::{EngineArgs, run_engine};
pub use error::EngineError;

use crate::server::{Address, DATABASE_DEFAULT, Secret, Server};
use find::Found;
use folder::Folder;
use keeper::Keeper;

/// How long the engine may take to its first answer. 2 s is usual, from a cold disk; a recovery after a
/// crash with many parts takes longer.
pub(crate) const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the engine may take to end by itself.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause before an engine that ended by itself is started again; it doubles with each failure.
const RESTART_PAUSE_MIN: Duration = Duration::from_millis(500);
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(30);

/// How often a starting engine is looked at.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What an engine needs to be started.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The program whose hidden subcommand `engine` calls [`run_engine`]; usually this one.
    pub program: PathBuf,
    /// The library, where it is not in its usual place.
    pub library: Option<PathBuf>,
    /// The data folder; the engine lives in `clickhouse/` below it.
    pub data_dir: PathBuf,
    /// The port on loopback; 0 takes a free one.
    pub http_port: u16,
}

/// A running engine. [`Engine::stop`] ends it in order; dropping it ends it too, without waiting.
#[derive(Debug)]
pub struct Engine {
    /// What it was started with, the port as it turned out.
    config: EngineConfig,
    address: Address,
    keeper: Keeper,
    folder: Folder,
}

impl Engine {
    /// Starts the engine and waits for its first answer.
    ///
    /// # Errors
    /// See [`EngineError`]; nothing runs on after an error.
    pub async fn start(config: &EngineConfig) -> Result<Self, EngineError> {
        let folder = Folder::make(&config.data_dir)?;
        let port = free_port(config.http_port)?;
        let config = EngineConfig { http_port: port, ..config.clone() };
        let address = address(port);
        let keeper = launch(&config, &folder, &address).await?;
        Ok(Self { config, address, keeper, folder })
    }

    /// Starts the engine again, on the same port, whenever it ends by itself: out of memory, say. Never
    /// returns. Dropping the future stops the watch; an engine that was just being started again ends with it.
    pub async fn keep(&mut self) -> Infallible {
        loop {
            self.keeper.ended_by_itself().await;
            let mut pause = RESTART_PAUSE_MIN;
            loop {
                sleep(pause).await;
                match launch(&self.config, &self.folder, &self.address).await {
                    Ok(keeper) => {
                        self.keeper = keeper;
                        break;
                    }
                    Err(error) => tracing::error!(%error, "the embedded ClickHouse stays down"),
                }
                pause = (pause * 2).min(RESTART_PAUSE_MAX);
            }
        }
    }

    /// Where it answers.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The child's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.keeper.pid()
    }

    /// Ends the engine: asks it to, and kills it where it has not ended 10 s later. Every acknowledged
    /// insert is on disk either way.
    ///
    /// # Errors
    /// Where it does not even end when killed.
    pub async fn stop(mut self) -> Result<(), EngineError> {
        self.folder.remove_address();
        self.keeper.terminate();
        if self.keeper.ended_within(STOP_TIMEOUT).await.is_none() {
            tracing::warn!(pid = self.keeper.pid(), "the embedded ClickHouse did not end; killed");
            self.keeper.kill();
            let killed = self.keeper.ended_within(STOP_TIMEOUT).await;
            killed.ok_or(EngineError::DoesNotEnd { pid: self.keeper.pid() })?;
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.folder.remove_address();
    }
}

/// Starts the child on a free folder and waits for its first answer.
async fn launch(
    config: &EngineConfig,
    folder: &Folder,
    address: &Address,
) -> Result<Keeper, EngineError> {
    let found = find::engine(config.library.as_deref())?;
    folder.check_free()?;
    let keeper = Keeper::spawn(command(config, folder, &found, config.http_port)?).await;
    let mut keeper =
        keeper.map_err(|source| EngineError::Spawn { program: config.program.clone(), source })?;
    ready(&mut keeper, folder, address).await?;
    folder.write_address(address)?;
    keeper.need();
    tracing::info!(%address, pid = keeper.pid(), "the embedded ClickHouse is ready");
    Ok(keeper)
}

/// The engine of this data folder, where one runs and answers.
pub(crate) async fn running(data_dir: &std::path::Path) -> Option<Address> {
    let address = folder::read_address(data_dir)?;
    Server::new(&address).ping().await.is_ok().then_some(address)
}

fn address(port: u16) -> Address {
    let mut url = Url::parse("http://127.0.0.1").expect("a URL");
    url.set_port(Some(port)).expect("a URL with a host takes a port");
    Address {
        url,
        database: DATABASE_DEFAULT.to_owned(),
        user: "default".to_owned(),
        password: Secret::default(),
    }
}

/// The port itself where nobody listens on it, or one of the system's choice for 0. It is free when this
/// returns; who takes it before the engine does makes the engine end, which is told then.
fn free_port(port: u16) -> Result<u16, EngineError> {
    let taken = |source| EngineError::PortTaken { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(taken)?;
    Ok(listener.local_addr().map_err(taken)?.port())
}

/// The child: no secret of this program's environment, its own process group (a Ctrl-C at the terminal is
/// for the parent, which has to drain into the engine before it stops it), its output in the log.
fn command(
    config: &EngineConfig,
    folder: &Folder,
    found: &Found,
    port: u16,
) -> Result<Command, EngineError> {
    use std::os::unix::process::CommandExt;

    let log = folder.new_log()?;
    let log_too = log.try_clone().map_err(|source| folder.error(source))?;
    let mut command = Command::new(&config.program);
    command.arg("engine").arg("--path").arg(folder.path());
    command.arg("--http-port").arg(port.to_string());
    match found {
        Found::Library(library) => command.arg("--library").arg(library),
        Found::Program(program) => command.arg("--program").arg(program),
    };
    let kept = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "RUST_BACKTRACE"];
    command.env_clear();
    command.envs(kept.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    // Days begin at midnight UTC wherever no time zone is given, as on a server.
    command.env("TZ", "UTC");
    command.process_group(0).stdin(Stdio::piped()).stdout(log).stderr(log_too);
    Ok(command)
}

/// Waits for the first answer, unless the child ends before.
async fn ready(keeper: &mut Keeper, folder: &Folder, address: &Address) -> Result<(), EngineError> {
    let server = Server::new(address);
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        if let Some(status) = keeper.ended() {
            // Lost the race for the folder to another program's engine.
            folder.check_free()?;
            return Err(EngineError::Ended {
                status,
                log: folder.log(),
                last: folder.last_lines(),
            });
        }
        if server.ping().await.is_ok() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            keeper.kill();
            return Err(EngineError::NotReady {
                limit: START_TIMEOUT,
                log: folder.log(),
                last: folder.last_lines(),
            });
        }
        sleep(LOOK_AGAIN).await;
    }
}
