//! How a site's pages are measured: the flags of `footfall site add`, to settings and back.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use store::site::{
    BeforeConsent, ConsentDefault, ConsentRule, PagePath, SiteTimeZone, TrackerSettings, Word,
};

use crate::site_flag::SiteFlag;

#[derive(Args)]
#[command(next_help_heading = "What the site's script carries")]
pub(crate) struct TrackerArguments {
    /// Optional parts of the tracker, for example `forms,vitals`; may be repeated
    #[arg(long, value_name = "PARTS", value_delimiter = ',', value_parser = part())]
    with: Vec<Word>,
    /// Another `#...` in the address is another page
    #[arg(long)]
    hash_routes: bool,
    /// A page's address is what its `<link rel="canonical">` says
    #[arg(long)]
    canonical: bool,
    /// What holds of visitors who have not answered, for example `analytics=denied,ads=denied`
    #[arg(long, value_name = "PURPOSE=CHOICE")]
    consent: Option<ConsentDefault>,
    /// The same in some countries, for example `EEA,GB:analytics=denied`; may be repeated, and the first that
    /// fits holds. Needs the collector's `--geo-file` or `--place-headers`; where a visitor's country is not
    /// known, the strictest holds
    #[arg(long, value_name = "COUNTRIES:PURPOSE=CHOICE")]
    consent_in: Vec<ConsentRule>,
    /// What happens while it is not known whether a visitor agrees to analytics: events are sent, nothing
    /// is, they are sent without an id (needs `--visitors either`), or they wait in the page's memory
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    before_consent: BeforeConsent,
    /// A session ends at midnight in this time zone too, for example Europe/Zagreb
    #[arg(long, value_name = "TIME ZONE")]
    session_midnight: Option<SiteTimeZone>,
    /// All hosts of a site that has several: signed links between them carry the visitor's id (part `domains`);
    /// may be repeated
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    domain: Vec<Word>,
    /// Parameters of an address that hold what a visitor searched for, for example `q`; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    search_parameter: Vec<Word>,
    /// Folders of a path behind which what was searched for stands, as `search` in `/search/red+mug`; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    search_folder: Vec<Word>,
    /// Endings of files whose links are downloads, for example `pdf,zip`; may be repeated
    #[arg(long, value_name = "ENDING", value_delimiter = ',')]
    download: Vec<Word>,
    /// E-mail, phone and names of an identify leave the page as they are; the collector hashes them
    #[arg(long)]
    raw_traits: bool,
    /// The country's calling code by which the page reads national phone numbers, for example 385
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u16).range(1..=999))]
    phone_code: Option<u16>,
    /// Where the script is served too, for example `/assets/app.js`: a name of the site's own
    #[arg(long, value_name = "PATH")]
    script_path: Option<PagePath>,
    /// Where the script sends events in place of `/v1/events`, for example `/assets/t`
    #[arg(long, value_name = "PATH")]
    events_path: Option<PagePath>,
}

/// What `--with` may name. The part `traits` is fetched by itself, where there are traits.
const PARTS: [&str; 8] =
    ["forms", "vitals", "errors", "search", "datalayer", "consent-mode", "tcf", "domains"];

fn part() -> impl TypedValueParser<Value = Word> {
    PossibleValuesParser::new(PARTS).try_map(|name| name.parse::<Word>())
}

impl TrackerArguments {
    pub(crate) fn settings(self) -> TrackerSettings {
        TrackerSettings {
            with: self.with,
            hash_routes: self.hash_routes,
            canonical: self.canonical,
            consent: self.consent.unwrap_or_default(),
            consent_in: self.consent_in,
            before_consent: self.before_consent,
            session_midnight: self.session_midnight,
            domains: self.domain,
            search_parameters: self.search_parameter,
            search_folders: self.search_folder,
            downloads: self.download,
            raw_traits: self.raw_traits,
            phone_code: self.phone_code,
            script_path: self.script_path,
            events_path: self.events_path,
        }
    }
}

/// What is not as it is by itself.
pub(crate) fn flags(settings: &TrackerSettings) -> Vec<SiteFlag> {
    let (consent, before) = (&settings.consent, settings.before_consent);
    let first = [
        SiteFlag::words("with", &settings.with),
        SiteFlag::alone("hash-routes", settings.hash_routes),
        SiteFlag::alone("canonical", settings.canonical),
        SiteFlag::text("consent", (!consent.is_empty()).then_some(consent)),
    ];
    let before = (before != BeforeConsent::default()).then_some(before.as_str());
    let further = [
        SiteFlag::text("before-consent", before.as_ref()),
        SiteFlag::text("session-midnight", settings.session_midnight.as_ref()),
        SiteFlag::words("domain", &settings.domains),
        SiteFlag::words("search-parameter", &settings.search_parameters),
        SiteFlag::words("search-folder", &settings.search_folders),
        SiteFlag::words("download", &settings.downloads),
        SiteFlag::alone("raw-traits", settings.raw_traits),
        SiteFlag::text("phone-code", settings.phone_code.as_ref()),
        SiteFlag::text("script-path", settings.script_path.as_ref()),
        SiteFlag::text("events-path", settings.events_path.as_ref()),
    ];
    let rules = SiteFlag::each("consent-in", &settings.consent_in);
    first.into_iter().flatten().chain(rules).chain(further.into_iter().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        tracker: TrackerArguments,
    }

    #[test]
    fn what_is_listed_is_what_was_given() {
        let given = [
            "with=forms,vitals",
            "hash-routes",
            "canonical",
            "consent=analytics=denied",
            "consent-in=DE,FR:ads=denied",
            "consent-in=EEA:analytics=granted",
            "before-consent=wait",
            "session-midnight=Europe/Zagreb",
            "domain=shop.example,blog.example",
            "search-parameter=q,find",
            "search-folder=search",
            "download=pdf",
            "raw-traits",
            "phone-code=385",
            "script-path=/assets/app.js",
            "events-path=/assets/t",
        ];
        let words = given.iter().map(|flag| format!("--{flag}"));
        let line = Line::parse_from(std::iter::once("footfall".to_owned()).chain(words));
        let settings = line.tracker.settings();
        let columns: Vec<_> = flags(&settings).iter().map(SiteFlag::column).collect();
        assert_eq!(columns, given);
        assert!(flags(&TrackerSettings::default()).is_empty());
    }
}
