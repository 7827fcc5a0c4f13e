//! Ids that follow from what a file says, so that the same file gives the same ids.

use std::collections::HashMap;
use std::mem;

use csv::StringRecord;
use uuid::Uuid;
use wire::SiteName;

/// The root of all ids made here (RFC 9562, 5.5). Never to be changed: the ids of everything imported hang on it.
const IMPORT: Uuid = Uuid::from_u128(0x5d0c_9f6e_31a4_4c07_9b52_7e8f_20d1_c4b6);

/// Rows that are remembered in each of two generations. 48 MB at most for both.
const ROWS_REMEMBERED: usize = 500_000;

/// Makes the ids of one site's visitors, sessions and events.
pub(super) struct Ids {
    visitor: Uuid,
    session: Uuid,
    event: Uuid,
    seen: Seen,
}

impl Ids {
    pub(super) fn of(site: &SiteName) -> Self {
        let site = Uuid::new_v5(&IMPORT, site.as_str().as_bytes());
        let of = |what: &str| Uuid::new_v5(&site, what.as_bytes());
        Self {
            visitor: of("visitor"),
            session: of("session"),
            event: of("event"),
            seen: Seen::remembering(ROWS_REMEMBERED),
        }
    }

    /// A UUID is the visitor's own id; any other text has one made of it.
    pub(super) fn visitor(&self, text: &str) -> Uuid {
        Uuid::try_parse(text).unwrap_or_else(|_| Uuid::new_v5(&self.visitor, text.as_bytes()))
    }

    /// As of a visitor.
    pub(super) fn session(&self, text: &str) -> Uuid {
        Uuid::try_parse(text).unwrap_or_else(|_| Uuid::new_v5(&self.session, text.as_bytes()))
    }

    /// The id of the row's event: of all its texts, and of how many rows before it said the same.
    pub(super) fn event(&mut self, row: &StringRecord) -> Uuid {
        let mut content = Vec::with_capacity(row.as_slice().len() + 8 * row.len());
        for text in row {
            content.extend_from_slice(&(text.len() as u64).to_le_bytes());
            content.extend_from_slice(text.as_bytes());
        }
        let first = Uuid::new_v5(&self.event, &content);
        match self.seen.before(first) {
            0 => first,
            before => Uuid::new_v5(&first, &before.to_le_bytes()),
        }
    }
}

/// How often a row was there before. It remembers the last half to one million different rows in two
/// generations, the older of which is forgotten whole: by the file alone, so the same file always
/// counts the same. Rows alike that lie farther apart than that count as one event; they would have to
/// bear the same time, and files are written in the order of time, visitor or session.
struct Seen {
    new: HashMap<Uuid, u32>,
    old: HashMap<Uuid, u32>,
    rows_max: usize,
}

impl Seen {
    fn remembering(rows_max: usize) -> Self {
        Self { new: HashMap::new(), old: HashMap::new(), rows_max }
    }

    fn before(&mut self, row: Uuid) -> u32 {
        if let Some(count) = self.new.get_mut(&row) {
            *count = count.saturating_add(1);
            return *count;
        }
        if self.new.len() >= self.rows_max {
            self.old = mem::take(&mut self.new);
        }
        let before = self.old.get(&row).map_or(0, |count| count.saturating_add(1));
        self.new.insert(row, before);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> Ids {
        Ids::of(&"shop".parse().unwrap())
    }

    #[test]
    fn a_uuid_stays_and_a_text_has_one_of_its_site() {
        let known = Uuid::from_u128(7);
        assert_eq!(ids().visitor(&known.to_string()), known);
        assert_eq!(ids().visitor("ada"), ids().visitor("ada"));
        assert_ne!(ids().visitor("ada"), ids().session("ada"));
        assert_ne!(ids().visitor("ada"), Ids::of(&"other".parse().unwrap()).visitor("ada"));
    }

    #[test]
    fn ids_are_those_of_every_release() {
        assert_eq!(ids().visitor("ada").to_string(), "72da06d8-efc3-5394-b455-19da4ebc828a");
        let row = StringRecord::from(vec!["ada", "2026-01-01"]);
        assert_eq!(ids().event(&row).to_string(), "0d9fe018-bc20-5038-b4f6-98dd5ca8f86f");
    }

    #[test]
    fn rows_alike_are_told_apart_by_their_number() {
        let row = StringRecord::from(vec!["ada", "view"]);
        let shifted = StringRecord::from(vec!["adav", "iew"]);
        let (mut once, mut again) = (ids(), ids());
        let first: Vec<_> = (0..3).map(|_| once.event(&row)).collect();
        assert!(first[0] != first[1] && first[1] != first[2] && first[0] != first[2]);
        assert_eq!(first, (0..3).map(|_| again.event(&row)).collect::<Vec<_>>());
        assert_ne!(once.event(&shifted), ids().event(&row));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = Seen::remembering(2);
        let row = |number| Uuid::from_u128(number);
        assert_eq!((seen.before(row(1)), seen.before(row(1)), seen.before(row(2))), (0, 1, 0));
        assert_eq!(
            (seen.before(row(3)), seen.before(row(1))),
            (0, 2),
            "kept by the older generation"
        );
        for number in 4..9 {
            seen.before(row(number));
            assert!(seen.new.len() + seen.old.len() <= 4);
        }
        assert_eq!(seen.before(row(2)), 0);
    }
}
