//! Which ClickHouse a program speaks to: the one it was told, or the engine on this machine.

use std::convert::Infallible;
use std::path::PathBuf;

use thiserror::Error;
use tokio::time::{Instant, sleep};

use crate::embedded::{self, Engine, EngineConfig, EngineError};
use crate::server::{Address, AddressError, Server};

/// What a program knows when it opens the store.
#[derive(Clone)]
pub struct OpenOptions {
    /// A server to use; may hold a password.
    pub clickhouse_url: Option<String>,
    /// The data folder, for the embedded engine.
    pub data_dir: PathBuf,
    /// The engine's library, where it is not in its usual place.
    pub library: Option<PathBuf>,
    /// The embedded engine's port on loopback, 0 for any free one.
    pub engine_port: u16,
    /// Whether an engine that another program started will do. It ends with that program, so who stays up
    /// longer than a question takes says no, and waits for the folder.
    pub share: bool,
    /// The program whose hidden subcommand `engine` calls [`embedded::run_engine`]; usually this one.
    pub program: PathBuf,
}

/// Why the store is not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The address that was given is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The embedded engine does not run.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A ClickHouse, and the engine where this program started it.
#[derive(Debug)]
pub struct Store {
    /// To ask and to write.
    pub server: Server,
    engine: Option<Engine>,
}

impl Store {
    /// Whether this program started the engine, and so ends it.
    #[must_use]
    pub fn owns_engine(&self) -> bool {
        self.engine.is_some()
    }

    /// Starts the engine again whenever it ends by itself, where this program started it; see
    /// [`Engine::keep`]. Never returns.
    pub async fn keep_engine(&mut self) -> Infallible {
        match &mut self.engine {
            Some(engine) => engine.keep().await,
            None => std::future::pending().await,
        }
    }

    /// Ends the engine where this program started it. Whoever else used it has none after.
    ///
    /// # Errors
    /// Where the engine does not end.
    pub async fn close(self) -> Result<(), EngineError> {
        match self.engine {
            Some(engine) => engine.stop().await,
            None => Ok(()),
        }
    }
}

/// Opens the server of the address, which may be away: only its address is checked. Without one, uses the
/// engine that already runs on the data folder (where `share` allows it), or starts one that ends with this
/// program. An engine that is just starting or ending there is waited for, up to a minute.
///
/// # Errors
/// A bad address, or an engine that does not start.
pub async fn open(options: &OpenOptions) -> Result<Store, OpenError> {
    if let Some(url) = &options.clickhouse_url {
        let address: Address = url.parse()?;
        return Ok(Store { server: Server::new(&address), engine: None });
    }
    let config = EngineConfig {
        program: options.program.clone(),
        library: options.library.clone(),
        data_dir: options.data_dir.clone(),
        http_port: options.engine_port,
    };
    let deadline = Instant::now() + embedded::START_TIMEOUT;
    loop {
        if options.share
            && let Some(address) = embedded::running(&options.data_dir).await
        {
            return Ok(Store { server: Server::new(&address), engine: None });
        }
        match Engine::start(&config).await {
            Ok(engine) => {
                return Ok(Store { server: Server::new(engine.address()), engine: Some(engine) });
            }
            Err(EngineError::FolderTaken { .. }) if Instant::now() < deadline => {
                sleep(embedded::LOOK_AGAIN).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
