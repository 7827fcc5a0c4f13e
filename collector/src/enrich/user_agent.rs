//! The device, browser and system a user agent stands for: woothee tells all of it in a few
//! microseconds, uap-core's rules the browser's name where woothee may be wrong, and the system with its
//! version. Client hints put right what the user agent hides.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use woothee::parser::{Parser, WootheeResult};

use super::hints::Hints;
use super::{bot, browser, system};
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
    pub(crate) browser: String,
    pub(crate) browser_version: String,
    pub(crate) os: String,
    /// As far as it is told; not where browsers have frozen it.
    pub(crate) os_version: String,
    /// A program that reads pages on its own.
    pub(crate) crawler: bool,
    /// There is no user agent.
    pub(crate) nameless: bool,
    /// It says to be a browser: `Mozilla/5.0`, as all of them do.
    pub(crate) says_browser: bool,
    /// User agent and client hints contradict each other, or the hints say what no browser does.
    pub(crate) impossible: bool,
}

/// What is remembered of a visit's device: the user agent and the hints, as they were sent.
struct Known {
    user_agent: Box<str>,
    hints: [Box<str>; 6],
}

/// The same, of a request: looked up without a copy.
struct Asked<'a> {
    user_agent: &'a str,
    hints: [&'a str; 6],
}

impl Hash for Known {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let hints = self.hints.each_ref().map(|hint| &**hint);
        Asked { user_agent: &self.user_agent, hints }.hash(state);
    }
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.user_agent.hash(state);
        // Most have none, or the same.
        self.hints.iter().filter(|hint| !hint.is_empty()).for_each(|hint| hint.hash(state));
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.user_agent == other.user_agent && self.hints == other.hints
    }
}

impl Eq for Known {}

impl Equivalent<Known> for Asked<'_> {
    fn equivalent(&self, known: &Known) -> bool {
        *self.user_agent == *known.user_agent
            && self.hints.iter().zip(&known.hints).all(|(asked, known)| **asked == **known)
    }
}

/// Reads user agents, and remembers them: reading one takes several microseconds, and real traffic
/// repeats.
pub(crate) struct UserAgents {
    known: Cache<Known, Arc<Device>>,
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
    /// How often one was remembered, and how often it had to be read.
    pub(super) fn asked(&self) -> (u64, u64) {
        (self.known.hits(), self.known.misses())
    }

    pub(crate) fn device(&self, user_agent: &str, hints: Hints<'_>) -> Arc<Device> {
        let asked =
            Asked { user_agent: cut(user_agent, USER_AGENT_BYTES_MAX), hints: hints.texts() };
        if let Some(device) = self.known.get(&asked) {
            return device;
        }
        let mut device = read(asked.user_agent);
        hints.apply(&mut device);
        let device = Arc::new(device);
        let known =
            Known { user_agent: asked.user_agent.into(), hints: asked.hints.map(Into::into) };
        self.known.insert(known, Arc::clone(&device));
        device
    }
}

fn read(user_agent: &str) -> Device {
    let nameless = matches!(user_agent.trim(), "" | "-");
    let mut device = Device {
        nameless,
        crawler: bot::is_program(user_agent),
        says_browser: user_agent.starts_with("Mozilla/5.0 ("),
        ..Device::default()
    };
    let found = Parser::new().parse(user_agent);
    if let Some((system, version)) = system::named(user_agent) {
        (device.os, device.os_version) = (system, version);
    } else if let Some(found) = &found {
        woothees(found.os).clone_into(&mut device.os);
    }
    if let Some(found) = &found {
        device.class = class(user_agent, found);
        device.crawler |= found.category == "crawler";
        if is_plain(user_agent, found.name) {
            found.name.clone_into(&mut device.browser);
            known(found.version).clone_into(&mut device.browser_version);
            return device;
        }
    }
    if let Some((family, version)) = browser::named(user_agent) {
        (device.browser, device.browser_version) = (family, version);
    }
    device
}

