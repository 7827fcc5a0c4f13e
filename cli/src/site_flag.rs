//! A site's settings as the flags of `footfall site add` that give them: what `footfall site list` shows, and
//! what another `add` takes away.

use std::fmt;

use store::site::{PlaceDetail, SiteSettings, Visitors};

use crate::site_tracker;

/// A flag, and what was given with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SiteFlag {
    name: &'static str,
    given: Given,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Given {
    /// Nothing: it is there, or it is not.
    Alone,
    /// One text, once.
    Text(String),
    /// One of several texts, each with the flag before it.
    Each(String),
    /// Words with commas between them.
    Words(Vec<String>),
}

/// The flags of a site's settings that are not as they are by themselves, the tracker's last.
pub(crate) fn flags(settings: &SiteSettings) -> Vec<SiteFlag> {
    let (visitors, place) = (settings.visitors, settings.place);
    let once = [
        SiteFlag::text("events-per-day", settings.events_per_day.as_ref()),
        SiteFlag::alone("keep-referrer-spam", settings.keep_referrer_spam),
        SiteFlag::text("visitors", (visitors != Visitors::default()).then_some(&visitors)),
        SiteFlag::text("place", (place != PlaceDetail::default()).then_some(&place.as_str())),
        SiteFlag::text("currency", settings.currency.as_ref()),
    ];
    SiteFlag::each("origin", &settings.origins)
        .chain(SiteFlag::each("host", &settings.hosts))
        .chain(SiteFlag::each("exclude", &settings.exclude))
        .chain(SiteFlag::each("category", &settings.categories))
        .chain(once.into_iter().flatten())
        .chain(site_tracker::flags(&settings.tracker))
        .collect()
}

/// What held before and is not given any more. What was given with another text in its place is not among
/// it: that was changed.
pub(crate) fn taken_away(before: &SiteSettings, now: &SiteSettings) -> Vec<SiteFlag> {
    let now = flags(now);
    flags(before).into_iter().filter_map(|flag| flag.without(&now)).collect()
}

impl SiteFlag {
    pub(crate) fn alone(name: &'static str, is_set: bool) -> Option<Self> {
        is_set.then_some(Self { name, given: Given::Alone })
    }

    pub(crate) fn text(name: &'static str, text: Option<&impl ToString>) -> Option<Self> {
        text.map(|text| Self { name, given: Given::Text(text.to_string()) })
    }

    pub(crate) fn each<T: ToString>(name: &'static str, texts: &[T]) -> impl Iterator<Item = Self> {
        texts.iter().map(move |text| Self { name, given: Given::Each(text.to_string()) })
    }

    pub(crate) fn words<T: ToString>(name: &'static str, words: &[T]) -> Option<Self> {
        let given = Given::Words(words.iter().map(ToString::to_string).collect());
        (!words.is_empty()).then_some(Self { name, given })
    }

    /// As `footfall site list` shows it: `with=forms,vitals`.
    pub(crate) fn column(&self) -> String {
        self.value().map_or_else(|| self.name.to_owned(), |value| format!("{}={value}", self.name))
    }

    fn value(&self) -> Option<String> {
        match &self.given {
            Given::Alone => None,
            Given::Text(text) | Given::Each(text) => Some(text.clone()),
            Given::Words(words) => Some(words.join(",")),
        }
    }

    /// What of it the others do not have.
    fn without(self, others: &[Self]) -> Option<Self> {
        let mut same = others.iter().filter(|other| other.name == self.name);
        match &self.given {
            Given::Alone | Given::Text(_) => same.next().is_none().then_some(self),
            Given::Each(_) => (!same.any(|other| other.given == self.given)).then_some(self),
            Given::Words(words) => {
                let still = |word: &String| {
                    let mut others = others.iter().filter(|other| other.name == self.name);
                    others.any(
                        |other| matches!(&other.given, Given::Words(now) if now.contains(word)),
                    )
                };
                let gone: Vec<_> = words.iter().filter(|word| !still(word)).collect();
                Self::words(self.name, &gone)
            }
        }
    }
}

/// As it is given on a command line of a shell.
impl fmt::Display for SiteFlag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "--{}", self.name)?;
        let Some(value) = self.value() else { return Ok(()) };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/=@%+".contains(c);
        if !value.is_empty() && value.chars().all(is_plain) {
            write!(out, " {value}")
        } else {
            write!(out, " '{}'", value.replace('\'', r"'\''"))
        }
    }
}

#[cfg(test)]
mod tests {
    use store::site::TrackerSettings;

    use super::*;

    fn settings() -> SiteSettings {
        SiteSettings {
            origins: vec![
                "https://shop.example".parse().unwrap(),
                "https://www.shop.example".parse().unwrap(),
            ],
            exclude: vec!["user-agent=it's odd".parse().unwrap()],
            events_per_day: std::num::NonZeroU64::new(1_000),
            keep_referrer_spam: true,
            visitors: Visitors::Either,
            place: PlaceDetail::None,
            categories: vec!["/coffee/*=Drinks/Coffee".parse().unwrap()],
            currency: Some("EUR".parse().unwrap()),
            tracker: TrackerSettings {
                with: vec!["forms".parse().unwrap(), "vitals".parse().unwrap()],
                consent: "analytics=denied".parse().unwrap(),
                ..TrackerSettings::default()
            },
            ..SiteSettings::default()
        }
    }

    fn told(now: &SiteSettings) -> Vec<String> {
        taken_away(&settings(), now).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_given_no_more_is_told_as_a_shell_takes_it() {
        let origins = settings().origins.split_off(1);
        assert_eq!(
            told(&SiteSettings { origins, ..SiteSettings::default() }),
            [
                "--origin https://shop.example",
                r"--exclude 'user-agent=it'\''s odd'",
                "--category '/coffee/*=Drinks/Coffee'",
                "--events-per-day 1000",
                "--keep-referrer-spam",
                "--visitors either",
                "--place none",
                "--currency EUR",
                "--with forms,vitals",
                "--consent analytics=denied",
            ]
        );
    }

    #[test]
    fn what_was_kept_or_changed_is_not_taken_away() {
        assert!(told(&settings()).is_empty());
        let mut now = settings();
        now.place = PlaceDetail::Country;
        now.currency = Some("USD".parse().unwrap());
        now.tracker.with = vec!["vitals".parse().unwrap(), "errors".parse().unwrap()];
        assert_eq!(told(&now), ["--with forms"]);
    }
}
