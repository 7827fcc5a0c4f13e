//! How an operating system is called and which version it is, by uap-core's rules
//! (`tables/systems.tsv`).

use std::borrow::Cow;
use std::sync::LazyLock;

use ua_parser::os::{Builder, Extractor, Parser};

/// `None` where a rule cannot be read, which a test rules out.
static RULES: LazyLock<Option<Extractor<'static>>> = LazyLock::new(|| {
    let lines = include_str!("tables/systems.tsv").lines();
    let rules = lines.filter(|line| !line.starts_with('#')).map(rule);
    Builder::new().push_all(rules).ok()?.build().ok()
});

fn rule(line: &'static str) -> Parser<'static> {
    let mut columns = line.split('\t');
    let regex = columns.next().unwrap_or_default().into();
    let mut replacement = || columns.next().filter(|column| !column.is_empty()).map(Cow::Borrowed);
    Parser {
        regex,
        os_replacement: replacement(),
        os_v1_replacement: replacement(),
        os_v2_replacement: replacement(),
        ..Parser::default()
    }
}

/// The system's family and version; `None` where no rule knows it.
pub(super) fn named(user_agent: &str) -> Option<(String, String)> {
    let found = RULES.as_ref()?.extract(user_agent)?;
    let family = family(&found.os);
    let mut version = found.major.unwrap_or_default().to_string();
    if let Some(minor) = found.minor.filter(|minor| !minor.is_empty() && !version.is_empty()) {
        version.push('.');
        version.push_str(&minor);
    }
    if is_frozen(user_agent, family, &version) {
        version.clear();
    }
    Some((family.to_owned(), version))
}

/// A system's name as it is stored: the distributions of Linux are one, and so are Apple's names for its
/// desktop.
pub(super) fn family(name: &str) -> &str {
    match name {
        "Other" => "",
        "Mac OS X" | "Mac OS" => "macOS",
        "ATV OS X" | "tvOS" => "tvOS",
        "WatchOS" => "watchOS",
        "Chrome OS" => "ChromeOS",
        "Web0S" | "webOS" => "webOS",
        "Ubuntu" | "Kubuntu" | "Debian" | "Fedora" | "Red Hat" | "CentOS" | "SUSE" | "Gentoo"
        | "Mandriva" | "Mageia" | "Slackware" | "Linux Mint" | "Arch Linux" | "Puppy" => "Linux",
        "FreeBSD" | "OpenBSD" | "NetBSD" | "DragonFly BSD" => "BSD",
        "BlackBerry OS" | "BlackBerry Tablet OS" => "BlackBerry",
        "Symbian^3" | "Symbian^3 Anna" | "Symbian^3 Belle" => "Symbian OS",
        _ => name,
    }
}

/// Whether a version stands there since long, whatever the system's is: browsers have frozen it
/// (<https://www.chromium.org/updates/ua-reduction/>; Safari has said 10.15.7 since macOS 11 and iOS
/// 18 since iOS 26).
fn is_frozen(user_agent: &str, family: &str, version: &str) -> bool {
    match family {
        // Windows 11 says 10 too.
        "Windows" => version == "10",
        "macOS" => version == "10.15",
        "Android" => user_agent.contains("Android 10; K)"),
        "iOS" => version == "18.6" || version == "18.7",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_can_be_read() {
        assert!(RULES.is_some());
        let told = |user_agent| {
            let (family, version) = named(user_agent)?;
            Some(format!("{family} {version}"))
        };
        let cases = [
            ("Mozilla/5.0 (Windows NT 6.1; Win64; x64)", Some("Windows 7")),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", Some("Windows ")),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6)", Some("macOS 10.14")),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", Some("macOS ")),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)", Some("iOS 17.5")),
            ("Mozilla/5.0 (Linux; Android 14; Pixel 8)", Some("Android 14")),
            ("Mozilla/5.0 (Linux; Android 10; K)", Some("Android ")),
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0)", Some("Linux ")),
            ("nonsense", None),
        ];
        for (user_agent, expected) in cases {
            assert_eq!(told(user_agent).as_deref(), expected, "{user_agent}");
        }
    }
}