/// Whether woothee can be taken at its word: a browser of the four families that says nothing of
/// another. Of one that is built on Chromium and names itself beside it, woothee knows but a few.
fn is_plain(user_agent: &str, name: &str) -> bool {
    const PRODUCTS: [&str; 8] =
        ["Mozilla", "AppleWebKit", "Version", "Chrome", "Safari", "Mobile", "Gecko", "Firefox"];
    if !matches!(name, "Chrome" | "Safari" | "Firefox") {
        return false;
    }
    let Some((start, rest)) = user_agent.split_once(" (") else { return false };
    let Some((system, rest)) = rest.split_once(')') else { return false };
    let rest = rest.replacen("(KHTML, like Gecko)", "", 1);
    start == "Mozilla/5.0"
        && !["compatible", "; wv", "Version/", "MSIE"].iter().any(|other| system.contains(other))
        && rest.split_ascii_whitespace().all(|product| {
            product.split_once('/').is_some_and(|(product, _)| PRODUCTS.contains(&product)) || product == "Mobile"
        })
        // An old Android's own browser says Version and Safari; a Chrome in a WebView says Version and Chrome.
        && !(rest.contains("Version/") && user_agent.contains("Android"))
        // A web view on iOS says neither.
        && (rest.contains("Safari/") || rest.contains("Firefox/"))
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

/// A system as woothee calls it, which no rule knows.
fn woothees(os: &str) -> &'static str {
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
#[expect(clippy::print_stderr, reason = "what was measured is told")]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use super::*;
    use crate::enrich::reference::reference_data;

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

    fn told(user_agent: &str) -> (&'static str, String, String, bool) {
        let device = UserAgents::default().device(user_agent, Hints::default());
        (device.class, device.browser.clone(), device.os.clone(), device.crawler)
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
        ];
        for (user_agent, (class, browser, os, crawler)) in cases {
            let expected = (class, browser.to_owned(), os.to_owned(), crawler);
            assert_eq!(told(&user_agent), expected, "{user_agent}");
        }
        let googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
        assert!(told(googlebot).3);
    }

    #[test]
    fn remembers_only_so_many_and_only_so_much() {
        let user_agents = UserAgents::default();
        for number in 0..3 * USER_AGENTS_MAX {
            user_agents.device(&format!("{CHROME} {number}"), Hints::default());
        }
        assert!(user_agents.known.len() <= USER_AGENTS_MAX);
        let long = format!("{CHROME}{}", " ".repeat(100_000));
        assert_eq!(user_agents.device(&long, Hints::default()).browser, "Chrome");
    }

    #[derive(serde::Deserialize)]
    struct Row {
        set: String,
        ua: String,
        truth: serde_json::Value,
    }

    fn rows(test: &str) -> Option<Vec<Row>> {
        let file = reference_data(test)?.join("user-agents/user_agents.jsonl.gz");
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap())
            .read_to_string(&mut text)
            .unwrap();
        Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    #[test]
    fn finds_99_percent_of_bots_and_loses_no_more_than_a_browser_in_a_thousand() {
        let Some(rows) = rows("finds_99_percent_of_bots") else { return };
        let (mut bots, mut found, mut browsers, mut lost) = (0, 0, 0, Vec::new());
        for Row { set, ua, truth } in &rows {
            let crawler = read(ua).crawler;
            match set.as_str() {
                "crawler_user_agents" | "isbot_crawlers" => {
                    (bots, found) = (bots + 1, found + u32::from(crawler))
                }
                "woothee" if truth["category"] == "crawler" => {
                    (bots, found) = (bots + 1, found + u32::from(crawler))
                }
                "intoli_real" | "isbot_browsers" => {
                    browsers += 1;
                    if crawler {
                        lost.push(ua);
                    }
                }
                _ => {}
            }
        }
        eprintln!("bots: {found} of {bots} found; browsers: {} of {browsers} lost", lost.len());
        assert!(bots > 1_300 && found * 100 >= bots * 99, "{found} of {bots} bots");
        assert!(
            browsers > 6_500 && lost.len() * 1000 <= browsers,
            "{} of {browsers}: {lost:?}",
            lost.len()
        );
    }

    #[test]
    fn names_the_browser_right_in_95_of_100() {
        let Some(rows) = rows("names_the_browser_right_in_95_of_100") else { return };
        let (mut all, mut right, mut without_device, mut plain) = (0, 0, BTreeMap::new(), 0);
        for Row { set, ua, truth } in &rows {
            let Some(family) = truth["family"].as_str().filter(|_| set == "uap_ua") else {
                continue;
            };
            let device = read(ua);
            all += 1;
            if device.browser == family {
                right += 1;
            } else if device.browser == browser::family(family) {
                *without_device.entry(family).or_insert(0) += 1;
            } else {
                eprintln!("{ua}: {} and not {family}", device.browser);
            }
        }
        let real: Vec<_> = rows.iter().filter(|row| row.set == "intoli_real").collect();
        for row in &real {
            let by_rules = browser::named(&row.ua).map(|(family, _)| family).unwrap_or_default();
            plain += usize::from(read(&row.ua).browser == by_rules);
        }
        eprintln!(
            "browsers: {right} of {all} right, and by our own name without the device {without_device:?}; \
             as the rules say in {plain} of {} real ones",
            real.len()
        );
        assert!(all > 1_500 && right * 100 >= all * 95, "{right} of {all}");
        assert!(plain * 1000 >= real.len() * 999, "{plain} of {}", real.len());
    }

    #[test]
    fn names_the_system_right_in_98_of_100() {
        let Some(rows) = rows("names_the_system_right_in_98_of_100") else { return };
        let (mut all, mut right, mut woothee) = (0, 0, 0);
        for Row { set, ua, truth } in &rows {
            let Some(family) = truth["family"].as_str().filter(|_| set == "uap_os") else {
                continue;
            };
            let (os, family) = (read(ua).os, system::family(family));
            let alone = Parser::new().parse(ua).map_or("", |found| woothees(found.os));
            all += 1;
            woothee += usize::from(alone == family);
            if os == family {
                right += 1;
            } else {
                eprintln!("{ua}: {os} and not {family}");
            }
        }
        // Of real browsers no truth is known beside the user agent; but each names one.
        let real: Vec<_> = rows.iter().filter(|row| row.set == "intoli_real").collect();
        let named = real.iter().filter(|row| !read(&row.ua).os.is_empty()).count();
        eprintln!(
            "systems: {right} of {all} right, {woothee} by woothee alone; {named} of {} real ones named",
            real.len()
        );
        assert!(all > 450 && right * 100 >= all * 98, "{right} of {all}");
        assert!(named * 1000 >= real.len() * 999, "{named} of {}", real.len());
    }
}
