//! What a site's settings become in its script: the options that are not the tracker's own anyway.

use serde_json::{Map, Value};
use store::site::{BeforeConsent, Visitors, Word};

use crate::link::LinkKey;
use crate::validate::Site;

/// Minutes of a day: midnight in UTC, since the tracker takes nought for none.
const DAY_MINUTES: i32 = 1440;

/// A JavaScript expression: an object of options as the tracker names them. `country` is where the
/// visitor is, `None` where that is not known.
pub(super) fn baked(
    site: &Site,
    link_key: &LinkKey,
    country: Option<&str>,
    now_millis: i64,
) -> String {
    let tracker = &site.tracker;
    let mut options = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        options.extend(value.map(|value| (name.to_owned(), value)));
    };
    let flag = |is_set: bool| is_set.then_some(Value::Bool(true));
    let text = |text: Option<&str>| text.map(Value::from);
    put("with", words(&tracker.with).map(Value::from));
    put("hashRoutes", flag(tracker.hash_routes));
    put("canonical", flag(tracker.canonical));
    let consent = tracker.consent_in(country);
    put("consent", (!consent.is_empty()).then(|| Value::from(consent.words())));
    let before = tracker.before_consent;
    put("beforeConsent", text((before != BeforeConsent::Send).then(|| before.as_str())));
    put("cookieless", flag(site.visitors == Visitors::Cookieless));
    let midnight = tracker.session_midnight.as_ref().map(|zone| {
        let behind = zone.minutes_behind_utc(now_millis);
        Value::from(if behind == 0 { DAY_MINUTES } else { behind })
    });
    put("midnight", midnight);
    put("domains", words(&tracker.domains).map(|words| words.to_ascii_lowercase().into()));
    // Nobody else's script has a key, so that it is in as few as can be.
    let has_domains = !tracker.domains.is_empty();
    put("domainsKey", has_domains.then(|| link_key.of_domains(&site.name).into()));
    put("searchParameters", words(&tracker.search_parameters).map(Value::from));
    put("searchFolders", words(&tracker.search_folders).map(Value::from));
    // Compared with what is behind an address's last dot, in small letters.
    let endings = words(&tracker.downloads).map(|words| words.to_ascii_lowercase());
    put("downloads", endings.map(|words| words.trim_start_matches('.').replace(" .", " ").into()));
    put("rawTraits", flag(tracker.raw_traits));
    put("phoneCode", tracker.phone_code.map(Value::from));
    put("eventsPath", text(tracker.events_path.as_ref().map(|path| path.as_str())));
    // In brackets, so that it stands in any place of an expression.
    format!("({})", in_script(&Value::Object(options).to_string()))
}

/// A list as an attribute of the tag would say it.
fn words(words: &[Word]) -> Option<String> {
    let joined = words.iter().map(Word::as_str).collect::<Vec<_>>().join(" ");
    (!joined.is_empty()).then_some(joined)
}

/// JSON in ASCII, as all of the script is, that does not end a `<script>` it may be copied into.
fn in_script(json: &str) -> String {
    let mut script = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() && character != '<' {
            script.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                script.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use store::site::TrackerSettings;

    use super::*;

    const SUMMER: i64 = 1_782_907_200_000;

    fn site(settings: &Value) -> Site {
        let tracker: TrackerSettings = serde_json::from_value(settings.clone()).unwrap();
        Site::new("shop".parse().unwrap(), []).with_tracker(tracker)
    }

    fn key() -> LinkKey {
        LinkKey::of(&[7; 32])
    }

    #[test]
    fn what_is_not_set_costs_a_visitor_nothing() {
        assert_eq!(baked(&site(&serde_json::json!({})), &key(), None, SUMMER), "({})");
    }

    #[test]
    fn every_setting_is_an_option_of_the_tracker() {
        let all = serde_json::json!({
            "with": ["forms", "vitals"],
            "hash_routes": true,
            "canonical": true,
            "consent": "analytics=denied",
            "before_consent": "nothing",
            "session_midnight": "Europe/Zagreb",
            "domains": ["Shop.example", "blog.example"],
            "search_parameters": ["q"],
            "search_folders": ["search", "find"],
            "downloads": [".PDF", "zip", ".tgz"],
            "raw_traits": true,
            "phone_code": 385,
            "script_path": "/assets/app.js",
            "events_path": "/assets/t",
        });
        let site = site(&all).with_visitors(Visitors::Cookieless);
        let told = baked(&site, &key(), None, SUMMER);
        let told: Value =
            serde_json::from_str(told.trim_start_matches('(').trim_end_matches(')')).unwrap();
        let expected = serde_json::json!({
            "with": "forms vitals",
            "hashRoutes": true,
            "canonical": true,
            "consent": "denied unknown unknown",
            "beforeConsent": "nothing",
            "cookieless": true,
            "midnight": -120,
            "domains": "shop.example blog.example",
            // HMAC-SHA-256 as Python's `hmac` makes it.
            "domainsKey": "d8a0c0a4ac8b41f21da4ab368048bab0",
            "searchParameters": "q",
            "searchFolders": "search find",
            "downloads": "pdf zip tgz",
            "rawTraits": true,
            "phoneCode": 385,
            "eventsPath": "/assets/t",
        });
        assert_eq!(told, expected);
    }

    #[test]
    fn midnight_in_utc_is_no_nought() {
        let site = site(&serde_json::json!({"session_midnight": "UTC"}));
        assert_eq!(baked(&site, &key(), None, SUMMER), r#"({"midnight":1440})"#);
    }

    #[test]
    fn a_text_in_the_script_is_ascii_and_does_not_end_it() {
        assert_eq!(
            in_script("</script>\u{2028}č😀"),
            "\\u003c/script>\\u2028\\u010d\\ud83d\\ude00"
        );
    }
}
