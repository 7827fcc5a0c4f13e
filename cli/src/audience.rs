//! `footfall audience`

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use ::audience::destination::google::CustomerMatchCsv;
use ::audience::{SIZE_MIN_DEFAULT, Snapshot};
use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use segment::Rule;
use wire::SiteName;

use crate::database::DatabaseArguments;

#[derive(Args)]
pub(crate) struct Audience {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Write a segment's people as a destination wants them, hashed; only who consented leaves
    Export(Export),
}

#[derive(Args)]
struct Export {
    /// Whose people
    #[arg(long, value_name = "NAME")]
    site: SiteName,
    /// Who is meant: 'did add_to_cart and not did purchase in last 30 days'
    #[arg(long, value_name = "RULE")]
    rule: Rule,
    /// In whose form
    #[arg(long, value_enum)]
    destination: Destination,
    /// With fewer people than this nobody leaves: a small list says too much about each one in it
    #[arg(long, default_value_t = SIZE_MIN_DEFAULT, value_name = "PEOPLE")]
    size_min: u64,
    /// Where to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArguments,
}

#[derive(Clone, Copy, ValueEnum)]
enum Destination {
    /// Google Ads, a Customer Match CSV file
    Google,
}

impl Audience {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let What::Export(export) = self.what;
        let Destination::Google = export.destination;
        let store = export.database.open_for(&export.site).await?;
        let audience = ::audience::Audience {
            site: export.site,
            rule: export.rule,
            size_min: export.size_min,
            now: Timestamp::now(),
        };
        let snapshot = audience.snapshot(&store.server, CustomerMatchCsv).await?;
        match export.to {
            Some(file) => write_whole(&snapshot, file)?,
            None => snapshot.write(&mut std::io::stdout().lock())?,
        }
        eprintln!("{}", snapshot.receipt());
        Ok(store.close().await?)
    }
}

/// Written beside and renamed, so that a file of this name is always a whole audience.
fn write_whole(snapshot: &Snapshot<CustomerMatchCsv>, file: PathBuf) -> anyhow::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let beside = tempfile::NamedTempFile::new_in(folder.unwrap_or_else(|| ".".as_ref()))
        .with_context(|| format!("cannot write {}", file.display()))?;
    let mut out = BufWriter::new(beside);
    snapshot.write(&mut out)?;
    out.flush()?;
    out.into_inner()?.persist(&file).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(())
}
