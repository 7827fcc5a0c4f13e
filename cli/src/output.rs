//! An answer, as a person, a program or a spreadsheet wants it.

use analytics::query::Table;
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
            Self::Table => println!("{}", drawn(table)),
            Self::Json => println!("{}", serde_json::to_string_pretty(report)?),
            Self::Csv => print!("{}", comma_separated(table)?),
        }
        Ok(())
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
