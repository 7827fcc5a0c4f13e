//! `footfall migrate`

use clap::Args;

use crate::database::DatabaseArguments;
use crate::output;

#[derive(Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    database: DatabaseArguments,
}

impl Migrate {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let store = self.database.open().await?;
        let applied = store::migrate::migrate(&store.server).await?;
        for migration in &applied {
            output::line(format_args!("applied {}", migration.name))?;
        }
        if applied.is_empty() {
            output::line("nothing to apply: the tables have this release's shape")?;
        }
        Ok(store.close().await?)
    }
}
