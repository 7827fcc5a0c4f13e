//! One row that ClickHouse refused, as a person can read and mend it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use store::{EventRow, IdentifierRow};

use crate::spool::block::Table;
use crate::spool::{row_binary, row_reader};

/// A row, why it was refused, and what it takes to put it in once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Letter {
    /// Of the folder's; the same row of the same block has the same.
    pub id: String,
    /// When.
    pub refused_at: Timestamp,
    /// Whose event it is.
    pub site: String,
    /// Where it should have gone.
    pub table: String,
    /// What ClickHouse said.
    pub reason: String,
    /// The row, column by column; none where it was written by a release with other columns.
    pub row: Option<Box<RawValue>>,
    /// The row as it was sent, in hex, where `row` is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) row_binary: Option<String>,
    /// Of `row_binary`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) columns: Vec<String>,
    /// The token under which the row was tried alone.
    pub(super) token: String,
}

/// Why a row cannot be put in.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// A table this release does not write.
    #[error("there is no table named {table:?}")]
    Table {
        /// As the letter has it.
        table: String,
    },
    /// The JSON is not a row of the table.
    #[error("the row does not fit the table")]
    Shape(#[source] serde_json::Error),
    /// There is nothing to put in.
    #[error("the letter has no row")]
    None,
    /// The row has no stored form: a bug.
    #[error(transparent)]
    Form(#[from] row_binary::RowError),
}

/// A row in its stored form, and the columns it has.
pub(super) struct Stored {
    pub(super) table: Table,
    pub(super) columns: Vec<String>,
    pub(super) bytes: Vec<u8>,
}

impl Letter {
    pub(crate) fn new(
        token: &str,
        table: Table,
        columns: &[String],
        bytes: &[u8],
        reason: &str,
        now_millis: i64,
    ) -> Self {
        let row = if columns == table.columns() { readable(table, bytes) } else { None };
        let id = hex::encode(Sha256::digest(token).get(..8).unwrap_or_default());
        Self {
            id,
            refused_at: Timestamp::from_millisecond(now_millis).unwrap_or_default(),
            site: row_reader::first_text(bytes).unwrap_or_default().to_owned(),
            table: table.name().to_owned(),
            reason: reason.to_owned(),
            row_binary: row.is_none().then(|| hex::encode(bytes)),
            columns: if row.is_none() { columns.to_vec() } else { Vec::new() },
            row,
            token: token.to_owned(),
        }
    }

    /// The token under which the row was tried alone.
    #[cfg(test)]
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The row in its stored form: `mended` where it is given, else as it was refused.
    pub(super) fn stored(&self, mended: Option<&RawValue>) -> Result<Stored, RowError> {
        let table = Table::ALL.into_iter().find(|table| table.name() == self.table);
        let table = table.ok_or_else(|| RowError::Table { table: self.table.clone() })?;
        if let Some(row) = mended.or(self.row.as_deref()) {
            let columns = table.columns().iter().map(|column| (*column).to_owned()).collect();
            return Ok(Stored { table, columns, bytes: bytes(table, row)? });
        }
        let bytes = self.row_binary.as_ref().and_then(|row| hex::decode(row).ok());
        Ok(Stored { table, columns: self.columns.clone(), bytes: bytes.ok_or(RowError::None)? })
    }
}

/// The row as JSON; none unless that is the very same row.
fn readable(table: Table, row: &[u8]) -> Option<Box<RawValue>> {
    let json = match table {
        Table::Events | Table::BotEvents => {
            serde_json::value::to_raw_value(&row_reader::read::<EventRow>(row).ok()?)
        }
        Table::Identifiers => {
            serde_json::value::to_raw_value(&row_reader::read::<IdentifierRow>(row).ok()?)
        }
    };
    json.ok().filter(|json| bytes(table, json).is_ok_and(|bytes| bytes == row))
}

fn bytes(table: Table, row: &RawValue) -> Result<Vec<u8>, RowError> {
    let mut bytes = Vec::new();
    match table {
        Table::Events | Table::BotEvents => {
            let row: EventRow = serde_json::from_str(row.get()).map_err(RowError::Shape)?;
            row_binary::write(&mut bytes, &row)?;
        }
        Table::Identifiers => {
            let row: IdentifierRow = serde_json::from_str(row.get()).map_err(RowError::Shape)?;
            row_binary::write(&mut bytes, &row)?;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_readable_and_the_same_when_it_is_put_in() {
        let row: EventRow =
            EventRow { site: "shop".into(), title: "\"ž\"".into(), ..EventRow::default() };
        let mut sent = Vec::new();
        row_binary::write(&mut sent, &row).unwrap();
        let columns: Vec<_> =
            Table::Events.columns().iter().map(|column| (*column).to_owned()).collect();
        let letter = Letter::new("t", Table::Events, &columns, &sent, "no", 0);
        let kept = serde_json::to_vec(&letter).unwrap();
        let letter: Letter = serde_json::from_slice(&kept).unwrap();
        assert!(letter.row.as_ref().unwrap().get().contains(r#""title":"\"ž\"""#));
        assert_eq!(letter.stored(None).unwrap().bytes, sent);
        let mended = letter.row.as_ref().unwrap().get().replace("ž", "z");
        let mended = RawValue::from_string(mended).unwrap();
        assert_ne!(letter.stored(Some(&mended)).unwrap().bytes, sent);
        let odd = RawValue::from_string("{}".to_owned()).unwrap();
        assert!(matches!(letter.stored(Some(&odd)), Err(RowError::Shape(_))));
    }

    #[test]
    fn a_row_of_another_release_is_kept_as_it_was_sent() {
        let columns = ["site".to_owned(), "gone".to_owned()];
        let letter = Letter::new("t", Table::Events, &columns, b"\x04shop\x01x", "no", 0);
        assert!(letter.row.is_none());
        let stored = letter.stored(None).unwrap();
        assert_eq!(
            (stored.columns.as_slice(), stored.bytes.as_slice()),
            (&columns[..], &b"\x04shop\x01x"[..])
        );
        assert_eq!(letter.site, "shop");
    }
}
