//! Archived rows judged by today's rules, compared with what the tables have, and put in where they
//! differ.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::Serialize;
use store::{EventRow, IdentifierRow, Server, ServerError};
use uuid::Uuid;
use wire::SiteName;

use super::file::{self, Entry, Found};
use super::{Archive, events, files, present};
use crate::enrich::{Exchange, Remade, SiteRules, referrer_elsewhere};
use crate::error::SinkError;
use crate::spool::block::Table;
use crate::spool::{row_binary, row_reader};
use crate::suppressed::Suppressed;
use crate::validate::{DropReason, ReferrerSpam, Site};

/// Rows that are asked for, and put in, at a time: as many ids as a question may have bytes.
const ROWS_AT_A_TIME: usize = 5000;

/// What is to be replayed.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// Events that happened from then on, in milliseconds since 1970; `None`: from the first.
    pub from: Option<i64>,
    /// And before then; `None`: up to the last.
    pub to: Option<i64>,
    /// Of this site only.
    pub site: Option<SiteName>,
    /// Only tells what would be done.
    pub dry_run: bool,
    /// Rows that the tables have no more are put back too: those that were taken out on purpose as well.
    pub missing: bool,
    /// Rows that today's exclusions leave out are taken out of the tables.
    pub remove_excluded: bool,
    /// As the rows were first stored, and not by today's rules: what undoes a replay.
    pub as_archived: bool,
    /// Rates of exchange; without them the reported values stay.
    pub currency_file: Option<PathBuf>,
    /// Further domains of referrer spam.
    pub referrer_spam_file: Option<PathBuf>,
}

/// What was done, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Events of the archive in the range, bots' included; one that was sent twice counts twice.
    pub events: u64,
    /// The table has them as the rules say.
    pub unchanged: u64,
    /// The table had them otherwise.
    pub changed: u64,
    /// How many of these in which column.
    pub columns: BTreeMap<&'static str, u64>,
    /// The table does not have them.
    pub missing: u64,
    /// How many of these were put back.
    pub restored: u64,
    /// Identifiers that the table did not have, put back.
    pub identifiers_restored: u64,
    /// Missing ones of suppressed persons, which are not put back.
    pub suppressed: u64,
    /// Events that today's exclusions leave out, by reason.
    pub excluded: BTreeMap<&'static str, u64>,
    /// How many of these were in the table, and were taken out.
    pub removed: u64,
    /// The table has another version of them than the archive, of another page or referrer; they are left.
    pub of_another_version: u64,
    /// Their site is not known any more; they are left.
    pub of_no_site: u64,
    /// Rows that a later release wrote, with columns that this one does not know; they are left.
    pub of_a_later_release: u64,
    /// Blocks of the archive whose bytes are damaged.
    pub damaged_blocks: u64,
}

/// Why a replay ended before its end. Doing it again goes on where it ended.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read the archive")]
    File(#[from] io::Error),
    /// The rates of exchange cannot be read.
    #[error("cannot read the currency file: {0}")]
    Currency(String),
    /// The tables cannot be asked, or rows cannot be taken out.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// ClickHouse is away, or refuses a row.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A row has no stored form: a bug.
    #[error(transparent)]
    Form(#[from] row_binary::RowError),
}

/// What holds for a site now, and the rules it ever had.
struct Rules {
    site: Site,
    former: Vec<SiteRules>,
}

/// A replay under way.
struct Run<'a> {
    server: &'a Server,
    asked: &'a Replay,
    /// Two runs may put the same row back: it may have been taken out between them.
    id: String,
    rules: HashMap<String, Rules>,
    exchange: Option<Exchange>,
    spam: ReferrerSpam,
    suppressed: Suppressed,
    /// Who has an identifier or the user id of a suppressed person in the archive, by site.
    suppressed_visitors: HashSet<(String, Uuid)>,
    told: Replayed,
}

impl Archive {
    /// Judges every archived event of the range by today's rules, and puts in what the table has
    /// otherwise, with a newer version than the table's. Done again, nothing differs any more. `progress`
    /// is told how many bytes of the archive are done.
    ///
    /// # Errors
    /// When it ended before its end; see [`ArchiveError`].
    pub async fn replay(
        &self,
        server: &Server,
        asked: &Replay,
        mut progress: impl FnMut(u64),
    ) -> Result<Replayed, ArchiveError> {
        let mut run = Run::begin(server, asked).await?;
        if asked.missing {
            self.find_suppressed(&mut run)?;
        }
        let (mut waiting, mut done) = (Waiting::default(), 0);
        for (path, bytes) in files(&self.dir)? {
            for found in file::read(&path)? {
                match found? {
                    Found::Entry(entry) => waiting.take(&entry, asked, &mut run.told),
                    Found::Damaged => {
                        tracing::warn!(file = %path.display(), "a block of the archive is damaged");
                        run.told.damaged_blocks += 1;
                    }
                }
                run.put(&mut waiting, ROWS_AT_A_TIME).await?;
            }
            done += bytes;
            progress(done);
        }
        run.put(&mut waiting, 1).await?;
        Ok(run.told)
    }

