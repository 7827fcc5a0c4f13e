//! What a site's pages are about, told by their paths: one rule each, written as
//! `/coffee/*=Drinks/Coffee`.

use std::fmt;
use std::str::FromStr;

use serde_with::{DeserializeFromStr, SerializeDisplay};
use thiserror::Error;

/// Bytes of a rule.
const TEXT_BYTES_MAX: usize = 512;
/// Levels of a category; as many as an event may tell itself.
const LEVELS_MAX: usize = wire::limits::CATEGORIES_MAX;
/// Stars of a pattern.
const STARS_MAX: usize = 4;

/// Pages whose path fits the pattern are of this category.
#[derive(Clone, Debug, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct CategoryRule {
    /// A path; `*` stands for any run of characters, also an empty one and one with slashes in it.
    pattern: String,
    /// Most general first, each with those before it: `Drinks`, `Drinks/Coffee`.
    levels: Vec<String>,
}

/// Why a text is no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CategoryRuleError {
    /// No `=`, or nothing behind it.
    #[error("a category rule is a path and a category, for example /coffee/*=Drinks/Coffee")]
    Form,
    /// The path is none.
    #[error("a category rule's path begins with a slash or a star")]
    Path,
    /// Too many stars.
    #[error("a category rule's path has at most {STARS_MAX} stars")]
    Stars,
    /// Too many levels, or an empty one.
    #[error("a category has 1 to {LEVELS_MAX} levels, with slashes between, none of them empty")]
    Levels,
    /// Longer than is kept.
    #[error("a category rule has at most {TEXT_BYTES_MAX} bytes")]
    TooLong,
}

impl CategoryRule {
    /// The category of a page with this path, most general level first.
    #[must_use]
    pub fn levels_of(&self, path: &str) -> Option<&[String]> {
        fits(&self.pattern, path).then_some(self.levels.as_slice())
    }
}

/// Whether a path fits a pattern. Each piece between stars is looked for once, from where the one before
/// it ended, so this takes a time in proportion to the path's length, whatever the pattern.
fn fits(pattern: &str, path: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return path == pattern };
    let Some(path) = path.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut path) = path.strip_suffix(last) else { return false };
    for piece in middle.split('*') {
        let Some((_, after)) = path.split_once(piece) else { return false };
        path = after;
    }
    true
}

impl FromStr for CategoryRule {
    type Err = CategoryRuleError;

    fn from_str(text: &str) -> Result<Self, CategoryRuleError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(CategoryRuleError::TooLong);
        }
        let (pattern, category) = text.split_once('=').ok_or(CategoryRuleError::Form)?;
        if category.trim().is_empty() {
            return Err(CategoryRuleError::Form);
        }
        if !pattern.starts_with(['/', '*']) {
            return Err(CategoryRuleError::Path);
        }
        if pattern.matches('*').count() > STARS_MAX {
            return Err(CategoryRuleError::Stars);
        }
        let mut levels: Vec<String> = Vec::new();
        for name in category.split('/').map(str::trim) {
            if name.is_empty() || levels.len() == LEVELS_MAX {
                return Err(CategoryRuleError::Levels);
            }
            levels.push(match levels.last() {
                Some(above) => format!("{above}/{name}"),
                None => name.to_owned(),
            });
        }
        Ok(Self { pattern: pattern.to_owned(), levels })
    }
}

impl fmt::Display for CategoryRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let category = self.levels.last().map_or("", String::as_str);
        write!(out, "{}={category}", self.pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_of_characters() {
        let cases = [
            ("/coffee", "/coffee", true),
            ("/coffee", "/coffee/", false),
            ("/coffee/*", "/coffee/", true),
            ("/coffee/*", "/coffee/beans/dark", true),
            ("/coffee/*", "/coffee", false),
            ("*/coffee", "/hr/coffee", true),
            ("/*/coffee/*", "/hr/coffee/beans", true),
            ("/*/coffee/*", "/coffee/beans", false),
            ("/*a*a*", "/xaxa", true),
            ("/*a*a*", "/xa", false),
            ("/a*a", "/a", false),
            ("*", "", true),
            ("/*ž*", "/knjižara", true),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn reads_back_as_it_is_written() {
        let rule: CategoryRule = "/coffee/*=Drinks / Coffee".parse().unwrap();
        assert_eq!(
            rule.levels_of("/coffee/x"),
            Some(&["Drinks".to_owned(), "Drinks/Coffee".to_owned()][..])
        );
        assert_eq!(rule.levels_of("/tea"), None);
        assert_eq!(rule.to_string(), "/coffee/*=Drinks/Coffee");
        let json = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<CategoryRule>(&json).unwrap(), rule);
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |text: &str| text.parse::<CategoryRule>().unwrap_err();
        assert_eq!(error("/coffee"), CategoryRuleError::Form);
        assert_eq!(error("/coffee= "), CategoryRuleError::Form);
        assert_eq!(error("coffee=Drinks"), CategoryRuleError::Path);
        assert_eq!(error("*a*b*c*d*=x"), CategoryRuleError::Stars);
        assert_eq!(error("/a=Drinks//Coffee"), CategoryRuleError::Levels);
        assert_eq!(error("/a=1/2/3/4/5/6/7/8/9"), CategoryRuleError::Levels);
        assert_eq!(error(&format!("/{}=x", "a".repeat(600))), CategoryRuleError::TooLong);
    }
}
