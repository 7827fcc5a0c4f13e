//! `footfall dead-letters`

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use collector::dead_letters::{DeadLetters, Letter, replay};

use crate::database::DatabaseArguments;

#[derive(Args)]
pub(crate) struct DeadLettersCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the rows that ClickHouse refused, one JSON object a line
    List(List),
    /// Print one of them as JSON: a file to mend
    Show(Show),
    /// Put them into ClickHouse after all
    Replay(Replay),
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    database: DatabaseArguments,
}

#[derive(Args)]
struct Show {
    /// As `list` prints it
    id: String,
    #[command(flatten)]
    database: DatabaseArguments,
}

#[derive(Args)]
struct Replay {
    /// As `list` prints them
    #[arg(required_unless_present_any = ["all", "mended"])]
    ids: Vec<String>,
    /// Every one of them
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// What `show` printed, its row mended by you
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ids", "all"])]
    mended: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArguments,
}

impl DeadLettersCommand {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List(list) => list.run(),
            Action::Show(show) => show.run(),
            Action::Replay(replay) => replay.run().await,
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        for letter in DeadLetters::of(&self.database.data_dir()?).list()? {
            let Letter { id, refused_at, site, table, reason, .. } = letter;
            let line = serde_json::json!({
                "id": id, "refused_at": refused_at, "site": site, "table": table, "reason": reason,
            });
            println!("{line}");
        }
        Ok(())
    }
}

impl Show {
    fn run(self) -> anyhow::Result<()> {
        let letter = find(&DeadLetters::of(&self.database.data_dir()?), &self.id)?;
        println!("{}", serde_json::to_string_pretty(&letter)?);
        Ok(())
    }
}

impl Replay {
    async fn run(self) -> anyhow::Result<()> {
        let dead = DeadLetters::of(&self.database.data_dir()?);
        let mended = self.mended.as_deref().map(read).transpose()?;
        let letters = match &mended {
            Some(mended) => {
                ensure!(mended.row.is_some(), "the file has no row");
                vec![find(&dead, &mended.id)?]
            }
            None if self.all => dead.list()?,
            None => self.ids.iter().map(|id| find(&dead, id)).collect::<Result<_, _>>()?,
        };
        let row = mended.as_ref().and_then(|mended| mended.row.as_deref());
        let store = self.database.open_migrated().await?;
        let mut stayed = 0;
        for letter in &letters {
            match replay(&dead, &store.server, letter, row).await {
                Ok(()) => println!("{} is in ClickHouse", letter.id),
                Err(error) => {
                    stayed += 1;
                    eprintln!("{} stays: {:#}", letter.id, anyhow::Error::new(error));
                }
            }
        }
        store.close().await?;
        if stayed > 0 {
            bail!("{stayed} of {} dead letters stay", letters.len());
        }
        Ok(())
    }
}

fn find(dead: &DeadLetters, id: &str) -> anyhow::Result<Letter> {
    dead.find(id).with_context(|| format!("there is no dead letter {id}"))
}

fn read(file: &Path) -> anyhow::Result<Letter> {
    let json = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&json).with_context(|| format!("{} is no dead letter", file.display()))
}
