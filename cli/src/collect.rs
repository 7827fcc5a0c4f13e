//! `footfall collect`: the collector alone, beside any number of others.

use std::time::Duration;

use clap::Args;
use store::Server;

use crate::database::DatabaseArguments;
use crate::failure::listen;
use crate::output;
use crate::signal::{self, Stop};

/// How often a ClickHouse that is away is asked again whether the tables can be brought up to date.
const MIGRATE_AGAIN: Duration = Duration::from_secs(5);

#[derive(Args)]
pub(crate) struct Collect {
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    collector: collector::CollectorConfig,
}

impl Collect {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let stop = Stop::on_signal()?;
        let settings = self.collector.check(&self.database.data_dir()?)?;
        signal::hold(settings.handle())?;
        let listener = listen("--collector-listen", settings.listen()).await?;
        let address = listener.local_addr()?;
        let mut store = self.database.open_own().await?;
        let migration = tokio::spawn(migrate_when_reachable(store.server.clone()));
        output::line(format_args!("collector   {}://{address}", settings.scheme()))?;
        let server = store.server.clone();
        let collected = tokio::select! {
            collected = collector::run(settings, listener, server, stop.wait()) => collected,
            never = store.keep_engine() => match never {},
        };
        migration.abort();
        store.close().await?;
        Ok(collected?)
    }
}

/// A collector starts, accepts and spools while ClickHouse is away, so the tables may have to wait.
async fn migrate_when_reachable(server: Server) {
    while let Err(error) = store::migrate::migrate(&server).await {
        tracing::warn!(error = %error, "the tables could not be brought up to date; trying again");
        tokio::time::sleep(MIGRATE_AGAIN).await;
    }
}
