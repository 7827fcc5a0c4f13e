//! `footfall dead-letters`

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use collector::dead_letters::{DeadLetters, Letter, Replayer};
use serde_json::value::RawValue;

use crate::database::DatabaseArguments;
use crate::output;

#[derive(Args)]
pub(crate) struct DeadLettersCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the rows that ClickHouse refused and the events that were left out, one JSON object a line
    List(List),
    /// Print one of them as JSON, or several as JSON Lines: a file to mend
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
    /// As `list` prints them
    #[arg(required_unless_present = "all")]
    ids: Vec<String>,
    /// Every one of them
    #[arg(long, conflicts_with = "ids")]
    all: bool,
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
    /// What `show` printed, each row or event mended by you
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
        for (_, letter) in Folders::of(&self.database)?.all()? {
            let kind = if letter.event.is_some() { "dropped" } else { "row" };
            let Letter { id, refused_at, site, table, reason, .. } = letter;
            let line = serde_json::json!({
                "id": id, "kind": kind, "refused_at": refused_at, "site": site, "table": table,
                "reason": reason,
            });
            output::line(line)?;
        }
        Ok(())
    }
}

impl Show {
    fn run(self) -> anyhow::Result<()> {
        let folders = Folders::of(&self.database)?;
        match self.ids.as_slice() {
            [id] => output::line(serde_json::to_string_pretty(&folders.find(id)?.1)?)?,
            ids => {
                for (_, letter) in folders.chosen(ids)? {
                    output::line(serde_json::to_string(&letter)?)?;
                }
            }
        }
        Ok(())
    }
}

impl Replay {
    async fn run(self) -> anyhow::Result<()> {
        let folders = Folders::of(&self.database)?;
        let mended = self.mended.as_deref().map(read).transpose()?;
        let letters: Vec<_> = match mended {
            Some(mended) => folders.mended(mended)?,
            None => {
                let chosen = folders.chosen(&self.ids)?;
                chosen.into_iter().map(|(folder, letter)| (folder, letter, None)).collect()
            }
        };
        let store = self.database.open_migrated().await?;
        let (replayer, mut stayed) = (Replayer::new(&store.server), 0);
        for (folder, letter, content) in &letters {
            match replayer.replay(folder, letter, content.as_deref()).await {
                Ok(()) => output::line(format_args!("{} is in ClickHouse", letter.id))?,
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

/// Where letters lie: the rows that were refused, and the events that were left out.
struct Folders([DeadLetters; 2]);

impl Folders {
    fn of(database: &DatabaseArguments) -> anyhow::Result<Self> {
        let data_dir = database.data_dir()?;
        Ok(Self([DeadLetters::of(&data_dir), DeadLetters::left_out_of(&data_dir)]))
    }

    fn all(&self) -> anyhow::Result<Vec<(&DeadLetters, Letter)>> {
        let mut letters = Vec::new();
        for folder in &self.0 {
            letters.extend(folder.list()?.into_iter().map(|letter| (folder, letter)));
        }
        Ok(letters)
    }

    /// Those with these ids, or all where none is named.
    fn chosen(&self, ids: &[String]) -> anyhow::Result<Vec<(&DeadLetters, Letter)>> {
        if ids.is_empty() { self.all() } else { ids.iter().map(|id| self.find(id)).collect() }
    }

    /// The letters of a mended file that are still there, with what is to go in. The file was made of letters
    /// that were there, so one that is not is no slip of the pen: a run before this one replayed it.
    fn mended(&self, mended: Vec<Letter>) -> anyhow::Result<Vec<Chosen<'_>>> {
        let mut chosen = Vec::new();
        for mended in mended {
            let id = mended.id;
            let Some((folder, letter)) = self.find_any(&id)? else {
                eprintln!("{id} is passed over: it is in already, or was taken away");
                continue;
            };
            let content = mended.row.or(mended.event);
            ensure!(content.is_some(), "{id} has neither row nor event");
            chosen.push((folder, letter, content));
        }
        if chosen.is_empty() {
            eprintln!("no letter of the file is there; is --data-dir that of their collector?");
        }
        Ok(chosen)
    }

    fn find(&self, id: &str) -> anyhow::Result<(&DeadLetters, Letter)> {
        self.find_any(id)?.with_context(|| format!("there is no dead letter {id}"))
    }

    fn find_any(&self, id: &str) -> anyhow::Result<Option<(&DeadLetters, Letter)>> {
        for folder in &self.0 {
            match folder.find(id) {
                Ok(letter) => return Ok(Some((folder, letter))),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error).context(format!("cannot read the letter {id:?}")),
            }
        }
        Ok(None)
    }
}

/// A letter, where it lies, and what is to go in, in place of what it holds.
type Chosen<'a> = (&'a DeadLetters, Letter, Option<Box<RawValue>>);

/// The letters of a file, one after another: a single one may stand on many lines.
fn read(file: &Path) -> anyhow::Result<Vec<Letter>> {
    let json = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let letters = serde_json::Deserializer::from_slice(&json).into_iter();
    letters
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("{} holds something that is no dead letter", file.display()))
}