    /// The identifier may be in the archive of another collector: the user ids on the list tell these visitors too.
    fn find_suppressed(&self, run: &mut Run<'_>) -> io::Result<()> {
        if run.suppressed.is_empty() {
            return Ok(());
        }
        for (path, _) in files(&self.dir)? {
            for found in file::read(&path)? {
                let Found::Entry(entry) = found? else { continue };
                let suppressed = identifiers(&entry).filter(|row| run.suppressed.holds_stored(row));
                let by_identifier = suppressed.map(|row| (row.site, row.visitor_id));
                let rows = TABLES.into_iter().flat_map(|table| events(&entry, table)).flatten();
                let named = rows.filter(|row| run.suppressed.names_stored(row));
                let by_user = named.map(|row| (row.site, row.visitor_id));
                let visitors: Vec<_> = by_identifier.chain(by_user).collect();
                run.suppressed_visitors.extend(visitors);
            }
        }
        Ok(())
    }
}

/// Rows that are yet to be compared.
#[derive(Default)]
struct Waiting {
    events: [Vec<EventRow>; 2],
    identifiers: Vec<IdentifierRow>,
}

const TABLES: [Table; 2] = [Table::Events, Table::BotEvents];

impl Waiting {
    fn take(&mut self, entry: &Entry, asked: &Replay, told: &mut Replayed) {
        let wanted = |site: &str, at: i64| {
            asked.site.as_ref().is_none_or(|asked| asked.as_str() == site)
                && asked.from.is_none_or(|from| from <= at)
                && asked.to.is_none_or(|to| at < to)
        };
        for (table, rows) in TABLES.into_iter().zip(&mut self.events) {
            for row in events(entry, table) {
                match row {
                    Some(row) if wanted(&row.site, row.occurred_at) => rows.push(row),
                    Some(_) => {}
                    None => told.of_a_later_release += 1,
                }
            }
        }
        if asked.missing {
            let rows = identifiers(entry).filter(|row| wanted(&row.site, row.occurred_at));
            self.identifiers.extend(rows);
        }
    }
}

/// The identifiers of a block, but those that a later release wrote.
fn identifiers(entry: &Entry) -> impl Iterator<Item = IdentifierRow> {
    let columns = entry.block.columns(Table::Identifiers);
    let rows = entry.rows(Table::Identifiers);
    rows.filter_map(move |row| row_reader::read_columns(columns, row).ok())
}

impl<'a> Run<'a> {
    async fn begin(server: &'a Server, asked: &'a Replay) -> Result<Self, ArchiveError> {
        let sites = store::site::list(server).await?;
        let table = crate::sites::table(&sites);
        let mut rules = HashMap::new();
        for site in sites {
            let former = store::site::versions(server, &site.name).await?;
            let former = former.iter().map(SiteRules::of).collect();
            if let Ok(found) = table.find(site.name.as_str()) {
                rules.insert(site.name.to_string(), Rules { site: found.clone(), former });
            }
        }
        let exchange = asked.currency_file.as_deref().map(Exchange::open).transpose();
        let exchange = exchange.map_err(|error| ArchiveError::Currency(error.to_string()))?;
        Ok(Self {
            server,
            asked,
            id: Uuid::now_v7().to_string(),
            rules,
            exchange,
            spam: ReferrerSpam::open(true, asked.referrer_spam_file.as_deref()),
            suppressed: Suppressed::read(server).await?,
            suppressed_visitors: HashSet::new(),
            told: Replayed::default(),
        })
    }

    /// Compares what waits, where that is enough to ask for.
    async fn put(&mut self, waiting: &mut Waiting, enough: usize) -> Result<(), ArchiveError> {
        for (table, rows) in TABLES.into_iter().zip(&mut waiting.events) {
            if rows.len() < enough {
                continue;
            }
            let mut rows = std::mem::take(rows);
            rows.sort_by(|one, other| {
                (&one.site, one.occurred_at).cmp(&(&other.site, other.occurred_at))
            });
            for of_site in rows.chunk_by(|one, other| one.site == other.site) {
                for rows in of_site.chunks(ROWS_AT_A_TIME) {
                    self.compare(table, rows).await?;
                }
            }
        }
        if waiting.identifiers.len() >= enough {
            let mut rows = std::mem::take(&mut waiting.identifiers);
            rows.sort_by(|one, other| one.site.cmp(&other.site));
            for of_site in rows.chunk_by(|one, other| one.site == other.site) {
                for rows in of_site.chunks(ROWS_AT_A_TIME) {
                    self.restore_identifiers(rows).await?;
                }
            }
        }
        Ok(())
    }

