//! `footfall archive`

use std::path::PathBuf;

use analytics::query::Range;
use clap::{Args, Subcommand};
use collector::archive::{Archive, Replay as Asked};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use wire::SiteName;

use crate::database::DatabaseArguments;
use crate::output;

#[derive(Args)]
pub(crate) struct ArchiveCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List what is archived, one JSON object a file: blocks, when, rows, bytes, events by site
    List(List),
    /// Judge archived events by today's rules, and put in what the tables have otherwise; done again, it
    /// changes nothing
    Replay(Replay),
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    database: DatabaseArguments,
}

#[derive(Args)]
struct Replay {
    /// Events from when: a date, an RFC 3339 time, how long ago (30d), or all
    #[arg(long, value_name = "WHEN")]
    from: String,
    /// Until when, in the same forms; a date belongs to the range
    #[arg(long, value_name = "WHEN")]
    to: String,
    /// Of this site only
    #[arg(long, value_name = "NAME")]
    site: Option<SiteName>,
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// Put back events and identifiers that the tables have no more; also those that were taken out on
    /// purpose, but none of suppressed persons
    #[arg(long)]
    missing: bool,
    /// Take events out of the tables that today's exclusions (path, host, referrer, referrer spam) leave out
    #[arg(long)]
    remove_excluded: bool,
    /// As the events were first stored, and not by today's rules: undoes a replay
    #[arg(long, conflicts_with_all = ["remove_excluded", "currency_file"])]
    as_archived: bool,
    /// Rates of exchange (.csv, as the European Central Bank's eurofxref-hist.csv); without them the
    /// reported values stay
    #[arg(long, env = "FOOTFALL_CURRENCY_FILE", value_name = "FILE")]
    currency_file: Option<PathBuf>,
    /// Further domains of referrer spam, as the collector's
    #[arg(long, env = "FOOTFALL_REFERRER_SPAM_FILE", value_name = "FILE")]
    referrer_spam_file: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArguments,
}

impl ArchiveCommand {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List(list) => list.run(),
            Action::Replay(replay) => replay.run().await,
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        for archived in Archive::of(&self.database.data_dir()?).list()? {
            output::line(serde_json::to_string(&archived)?)?;
        }
        Ok(())
    }
}

impl Replay {
    async fn run(self) -> anyhow::Result<()> {
        let range = Range::parse(Some(&self.from), Some(&self.to), Timestamp::now())?;
        let archive = Archive::of(&self.database.data_dir()?);
        let asked = Asked {
            from: range.from.map(Timestamp::as_millisecond),
            to: range.to.map(Timestamp::as_millisecond),
            site: self.site,
            dry_run: self.dry_run,
            missing: self.missing,
            remove_excluded: self.remove_excluded,
            as_archived: self.as_archived,
            currency_file: self.currency_file,
            referrer_spam_file: self.referrer_spam_file,
        };
        let bar = ProgressBar::new(archive.bytes()?).with_style(ProgressStyle::with_template(
            "{bar:30} {bytes} of {total_bytes}  {bytes_per_sec}",
        )?);
        let store = self.database.open_migrated().await?;
        let replayed = archive.replay(&store.server, &asked, |bytes| bar.set_position(bytes)).await;
        bar.finish_and_clear();
        let replayed = replayed?;
        if asked.dry_run {
            output::line("nothing was done; this would be:")?;
        }
        output::print(replayed)?;
        Ok(store.close().await?)
    }
}
