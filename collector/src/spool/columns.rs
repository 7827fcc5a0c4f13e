//! Rows turned into columns (`FORMAT Native`), which is how ClickHouse works on them.
//!
//! A spool has rows, because that is how events come. ClickHouse takes 8 to 12 microseconds of processor
//! time to read a row of `events` as RowBinary, value by value, and 1.2 to 1.4 where the columns come whole
//! (collector/README.md). The form is ClickHouse's `NativeWriter`, as it is without a protocol's revision:
//! the numbers of columns and of rows, then each column with its name and type in front.

use std::mem;

use bytes::Bytes;
use store::ColumnForm;

use super::block::Table;
use super::row_binary::put_length;
use super::row_reader::{ReadError, Reader};
use super::turns::Turns;

/// Bytes of a piece, but for one that is a single longer value.
const PIECE_BYTES: usize = 64 * 1024;

/// Rows that are turned at once, a column after the other: few enough that they stay in the processor's cache meanwhile,
/// enough that what kind a column is of is not asked for each value.
const ROWS: usize = 64;

/// Rows of one table as columns, in pieces that are sent one after the other. Nothing where a column is not
/// known here, as in a block of a later release: of what type it is stands nowhere.
///
/// # Errors
/// Where a row is not of these columns.
pub(crate) fn native<'r>(
    table: Table,
    names: &[String],
    rows: impl IntoIterator<Item = &'r [u8]>,
) -> Result<Option<Vec<Bytes>>, ReadError> {
    let Some(mut columns) = Columns::of(table, names) else { return Ok(None) };
    let (mut rows, mut turns) = (rows.into_iter().collect::<Vec<_>>(), Turns::default());
    for some in rows.chunks_mut(ROWS) {
        turns.worked(some.iter().map(|row| row.len()).sum());
        columns.push(some)?;
    }
    Ok(Some(columns.into_native().collect()))
}

/// Rows of one table, column by column.
#[derive(Debug)]
struct Columns<'a> {
    columns: Vec<Column<'a>>,
    rows: usize,
}

#[derive(Debug)]
struct Column<'a> {
    name: &'a str,
    form: ColumnForm,
    /// Of lists and maps: where each row's values end.
    ends: Pieces,
    count: u64,
    /// Of maps: the values' keys.
    keys: Pieces,
    values: Pieces,
}

/// What was written, in pieces. One that is as long as its column would be copied again and again while it
/// grows, some megabytes at a time.
#[derive(Debug, Default)]
struct Pieces {
    full: Vec<Bytes>,
    last: Vec<u8>,
}

impl Pieces {
    fn push(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).extend_from_slice(bytes);
    }

    /// Of a length that is known where this is compiled, which is copied without a call.
    fn push_fixed<const N: usize>(&mut self, mut row: Reader<'_, '_>) -> Result<(), ReadError> {
        let value: [u8; N] = row.take()?;
        self.room(N).extend_from_slice(&value);
        Ok(())
    }

    /// A text is its length and its bytes, in rows as in columns. Most are empty.
    fn push_text(&mut self, row: &mut Reader<'_, '_>) -> Result<(), ReadError> {
        match row.whole_text()? {
            [length] => self.room(1).push(*length),
            text => self.push(text),
        }
        Ok(())
    }

    /// The piece that so many bytes are to be written to.
    fn room(&mut self, bytes: usize) -> &mut Vec<u8> {
        if self.last.len() + bytes > PIECE_BYTES {
            let room = Vec::with_capacity(PIECE_BYTES.max(bytes));
            self.full.push(mem::replace(&mut self.last, room).into());
        }
        &mut self.last
    }

    fn into_bytes(self) -> impl Iterator<Item = Bytes> {
        self.full.into_iter().chain([self.last.into()]).filter(|piece| !piece.is_empty())
    }
}

impl<'a> Columns<'a> {
    fn of(table: Table, names: &'a [String]) -> Option<Self> {
        let column = |name: &'a String| {
            let form = table.form_of(name)?;
            let (ends, keys, values) = Default::default();
            Some(Column { name, form, ends, count: 0, keys, values })
        };
        Some(Self { columns: names.iter().map(column).collect::<Option<_>>()?, rows: 0 })
    }

    /// Adds rows in their stored form. After an error nothing here is of use any more.
    fn push(&mut self, rows: &mut [&[u8]]) -> Result<(), ReadError> {
        self.columns.iter_mut().try_for_each(|column| column.push(rows))?;
        if !rows.iter().all(|rest| rest.is_empty()) {
            return Err(ReadError::left_over());
        }
        self.rows += rows.len();
        Ok(())
    }

    fn into_native(self) -> impl Iterator<Item = Bytes> {
        let mut head = Vec::new();
        put_length(&mut head, self.columns.len());
        put_length(&mut head, self.rows);
        let head = [Bytes::from(head)];
        let columns = self.columns.into_iter().flat_map(|column| {
            let mut head = Vec::new();
            for text in [column.name, column.clickhouse_type()] {
                put_length(&mut head, text.len());
                head.extend_from_slice(text.as_bytes());
            }
            let data = [column.ends, column.keys, column.values].map(Pieces::into_bytes);
            [Bytes::from(head)].into_iter().chain(data.into_iter().flatten())
        });
        head.into_iter().chain(columns)
    }
}

