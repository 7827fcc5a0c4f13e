//! The device, browser and system a user agent stands for.

use std::sync::Arc;

use quick_cache::sync::Cache;
use woothee::parser::{Parser, WootheeResult};

use crate::validate::cut;

/// User agents remembered. A site sees some thousands in a day, most visits have one of a few
/// hundred; at most [`USER_AGENT_BYTES_MAX`] each, so a few megabytes in all.
const USER_AGENTS_MAX: usize = 4096;
/// Bytes of a user agent that are looked at. Browsers' are under 300.
const USER_AGENT_BYTES_MAX: usize = 512;

/// What a user agent stands for; empty where unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Device {
    /// desktop, mobile, tablet, tv, console or other.
    pub(crate) class: &'static str,
    pub(crate) browser: &'static str,
    pub(crate) browser_version: String,
    pub(crate) os: &'static str,
    /// A program that reads pages on its own.
    pub(crate) crawler: bool,
}

/// Reads user agents, and remembers them: reading one takes several microseconds, and real traffic
/// repeats.
pub(crate) struct UserAgents {
    known: Cache<String, Arc<Device>>,
}

impl std::fmt::Debug for UserAgents {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("UserAgents").field("known", &self.known.len()).finish()
    }
}

impl Default for UserAgents {
    fn default() -> Self {
        Self { known: Cache::new(USER_AGENTS_MAX) }
    }
}

impl UserAgents {
    pub(crate) fn device(&self, user_agent: &str) -> Arc<Device> {
        let user_agent = cut(user_agent, USER_AGENT_BYTES_MAX);
        if let Some(device) = self.known.get(user_agent) {
            return device;
        }
        let device = Arc::new(read(user_agent));
        self.known.insert(user_agent.to_owned(), Arc::clone(&device));
        device
    }
}

fn read(user_agent: &str) -> Device {
    let parser = Parser::new();
    let Some(found) = parser.parse(user_agent) else {
        return Device::default();
    };
    let crawler = found.category == "crawler";
    Device {
        class: class(user_agent, &found),
        browser: browser(found.name),
        browser_version: known(found.version).to_owned(),
        os: system(found.os),
        crawler,
    }
}

/// What woothee calls UNKNOWN is empty here.
fn known(text: &str) -> &str {
    if text == "UNKNOWN" { "" } else { text }
}

fn class(user_agent: &str, found: &WootheeResult<'_>) -> &'static str {
    const TV: [&str; 8] =
        ["SmartTV", "SMART-TV", "Smart TV", "AppleTV", "Apple TV", "GoogleTV", "BRAVIA", "Web0S"];
    const CONSOLE: [&str; 3] = ["PlayStation", "Nintendo", "Xbox"];
    let names = |words: &[&str]| words.iter().any(|word| user_agent.contains(word));
    let android_tablet = user_agent.contains("Android") && !user_agent.contains("Mobile");
    match found.category {
        _ if names(&TV) => "tv",
        _ if names(&CONSOLE) => "console",
        "smartphone" if user_agent.contains("iPad") || android_tablet => "tablet",
        "smartphone" | "mobilephone" => "mobile",
        "pc" => "desktop",
        "appliance" | "misc" | "crawler" => "other",
        _ => "",
    }
}

fn browser(name: &str) -> &'static str {
    const NAMES: [&str; 11] = [
        "Chrome",
        "Safari",
        "Firefox",
        "Edge",
        "Opera",
        "Internet Explorer",
        "Vivaldi",
        "Yandex Browser",
        "Sleipnir",
        "Webview",
        "Google Search App",
    ];
    match name {
        "SamsungBrowser" => "Samsung Internet Browser",
        _ => NAMES.into_iter().find(|known| *known == name).unwrap_or_default(),
    }
}

fn system(os: &str) -> &'static str {
    match os {
        "iPhone" | "iPad" | "iPod" | "iOS" => "iOS",
        "Mac OSX" | "Mac OS Classic" => "macOS",
        "Android" => "Android",
        "ChromeOS" => "ChromeOS",
        "Linux" => "Linux",
        "BSD" => "BSD",
        "BlackBerry" | "BlackBerry 10" => "BlackBerry",
        _ if os.starts_with("Windows Phone") => "Windows Phone",
        _ if os.starts_with("Windows") => "Windows",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

    fn told(user_agent: &str) -> (&'static str, &'static str, &'static str, bool) {
        let device = UserAgents::default().device(user_agent);
        (device.class, device.browser, device.os, device.crawler)
    }

    #[test]
    fn tells_devices_apart() {
        let apple = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5";
        let android = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0";
        let cases = [
            (CHROME.to_owned(), ("desktop", "Chrome", "Windows", false)),
            (
                format!("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {apple} Mobile/15E148 Safari/604.1"),
                ("mobile", "Safari", "iOS", false),
            ),
            (
                format!("Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) {apple} Mobile/15E148 Safari/604.1"),
                ("tablet", "Safari", "iOS", false),
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 14; Pixel 8) {android} Mobile Safari/537.36"),
                ("mobile", "Chrome", "Android", false),
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 14; SM-X710) {android} Safari/537.36"),
                ("tablet", "Chrome", "Android", false),
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.5; rv:127.0) Gecko/20100101 Firefox/127.0".to_owned(),
                ("desktop", "Firefox", "macOS", false),
            ),
            (String::new(), ("", "", "", false)),
            ("nonsense".to_owned(), ("", "", "", false)),
        ];
        for (user_agent, expected) in cases {
            assert_eq!(told(&user_agent), expected, "{user_agent}");
        }
        let googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
        assert!(told(googlebot).3);
    }

    #[test]
    fn remembers_only_so_many_and_only_so_much() {
        let user_agents = UserAgents::default();
        for number in 0..3 * USER_AGENTS_MAX {
            user_agents.device(&format!("{CHROME} {number}"));
        }
        assert!(user_agents.known.len() <= USER_AGENTS_MAX);
        let long = format!("{CHROME}{}", " ".repeat(100_000));
        assert_eq!(user_agents.device(&long).browser, "Chrome");
    }
}
