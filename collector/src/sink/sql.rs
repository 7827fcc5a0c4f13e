//! The collector's only SQL.

/// Asks for nothing but an answer.
pub(super) const ANSWERS: &str = "SELECT 1";

/// Inserts rows of these columns. Both come from our own row types or from a header that they wrote,
/// checked by its checksum; they are quoted all the same.
pub(super) fn insert(table: &str, columns: &[String], format: &str) -> String {
    let columns: Vec<_> = columns.iter().map(|column| quoted(column)).collect();
    format!("INSERT INTO {} ({}) FORMAT {format}", quoted(table), columns.join(", "))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_every_column_and_quotes_it() {
        let columns = ["a".to_owned(), "b`c".to_owned()];
        assert_eq!(
            super::insert("events", &columns, "RowBinary"),
            r"INSERT INTO `events` (`a`, `b\`c`) FORMAT RowBinary"
        );
    }
}
