//! `footfall serve`: the dashboard and its API alone.

use clap::Args;

use crate::database::DatabaseArguments;
use crate::failure::listen;
use crate::output;
use crate::signal::Stop;

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    dashboard: dashboard::DashboardConfig,
}

impl Serve {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let stop = Stop::on_signal()?;
        let settings = self.dashboard.check()?;
        let listener = listen("--dashboard-listen", settings.listen()).await?;
        let address = listener.local_addr()?;
        let mut store = self.database.open_migrated().await?;
        output::line(format_args!("dashboard   http://{address}"))?;
        let server = store.server.clone();
        let served = tokio::select! {
            served = dashboard::run(settings, listener, server, stop.wait()) => served,
            never = store.keep_engine() => match never {},
        };
        store.close().await?;
        Ok(served?)
    }
}
