//! Referrers that were made up: visits that never were, sent so that the referrer is read in reports.

use std::borrow::Cow;
use std::path::Path;
use std::{fs, io};

use rustc_hash::FxHashSet;

use crate::enrich::below_dots;

/// Bytes of a list; the best known one has about 50 KiB.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Labels of a host that are looked at, from its end. An endless host from outside costs no more.
const LABELS_MAX: usize = 8;

/// Domains of spammers; what is under one is its owner's too.
#[derive(Debug)]
pub(crate) struct ReferrerSpam(FxHashSet<Cow<'static, str>>);

impl ReferrerSpam {
    /// The built-in list, unless it is not wanted, and the operator's, as far as it can be read.
    pub(crate) fn open(built_in: bool, file: Option<&Path>) -> Self {
        let known = built_in.then_some(include_str!("tables/referrer_spam.txt"));
        let mut domains: FxHashSet<_> =
            known.into_iter().flat_map(lines).map(Cow::Borrowed).collect();
        if let Some(file) = file {
            match read(file) {
                Ok(text) => domains
                    .extend(lines(&text).map(|domain| Cow::Owned(domain.to_ascii_lowercase()))),
                Err(error) => {
                    tracing::warn!(file = %file.display(), %error, "cannot read the list of referrer spam");
                }
            }
        }
        Self(domains)
    }

    /// Whether a host, lower case, is or is under one of the domains.
    pub(crate) fn has(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let mut under = below_dots(host).take(LABELS_MAX);
        !self.0.is_empty() && (self.0.contains(host) || under.any(|domain| self.0.contains(domain)))
    }
}

/// A domain a line; what begins with `#` is said to people.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn read(file: &Path) -> io::Result<String> {
    if fs::metadata(file)?.len() > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 4 MiB"));
    }
    fs::read_to_string(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_and_all_under_it_and_nothing_else() {
        let spam = ReferrerSpam::open(true, None);
        for host in ["semalt.com", "semalt.semalt.com", "a.b.c.priceg.com", "darodar.com."] {
            assert!(spam.has(host), "{host}");
        }
        for host in ["notsemalt.com", "semalt.com.example", "com", "", ".", "google.com"] {
            assert!(!spam.has(host), "{host}");
        }
        let endless = format!("{}example", "a.".repeat(100_000));
        assert!(!spam.has(&endless));
    }

    #[test]
    fn the_list_is_of_bare_domains_each_once() {
        let domains: Vec<_> = lines(include_str!("tables/referrer_spam.txt")).collect();
        let bare = |domain: &&str| {
            domain.contains('.')
                && domain.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte)
                })
        };
        assert_eq!(domains.iter().find(|domain| !bare(domain)), None);
        assert!(domains.is_sorted_by(|a, b| a < b));
        assert!(domains.len() > 100);
    }

    #[test]
    fn the_operators_list_is_added_and_ours_can_be_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spam.txt");
        fs::write(&file, "# mine\nSpam.Example\r\n\n").unwrap();
        let both = ReferrerSpam::open(true, Some(&file));
        assert!(both.has("x.spam.example") && both.has("semalt.com"));
        let mine = ReferrerSpam::open(false, Some(&file));
        assert!(mine.has("spam.example") && !mine.has("semalt.com"));
        assert!(ReferrerSpam::open(true, Some(&folder.path().join("gone"))).has("semalt.com"));
        assert!(!ReferrerSpam::open(false, None).has("semalt.com"));
    }
}