    /// Some rows of one site.
    async fn compare(&mut self, table: Table, rows: &[EventRow]) -> Result<(), ArchiveError> {
        let mut present = present::events(self.server, table, rows).await?;
        let (mut changed, mut restored, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            self.told.events += 1;
            let Some(rules) = self.rules.get(&row.site) else {
                self.told.of_no_site += 1;
                continue;
            };
            let excluded = if self.asked.as_archived { None } else { self.excluded(rules, row) };
            let remade = self.remade(rules, row);
            if let Some(reason) = excluded {
                *self.told.excluded.entry(reason.tag()).or_default() += 1;
                if self.asked.remove_excluded {
                    removed.extend(present.remove(&row.event_id));
                    continue;
                }
            }
            match present.get_mut(&row.event_id) {
                Some(now) if !is_same_event(now, row) => self.told.of_another_version += 1,
                Some(now) => {
                    let columns = remade.put(now);
                    if columns.is_empty() {
                        self.told.unchanged += 1;
                        continue;
                    }
                    self.told.changed += 1;
                    for column in columns {
                        *self.told.columns.entry(column).or_default() += 1;
                    }
                    // The newest version is the one that the table keeps.
                    now.received_at += 1;
                    changed.push(now.clone());
                }
                None => {
                    self.told.missing += 1;
                    if self.asked.missing && excluded.is_none() && !self.is_suppressed(row) {
                        let mut row = row.clone();
                        remade.put(&mut row);
                        present.insert(row.event_id, row.clone());
                        restored.push(row);
                    }
                }
            }
        }
        self.told.restored += restored.len() as u64;
        self.told.removed += removed.len() as u64;
        if self.asked.dry_run {
            return Ok(());
        }
        present::insert(self.server, table, "", &changed).await?;
        present::insert(self.server, table, &self.id, &restored).await?;
        present::remove(self.server, table, &removed).await
    }

    fn remade(&self, rules: &Rules, row: &EventRow) -> Remade {
        if self.asked.as_archived {
            Remade::of(row)
        } else {
            Remade::by_rules(row, &rules.site.rules, &rules.former, self.exchange.as_ref())
        }
    }

    /// Why today the event would be left out, as far as what is stored can tell.
    fn excluded(&self, rules: &Rules, row: &EventRow) -> Option<DropReason> {
        let site = &rules.site;
        site.excludes_page(&row.host, &row.path)
            .or_else(|| site.excludes_referrer(&referrer_elsewhere(row)?, &self.spam))
    }

    fn is_suppressed(&mut self, row: &EventRow) -> bool {
        let visitor = (row.site.clone(), row.visitor_id);
        let is = self.suppressed_visitors.contains(&visitor);
        self.told.suppressed += u64::from(is);
        is
    }

    async fn restore_identifiers(&mut self, rows: &[IdentifierRow]) -> Result<(), ArchiveError> {
        let present = present::identifiers(self.server, rows).await?;
        let mut newest = HashMap::new();
        for row in rows {
            let visitor = (row.site.clone(), row.visitor_id);
            let told = present::told(row);
            if present.get(&told).is_some_and(|at| *at >= row.occurred_at)
                || self.suppressed_visitors.contains(&visitor)
                || !self.rules.contains_key(&row.site)
            {
                continue;
            }
            let kept = newest.entry(told).or_insert(row);
            if kept.occurred_at < row.occurred_at {
                *kept = row;
            }
        }
        let mut rows: Vec<_> = newest.into_values().collect();
        rows.sort_by_key(|row| (row.occurred_at, row.visitor_id));
        self.told.identifiers_restored += rows.len() as u64;
        if self.asked.dry_run {
            return Ok(());
        }
        present::insert(self.server, Table::Identifiers, &self.id, &rows).await
    }
}

/// Whether what the rules look at is the same: an event may have been sent twice with the same id and
/// another content, or the table's row may have been changed since.
fn is_same_event(now: &EventRow, archived: &EventRow) -> bool {
    let looked_at = |row: &EventRow| {
        [&row.host, &row.path, &row.query, &row.referrer, &row.currency].map(Clone::clone)
    };
    looked_at(now) == looked_at(archived)
}

impl fmt::Display for Replayed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = |counts: &BTreeMap<&'static str, u64>| {
            let counts = counts.iter().map(|(name, count)| format!("{name} {count}"));
            counts.collect::<Vec<_>>().join(", ")
        };
        writeln!(out, "events in the range    {}", self.events)?;
        writeln!(out, "unchanged              {}", self.unchanged)?;
        writeln!(out, "changed                {}  {}", self.changed, by(&self.columns))?;
        writeln!(out, "missing                {}", self.missing)?;
        for (count, what) in [
            (self.restored, "put back"),
            (self.identifiers_restored, "identifiers put back"),
            (self.suppressed, "of suppressed persons"),
            (self.excluded.values().sum(), "excluded today"),
            (self.removed, "taken out"),
            (self.of_another_version, "of another version"),
            (self.of_no_site, "of no site"),
            (self.of_a_later_release, "of a later release"),
            (self.damaged_blocks, "damaged blocks"),
        ] {
            if count > 0 {
                let reasons =
                    if what == "excluded today" { by(&self.excluded) } else { String::new() };
                writeln!(out, "{}", format!("{what:<22} {count}  {reasons}").trim_end())?;
            }
        }
        Ok(())
    }
}
