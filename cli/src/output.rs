//! An answer, as a person, a program or a spreadsheet wants it.

use std::fmt::Display;
use std::io::{self, Write};

use analytics::query::Table;
use anyhow::Context;
use clap::ValueEnum;
use comfy_table::presets::ASCII_MARKDOWN;
use serde::Serialize;

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Format {
    /// For reading
    #[default]
    Table,
    /// For programs: the same JSON as the HTTP API
    Json,
    /// For spreadsheets
    Csv,
}

impl Format {
    pub(crate) fn print(self, report: &impl Serialize, table: &Table) -> anyhow::Result<()> {
        match self {
            Self::Table => line(drawn(table)),
            Self::Json => line(serde_json::to_string_pretty(report)?),
            Self::Csv => print(comma_separated(table)?),
        }
    }
}

/// Writes a line to standard output; see [`print()`].
pub(crate) fn line(text: impl Display) -> anyhow::Result<()> {
    print(format_args!("{text}\n"))
}

/// Writes to standard output. That nobody reads on (`| head -1`) is no failure: the command goes on to its
/// end unheard, since what it does beside printing is wanted all the same.
pub(crate) fn print(text: impl Display) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let written = write!(out, "{text}").and_then(|()| out.flush());
    unheard(written).context("cannot write to standard output")
}

/// Takes it for well that nobody reads on.
pub(crate) fn unheard<T: Default>(written: io::Result<T>) -> io::Result<T> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(T::default()),
        written => written,
    }
}

fn drawn(table: &Table) -> comfy_table::Table {
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(ASCII_MARKDOWN).set_header(&table.columns).add_rows(&table.rows);
    drawn
}

/// Cells hold what visitors sent (a page's path, a category). A spreadsheet runs a cell that begins
/// like a formula, so such a cell gets an apostrophe in front, as OWASP advises
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
fn comma_separated(table: &Table) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&table.columns)?;
    for row in &table.rows {
        writer.write_record(row.iter().map(|cell| harmless(cell)))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn harmless(cell: &str) -> String {
    let formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_begins_like_a_formula_is_made_harmless() {
        let table = Table {
            columns: vec!["path", "views"],
            rows: vec![vec!["=HYPERLINK(\"x\")".into(), "-3.5".into()]],
        };
        let text = comma_separated(&table).unwrap();
        assert_eq!(text, "path,views\n\"'=HYPERLINK(\"\"x\"\")\",-3.5\n");
    }
}
