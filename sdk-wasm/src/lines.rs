//! Texts that hold several, one a line: what the loader gives, and the queue. One text is a quarter of
//! the code that four are, and `str::split` is made for longer ones.

/// The lines of a text, an empty one where there are no more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines<'a>(pub(crate) &'a str);

impl<'a> Lines<'a> {
    /// The next line; what is behind it stays.
    pub(crate) fn next(&mut self) -> &'a str {
        let text = self.0;
        let at = text.bytes().position(|byte| byte == b'\n').unwrap_or(text.len());
        self.0 = text.get(at + 1..).unwrap_or_default();
        text.get(..at).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_line_breaks_and_only_there() {
        let mut lines = Lines("čaj\n\nzeleni list");
        assert_eq!((lines.next(), lines.next()), ("čaj", ""));
        assert_eq!(lines.0, "zeleni list");
        assert_eq!((lines.next(), lines.next()), ("zeleni list", ""));
    }
}
