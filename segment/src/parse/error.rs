//! Where a rule stopped making sense, and what could have stood there.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A place in a rule's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Bytes before it.
    pub byte: usize,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
}

impl Position {
    pub(crate) fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            byte,
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or("").chars().count() + 1,
        }
    }
}

/// A text that is not a rule. Shown with the line at fault and a caret below the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Where.
    pub position: Position,
    /// What could have stood there, in the rule language's own words.
    pub expected: Vec<&'static str>,
    /// What stood there.
    pub found: String,
    /// The line at fault, as it was written.
    pub line: String,
}

impl ParseError {
    pub(crate) fn new(text: &str, byte: usize, expected: Vec<&'static str>, found: String) -> Self {
        let position = Position::of(text, byte);
        let line = text.lines().nth(position.line - 1).unwrap_or("").into();
        Self { position, expected, found, line }
    }

    /// The error in one line, without the rule's text and the caret.
    #[must_use]
    pub fn summary(&self) -> String {
        alloc::format!("{}", Summary(self))
    }
}

struct Summary<'a>(&'a ParseError);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseError { position, expected, found, .. } = self.0;
        write!(out, "line {}, column {}: expected ", position.line, position.column)?;
        for (index, word) in expected.iter().enumerate() {
            let between = match index {
                0 => "",
                _ if index + 1 == expected.len() => " or ",
                _ => ", ",
            };
            write!(out, "{between}{word}")?;
        }
        write!(out, ", found {found}")
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Characters shown before and after the place: a terminal's line holds them.
        const AROUND: usize = 50;
        let column = self.position.column - 1;
        let skipped = column.saturating_sub(AROUND);
        let shown = self.line.chars().skip(skipped).take(2 * AROUND);
        writeln!(out, "{}", Summary(self))?;
        out.write_str("  ")?;
        for letter in shown {
            write!(out, "{}", if letter.is_control() { ' ' } else { letter })?;
        }
        write!(out, "\n  {:width$}^", "", width = column - skipped)
    }
}

impl core::error::Error for ParseError {}
