//! The range picker.

use analytics::query::Range;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::SiteName;

use super::address;
use crate::error::Rejection;
use crate::parameters::Parameters;

/// What is one click away, and its `from`.
const PRESETS: [(&str, &str); 5] = [
    ("24 hours", "24h"),
    ("7 days", "7d"),
    ("30 days", FROM_DEFAULT),
    ("90 days", "90d"),
    ("All", "all"),
];

/// What holds where nobody chose.
const FROM_DEFAULT: &str = "30d";

pub(super) struct RangeView {
    pub(super) presets: Vec<Preset>,
    /// Whether the dates were given by hand.
    pub(super) custom: bool,
    /// The first day, as an input takes it; empty since ever.
    pub(super) from: String,
    /// The last day.
    pub(super) to: String,
    /// The range in words.
    pub(super) caption: String,
    /// What a new range leaves as it is.
    pub(super) kept: Vec<(&'static str, String)>,
}

pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) from: &'static str,
    pub(super) href: String,
    pub(super) chosen: bool,
}

impl RangeView {
    pub(super) fn new(
        site: &SiteName,
        parameters: &Parameters,
        range: Range,
    ) -> Result<Self, Rejection> {
        let kept: Vec<_> = ["step", "window", "by"]
            .into_iter()
            .flat_map(|name| parameters.all(name).map(move |value| (name, value.to_owned())))
            .collect();
        let chosen = match (parameters.one("from")?, parameters.one("to")?) {
            (from, None) => {
                PRESETS.iter().find(|(_, preset)| *preset == from.unwrap_or(FROM_DEFAULT))
            }
            _ => None,
        };
        let presets = PRESETS.iter().map(|(name, from)| {
            let kept = kept.iter().map(|(name, value)| (*name, value.as_str()));
            let href = address(site, std::iter::once(("from", *from)).chain(kept));
            Preset { name, from, href, chosen: chosen.is_some_and(|(_, chosen)| chosen == from) }
        });
        let last = range.to.map(last_moment);
        let shown = |moment: Option<Timestamp>| moment.map(|at| shown(at, "%Y-%m-%d"));
        Ok(Self {
            presets: presets.collect(),
            custom: chosen.is_none(),
            from: shown(range.from).unwrap_or_default(),
            to: shown(last).unwrap_or_default(),
            caption: caption(range),
            kept,
        })
    }
}

/// The last moment that belongs to a range with this end.
fn last_moment(to: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(to.as_millisecond().saturating_sub(1)).unwrap_or(to)
}

/// A moment in UTC, by a pattern of strftime.
pub(super) fn shown(at: Timestamp, pattern: &str) -> String {
    at.to_zoned(TimeZone::UTC).strftime(pattern).to_string()
}

/// The range in words. Days are enough, unless it is about hours.
fn caption(range: Range) -> String {
    const HOURS_SHOWN_MAX: i64 = 48;
    match (range.from, range.to) {
        (Some(from), Some(to)) => {
            let pattern = match to.duration_since(from).as_hours() {
                ..HOURS_SHOWN_MAX => "%-d %b %Y %H:%M",
                _ => "%-d %b %Y",
            };
            format!("{} – {}", shown(from, pattern), shown(last_moment(to), pattern))
        }
        (None, Some(to)) => format!("Until {}", shown(last_moment(to), "%-d %b %Y")),
        (Some(from), None) => format!("Since {}", shown(from, "%-d %b %Y")),
        (None, None) => "Since the first event".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(query: &str) -> RangeView {
        let parameters = Parameters::read(Some(query), super::super::KNOWN).unwrap();
        let range = parameters.range("2026-07-15T12:30:00Z".parse().unwrap()).unwrap();
        RangeView::new(&"shop".parse().unwrap(), &parameters, range).unwrap()
    }

    #[test]
    fn tells_a_preset_from_dates_and_keeps_the_funnel() {
        let chosen = |view: &RangeView| {
            view.presets.iter().find(|preset| preset.chosen).map(|preset| preset.name)
        };
        let month = view("step=a%26b&step=c");
        assert_eq!((chosen(&month), month.custom), (Some("30 days"), false));
        assert_eq!(month.caption, "15 Jun 2026 – 15 Jul 2026");
        assert_eq!(month.presets[1].href, "/sites/shop?from=7d&step=a%26b&step=c");
        let dates = view("from=2026-07-01&to=2026-07-14");
        assert_eq!((chosen(&dates), dates.custom), (None, true));
        assert_eq!(dates.caption, "1 Jul 2026 – 14 Jul 2026");
        assert_eq!((dates.from.as_str(), dates.to.as_str()), ("2026-07-01", "2026-07-14"));
        assert_eq!(chosen(&view("from=all")), Some("All"));
        assert_eq!(view("from=24h").caption, "14 Jul 2026 12:30 – 15 Jul 2026 12:29");
    }
}
