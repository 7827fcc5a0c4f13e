//! Which ClickHouse a command speaks to.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use directories::ProjectDirs;
use wire::SiteName;

/// Same flags on every command: without `--clickhouse-url` the embedded ClickHouse under
/// `--data-dir` is used, and started for the time of the command where it does not run already.
#[derive(Args, Clone)]
pub(crate) struct DatabaseArguments {
    /// Where the spool and the embedded ClickHouse live [default: the user's data folder]
    #[arg(long, env = "FOOTFALL_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Use this ClickHouse server instead: http://USER:PASSWORD@HOST:8123/DATABASE
    #[arg(long, env = "FOOTFALL_CLICKHOUSE_URL", value_name = "URL", hide_env_values = true)]
    clickhouse_url: Option<String>,
    /// The embedded ClickHouse's library [default: where `cargo xtask fetch` puts it]
    #[arg(long, env = "FOOTFALL_CLICKHOUSE_LIBRARY", value_name = "FILE")]
    clickhouse_library: Option<PathBuf>,
    /// The embedded ClickHouse's HTTP port, on loopback only; 0 takes a free one
    #[arg(long, env = "FOOTFALL_ENGINE_PORT", value_name = "PORT", default_value_t = 4402)]
    engine_port: u16,
}

impl DatabaseArguments {
    pub(crate) fn data_dir(&self) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.data_dir {
            return Ok(folder.clone());
        }
        let folders = ProjectDirs::from("", "", "footfall")
            .context("no home folder to keep data in: give --data-dir")?;
        Ok(folders.data_dir().to_owned())
    }

    /// For a command that ends when it has its answer: an engine that runs already will do.
    pub(crate) async fn open(&self) -> anyhow::Result<store::Store> {
        self.opened(true).await
    }

    /// For a command that stays up: the embedded engine must be its own, since an engine ends with
    /// the program that started it.
    pub(crate) async fn open_own(&self) -> anyhow::Result<store::Store> {
        self.opened(false).await
    }

    async fn opened(&self, share: bool) -> anyhow::Result<store::Store> {
        let options = store::OpenOptions {
            clickhouse_url: self.clickhouse_url.clone(),
            data_dir: self.data_dir()?,
            library: self.clickhouse_library.clone(),
            engine_port: self.engine_port,
            share,
            program: std::env::current_exe().context("cannot tell where this program lies")?,
        };
        Ok(store::open(&options).await?)
    }

    /// Opens, and brings the tables to this release's shape: what every command that asks or
    /// writes begins with.
    pub(crate) async fn open_migrated(&self) -> anyhow::Result<store::Store> {
        let store = self.open().await?;
        store::migrate::migrate(&store.server).await?;
        Ok(store)
    }

    /// Opens for a command about one site. Of a site that was never made every answer would be nought and
    /// every promise empty, which a misspelt name must not look like.
    pub(crate) async fn open_for(&self, site: &SiteName) -> anyhow::Result<store::Store> {
        let store = self.open_migrated().await?;
        if store::site::find(&store.server, site).await?.is_none() {
            store.close().await?;
            bail!(
                "there is no site {site}: `footfall site list` shows those there are, \
                 `footfall site add {site} --origin URL` makes it"
            );
        }
        Ok(store)
    }
}
