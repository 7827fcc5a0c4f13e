//! `footfall up`: the whole house in one process.

use clap::Args;

use crate::database::DatabaseArguments;
use crate::failure::listen;
use crate::output;
use crate::signal::{self, Stop};

#[derive(Args)]
pub(crate) struct Up {
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    collector: collector::CollectorConfig,
    #[command(flatten)]
    dashboard: dashboard::DashboardConfig,
}

impl Up {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let stop = Stop::on_signal()?;
        let data_dir = self.database.data_dir()?;
        let collector = self.collector.check(&data_dir)?;
        signal::hold(collector.handle())?;
        let dashboard = self.dashboard.check()?;
        let collector_port = listen("--collector-listen", collector.listen()).await?;
        let dashboard_port = listen("--dashboard-listen", dashboard.listen()).await?;
        let (collector_address, dashboard_address) =
            (collector_port.local_addr()?, dashboard_port.local_addr()?);
        let dashboard = dashboard.collector_at(collector.scheme(), collector_address);
        let mut store = self.database.open_own().await?;
        store::migrate::migrate(&store.server).await?;
        output::line(format_args!("collector   {}://{collector_address}", collector.scheme()))?;
        output::line(format_args!("dashboard   http://{dashboard_address}"))?;
        output::line(format_args!("clickhouse  {}", store.server.url()))?;
        output::line("footfall is up; Ctrl-C stops it")?;
        let server = store.server.clone();
        let running = async {
            tokio::join!(
                collector::run(collector, collector_port, server.clone(), stop.clone().wait()),
                dashboard::run(dashboard, dashboard_port, server.clone(), stop.clone().wait()),
            )
        };
        let (collected, served) = tokio::select! {
            ended = running => ended,
            never = store.keep_engine() => match never {},
        };
        // The collector has drained by now; only then may the engine go.
        store.close().await?;
        collected?;
        Ok(served?)
    }
}
