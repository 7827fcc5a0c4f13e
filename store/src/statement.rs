//! Cuts a migration's file into its statements.

/// One statement of a migration's file: without the semicolon, and without the comments before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    /// Its place in the file, from 1.
    pub(crate) number: u32,
    /// What is sent to ClickHouse.
    pub(crate) text: &'a str,
}

impl Statement<'_> {
    /// By this a person finds it in the file.
    pub(crate) fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default().trim_end()
    }
}

/// Where the reader stands.
enum Inside {
    Code,
    LineComment,
    BlockComment,
    /// Between two of this quote; a backslash takes the next character with it, and a doubled quote
    /// closes and opens again.
    Quotes(char),
}

/// Splits at semicolons that stand in no comment and in no quotes.
pub(crate) fn statements(sql: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let mut begin = None;
    let mut inside = Inside::Code;
    let mut letters = sql.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let next = letters.peek().map(|(_, next)| *next);
        match inside {
            Inside::Code => match letter {
                '-' if next == Some('-') => inside = Inside::LineComment,
                '/' if next == Some('*') => {
                    letters.next();
                    inside = Inside::BlockComment;
                }
                ';' => take(&mut found, sql, begin.take(), at),
                _ => {
                    if !letter.is_whitespace() {
                        begin.get_or_insert(at);
                    }
                    if matches!(letter, '\'' | '"' | '`') {
                        inside = Inside::Quotes(letter);
                    }
                }
            },
            Inside::LineComment if letter == '\n' => inside = Inside::Code,
            Inside::BlockComment if letter == '*' && next == Some('/') => {
                letters.next();
                inside = Inside::Code;
            }
            Inside::Quotes(_) if letter == '\\' => {
                letters.next();
            }
            Inside::Quotes(quote) if letter == quote => inside = Inside::Code,
            Inside::LineComment | Inside::BlockComment | Inside::Quotes(_) => {}
        }
    }
    take(&mut found, sql, begin, sql.len());
    found
}

fn take<'a>(found: &mut Vec<Statement<'a>>, sql: &'a str, begin: Option<usize>, end: usize) {
    if let Some(text) = begin.and_then(|begin| sql.get(begin..end)) {
        let number = u32::try_from(found.len()).map_or(u32::MAX, |before| before + 1);
        found.push(Statement { number, text: text.trim_end() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        statements(sql).into_iter().map(|statement| statement.text).collect()
    }

    #[test]
    fn splits_at_semicolons_only_in_code() {
        let sql = "-- first; a comment\nSELECT 'a;b', 'it''s;', 'back\\';slash' -- c; d\n;\n/* e;\n f */ SELECT `x;y`, \"z;\";\n";
        assert_eq!(
            texts(sql),
            ["SELECT 'a;b', 'it''s;', 'back\\';slash' -- c; d", "SELECT `x;y`, \"z;\""]
        );
    }

    #[test]
    fn an_empty_statement_is_none_and_the_last_semicolon_may_be_missing() {
        assert_eq!(texts(";;\n-- nothing\n; SELECT 1 - -1"), ["SELECT 1 - -1"]);
        assert_eq!(texts(""), Vec::<&str>::new());
    }

    #[test]
    fn statements_are_numbered_from_one_and_known_by_their_first_line() {
        let found = statements("-- why\nCREATE TABLE a (\n x\n);\nCREATE TABLE b");
        let lines: Vec<_> = found.iter().map(|s| (s.number, s.first_line())).collect();
        assert_eq!(lines, [(1, "CREATE TABLE a ("), (2, "CREATE TABLE b")]);
    }
}
