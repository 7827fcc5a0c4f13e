//! `footfall clickhouse`: the embedded engine alone, for SQL at the desk and for tests.

use clap::Args;

use crate::database::DatabaseArguments;
use crate::output;
use crate::signal::Stop;

#[derive(Args)]
pub(crate) struct Clickhouse {
    #[command(flatten)]
    database: DatabaseArguments,
}

impl Clickhouse {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let stop = Stop::on_signal()?;
        let store = self.database.open_own().await?;
        store::migrate::migrate(&store.server).await?;
        output::line(format_args!("clickhouse ready at {}", store.server.url()))?;
        stop.wait().await;
        Ok(store.close().await?)
    }
}
