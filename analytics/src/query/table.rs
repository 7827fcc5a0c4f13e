//! An answer as rows of text, for a terminal or a CSV file.

/// An answer as text. Numbers are plain digits, so that a program can read them back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The columns' names, as in the JSON of the same answer.
    pub columns: Vec<&'static str>,
    /// As many texts as columns each.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(
        columns: [&'static str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> Self {
        Self { columns: columns.to_vec(), rows: rows.into_iter().map(|row| row.to_vec()).collect() }
    }
}