impl Column<'_> {
    /// Takes each row's next value.
    fn push(&mut self, rows: &mut [&[u8]]) -> Result<(), ReadError> {
        let form = self.form;
        let mut rows = rows.iter_mut().map(Reader);
        match form {
            ColumnForm::Fixed(1, _) => rows.try_for_each(|row| self.values.push_fixed::<1>(row)),
            ColumnForm::Fixed(2, _) => rows.try_for_each(|row| self.values.push_fixed::<2>(row)),
            ColumnForm::Fixed(8, _) => rows.try_for_each(|row| self.values.push_fixed::<8>(row)),
            ColumnForm::Fixed(16, _) => rows.try_for_each(|row| self.values.push_fixed::<16>(row)),
            ColumnForm::Fixed(bytes, _) => rows.try_for_each(|mut row| {
                self.values.push(row.bytes(bytes)?);
                Ok(())
            }),
            ColumnForm::Text => rows.try_for_each(|mut row| self.values.push_text(&mut row)),
            ColumnForm::Texts | ColumnForm::Pairs => {
                rows.try_for_each(|row| self.push_some(row, form == ColumnForm::Pairs))
            }
        }
    }

    fn push_some(&mut self, mut row: Reader<'_, '_>, with_keys: bool) -> Result<(), ReadError> {
        let count = row.length()?;
        for _ in 0..count {
            if with_keys {
                self.keys.push_text(&mut row)?;
            }
            self.values.push_text(&mut row)?;
        }
        self.count += count as u64;
        self.ends.push(&self.count.to_le_bytes());
        Ok(())
    }

    const fn clickhouse_type(&self) -> &'static str {
        match self.form {
            ColumnForm::Text => "String",
            ColumnForm::Texts => "Array(String)",
            ColumnForm::Pairs => "Map(String, String)",
            ColumnForm::Fixed(_, name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use store::{EventRow, IdentifierRow};

    use super::*;
    use crate::spool::row_binary::write;

    fn names(table: Table) -> Vec<String> {
        table.columns().iter().map(|name| (*name).to_owned()).collect()
    }

    fn native(table: Table, names: &[String], rows: &[Vec<u8>]) -> Result<Vec<u8>, ReadError> {
        let mut columns = Columns::of(table, names).unwrap();
        let mut rows: Vec<_> = rows.iter().map(Vec::as_slice).collect();
        columns.push(&mut rows)?;
        Ok(columns.into_native().collect::<Vec<_>>().concat())
    }

    #[test]
    fn each_column_has_its_values_together() {
        let names = ["title", "screen_width", "categories", "properties"].map(str::to_owned);
        let row = |title: &str, width: u16, categories: &[&str], properties: &[(&str, &str)]| {
            let mut bytes = Vec::new();
            write(&mut bytes, &(title, width, categories, properties)).unwrap();
            bytes
        };
        let rows = [
            row("ab", 258, &["x", "y"], &[("k", "v"), ("l", "w")]),
            row("", 1, &[], &[]),
            row("c", 2, &["z"], &[("m", "")]),
        ];
        let ends = |ends: [u64; 3]| ends.map(u64::to_le_bytes).concat();
        let expected = [
            b"\x04\x03\x05title\x06String\x02ab\0\x01c".as_slice(),
            b"\x0cscreen_width\x06UInt16\x02\x01\x01\0\x02\0",
            b"\x0acategories\x0dArray(String)",
            &ends([2, 2, 3]),
            b"\x01x\x01y\x01z",
            b"\x0aproperties\x13Map(String, String)",
            &ends([2, 2, 3]),
            b"\x01k\x01l\x01m\x01v\x01w\0",
        ];
        assert_eq!(native(Table::Events, &names, &rows).unwrap(), expected.concat());
    }

    #[test]
    fn a_long_column_is_in_pieces_of_whole_values() {
        let (mut pieces, values) =
            (Pieces::default(), [30_000, 35_000, 200_000, 1].map(|n| vec![7; n]));
        values.iter().for_each(|value| pieces.push(value));
        let lengths: Vec<_> = pieces.into_bytes().map(|piece| piece.len()).collect();
        assert_eq!(lengths, [65_000, 200_000, 1]);
    }

    #[test]
    fn every_column_of_every_table_is_known() {
        let event: EventRow = EventRow {
            title: "ž".repeat(300),
            categories: vec!["a".to_owned(), String::new()],
            properties: vec![("k".to_owned(), "v".to_owned())],
            ..EventRow::default()
        };
        let mut row = Vec::new();
        write(&mut row, &event).unwrap();
        native(Table::Events, &names(Table::Events), &[row.clone()]).unwrap();
        assert!(native(Table::Events, &names(Table::Events), &[[&*row, &[0]].concat()]).is_err());
        for end in 0..row.len() {
            assert!(native(Table::Events, &names(Table::Events), &[row[..end].to_vec()]).is_err());
        }
        row.clear();
        write(&mut row, &IdentifierRow::default()).unwrap();
        native(Table::Identifiers, &names(Table::Identifiers), &[row]).unwrap();
    }

    #[test]
    fn a_later_releases_column_has_no_form_here() {
        assert!(Columns::of(Table::Events, &["site".to_owned(), "mood".to_owned()]).is_none());
        assert!(Columns::of(Table::Identifiers, &["title".to_owned()]).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(row in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(native(Table::Events, &names(Table::Events), &[row]));
        }
    }
}
