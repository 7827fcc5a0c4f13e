//! `footfall funnel`

use analytics::funnel::{By, Step, Window};
use clap::Args;

use crate::asked::Asked;

#[derive(Args)]
pub(crate) struct Funnel {
    #[command(flatten)]
    asked: Asked,
    /// What counts as the step, in order: an event's name, or a name and a condition such as
    /// 'page_view where path = "/cart"'; given 1 to 32 times
    #[arg(long, required = true, value_name = "EVENT")]
    step: Vec<Step>,
    /// How long after its first step a visit through the funnel may take: 30m, 1d, none
    #[arg(long, default_value = "30d", value_name = "DURATION")]
    window: Window,
    /// Whose steps belong together: visitor, session or user (a known id)
    #[arg(long, default_value = "visitor", value_name = "WHO")]
    by: By,
}

impl Funnel {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let (site, range, filter) = self.asked.scope()?;
        let question = analytics::funnel::Funnel {
            site,
            steps: self.step,
            window: self.window,
            by: self.by,
            range,
            filter,
        };
        let store = self.asked.open().await?;
        let report = question.ask(&store.server).await?;
        self.asked.format.print(&report, &report.table())?;
        Ok(store.close().await?)
    }
}
