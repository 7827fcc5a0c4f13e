//! What a site's pages are told, and what cannot be.

use super::*;

fn settings(consent: &str, rules: &[&str]) -> TrackerSettings {
    TrackerSettings {
        consent: consent.parse().unwrap_or_default(),
        consent_in: rules.iter().map(|rule| rule.parse().unwrap()).collect(),
        ..TrackerSettings::default()
    }
}

fn words(settings: &TrackerSettings, country: Option<&str>) -> String {
    settings.consent_in(country).words()
}

#[test]
fn the_first_rule_of_a_country_holds_and_the_rest_is_as_elsewhere() {
    let rules = ["EEA:analytics=denied,ads=denied", "HR,US:analytics=unknown"];
    let settings = settings("analytics=granted,ads=granted", &rules);
    assert_eq!(words(&settings, Some("HR")), "denied unknown denied");
    assert_eq!(words(&settings, Some("US")), "unknown unknown granted");
    assert_eq!(words(&settings, Some("JP")), "granted unknown granted");
}

#[test]
fn a_visitor_who_may_be_anywhere_is_treated_as_where_it_is_strictest() {
    let settings =
        settings("analytics=granted,ads=granted", &["DE:analytics=denied", "FR:ads=unknown"]);
    assert_eq!(words(&settings, None), "denied unknown unknown");
    assert_eq!(words(&TrackerSettings::default(), None), "unknown unknown unknown");
}

#[test]
fn the_european_economic_area_has_thirty_countries() {
    let rule: ConsentRule = "eea:analytics=denied".parse().unwrap();
    for country in ["HR", "DE", "NO", "IS", "LI"] {
        assert!(rule.holds_in(country), "{country}");
    }
    for country in ["GB", "CH", "US", "EE,", ""] {
        assert!(!rule.holds_in(country), "{country}");
    }
}

#[test]
fn consent_is_written_as_it_is_read() {
    let text = "analytics=denied,ads=granted";
    assert_eq!(text.parse::<ConsentDefault>().unwrap().to_string(), text);
    let text = "DE,FR:personalization=unknown";
    assert_eq!(text.parse::<ConsentRule>().unwrap().to_string(), text);
    for wrong in ["", "analytics", "analytics=yes", "ad=denied", "ads=denied,ads=granted"] {
        assert_eq!(wrong.parse::<ConsentDefault>(), Err(ConsentError::Choice), "{wrong}");
    }
    for wrong in ["analytics=denied", ":ads=denied", "DEU:ads=denied", "D1:ads=denied"] {
        assert_eq!(wrong.parse::<ConsentRule>(), Err(ConsentError::Countries), "{wrong}");
    }
}

#[test]
fn a_path_is_one_that_nothing_else_answers() {
    for path in ["/app.js", "/assets/a-b_c~1.js", "/v1.js", "/stuff/t", "/metrics.js"] {
        assert_eq!(path.parse::<PagePath>().unwrap().as_str(), path);
    }
    for path in [
        "",
        "/",
        "app.js",
        "//host/a.js",
        "/a/../b.js",
        "/./a.js",
        "/a.js?b",
        "/a b.js",
        "/a/",
        "/ž.js",
    ] {
        assert_eq!(path.parse::<PagePath>(), Err(PagePathError::Form), "{path}");
    }
    for path in ["/v1/a.js", "/v1", "/s/a.js", "/r/a.js", "/healthz", "/readyz", "/metrics"] {
        assert!(matches!(path.parse::<PagePath>(), Err(PagePathError::Taken(_))), "{path}");
    }
    let long = format!("/{}.js", "a".repeat(128));
    assert_eq!(long.parse::<PagePath>(), Err(PagePathError::TooLong));
}

#[test]
fn midnight_is_the_zones_own_in_summer_and_in_winter() {
    let zagreb: SiteTimeZone = "Europe/Zagreb".parse().unwrap();
    // 2026-07-01 and 2026-01-01, noon in UTC.
    assert_eq!(zagreb.minutes_behind_utc(1_782_907_200_000), -120);
    assert_eq!(zagreb.minutes_behind_utc(1_767_268_800_000), -60);
    let kolkata: SiteTimeZone = "asia/kolkata".parse().unwrap();
    assert_eq!((kolkata.as_str(), kolkata.minutes_behind_utc(0)), ("Asia/Kolkata", -330));
    assert!("Europe/Atlantis".parse::<SiteTimeZone>().is_err());
}

#[test]
fn a_word_has_no_space_and_no_markup() {
    for word in ["forms", "consent-mode", "shop.example:8080", "filter[q]"] {
        assert_eq!(word.parse::<Word>().unwrap().as_str(), word);
    }
    for wrong in
        ["", "a b", "a,b", "</script>", "\u{2028}", "https://shop.example", &"a".repeat(254)]
    {
        assert_eq!(wrong.parse::<Word>(), Err(WordError), "{wrong}");
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let path = |path: &str| Some(path.parse::<PagePath>().unwrap());
    let kept = Visitors::Kept;
    let cookieless =
        TrackerSettings { before_consent: BeforeConsent::Cookieless, ..TrackerSettings::default() };
    assert_eq!(cookieless.check(kept), Err(TrackerError::CookielessKept));
    assert_eq!(cookieless.check(Visitors::Either), Ok(()));
    let script = TrackerSettings { script_path: path("/a.mjs"), ..TrackerSettings::default() };
    assert!(matches!(script.check(kept), Err(TrackerError::NotAScript { .. })));
    let both = TrackerSettings {
        script_path: path("/a.js"),
        events_path: path("/a.js"),
        ..TrackerSettings::default()
    };
    assert!(matches!(both.check(kept), Err(TrackerError::SamePath { .. })));
    let word: Word = "a".parse().unwrap();
    let many = TrackerSettings { domains: vec![word; 51], ..TrackerSettings::default() };
    assert_eq!(many.check(kept), Err(TrackerError::TooMany { list: "domain", count: 51 }));
}

#[test]
fn what_is_not_set_is_not_written() {
    assert_eq!(serde_json::to_string(&TrackerSettings::default()).unwrap(), "{}");
    let set = TrackerSettings {
        consent: "ads=denied".parse().unwrap(),
        session_midnight: "Europe/Zagreb".parse().ok(),
        phone_code: Some(385),
        ..TrackerSettings::default()
    };
    let json = serde_json::to_string(&set).unwrap();
    assert_eq!(
        json,
        r#"{"consent":"ads=denied","session_midnight":"Europe/Zagreb","phone_code":385}"#
    );
    assert_eq!(serde_json::from_str::<TrackerSettings>(&json).unwrap(), set);
}
