//! How a browser is called, by uap-core's rules (`tables/browsers.tsv`).

use std::borrow::Cow;
use std::sync::LazyLock;

use ua_parser::user_agent::{Builder, Extractor, Parser};

/// `None` where a rule cannot be read, which a test rules out.
static RULES: LazyLock<Option<Extractor<'static>>> = LazyLock::new(|| {
    let lines = include_str!("tables/browsers.tsv").lines();
    let rules = lines.filter(|line| !line.starts_with('#')).map(rule);
    Builder::new().push_all(rules).ok()?.build().ok()
});

fn rule(line: &'static str) -> Parser<'static> {
    let mut columns = line.split('\t');
    let regex = columns.next().unwrap_or_default().into();
    let mut replacement = || columns.next().filter(|column| !column.is_empty()).map(Cow::Borrowed);
    Parser {
        regex,
        family_replacement: replacement(),
        v1_replacement: replacement(),
        v2_replacement: replacement(),
        ..Parser::default()
    }
}

/// The browser's family and version; `None` where no rule knows it.
pub(super) fn named(user_agent: &str) -> Option<(String, String)> {
    let found = RULES.as_ref()?.extract(user_agent)?;
    let mut version = String::new();
    for part in [found.major, found.minor, found.patch].into_iter().map_while(|part| part) {
        if !version.is_empty() {
            version.push('.');
        }
        version.push_str(part);
    }
    Some((family(&found.family).to_owned(), version))
}

/// A browser's name without the device it runs on: that stands beside it. Else it is uap-core's own.
pub(super) fn family(name: &str) -> &str {
    match name {
        "Chrome Mobile" | "Chrome Mobile iOS" | "Chrome Mobile WebView" => "Chrome",
        "Mobile Safari" | "Mobile Safari UI/WKWebView" => "Safari",
        "Firefox Mobile" | "Firefox iOS" => "Firefox",
        "Edge Mobile" => "Edge",
        "IE Mobile" | "IE Large Screen" => "IE",
        "Opera Mobile" | "Opera Tablet" => "Opera",
        "Other" => "",
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_can_be_read() {
        assert!(RULES.is_some());
        let instagram = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 335.0.6.26.98";
        assert_eq!(named(instagram), Some(("Instagram".to_owned(), "335.0.6".to_owned())));
        assert_eq!(named("nonsense"), None);
    }
}
