//! User agent client hints (<https://wicg.github.io/ua-client-hints/>): what a browser built on Chromium
//! says of itself beside its user agent, which says ever less.
//!
//! The brands, `mobile` and the platform come with every request over https. The others come only where
//! the page's server asked for them and hands the asking on (`Accept-CH`, `Permissions-Policy`), which is
//! mostly where collector and page share an origin.

use hyper::header::{HeaderMap, HeaderName};
use sfv::{BareItem, Item, List, ListEntry, Parser};

use super::told::header_text;
use super::user_agent::Device;
use crate::validate::cut;

static BRANDS: HeaderName = HeaderName::from_static("sec-ch-ua");
static FULL_VERSIONS: HeaderName = HeaderName::from_static("sec-ch-ua-full-version-list");
static MOBILE: HeaderName = HeaderName::from_static("sec-ch-ua-mobile");
static PLATFORM: HeaderName = HeaderName::from_static("sec-ch-ua-platform");
static PLATFORM_VERSION: HeaderName = HeaderName::from_static("sec-ch-ua-platform-version");
static MODEL: HeaderName = HeaderName::from_static("sec-ch-ua-model");

/// Bytes of one hint that are looked at. The longest, the list of full versions, has under 200.
const HINT_BYTES_MAX: usize = 256;

/// Brands that say more than Chromium, and how each is called by uap-core.
const NAMES: [(&str, &str); 14] = [
    ("Google Chrome", "Chrome"),
    ("Microsoft Edge", "Edge"),
    ("Opera", "Opera"),
    ("Opera GX", "Opera"),
    ("Brave", "Brave"),
    ("Vivaldi", "Vivaldi"),
    ("YaBrowser", "Yandex Browser"),
    ("Yandex", "Yandex Browser"),
    ("Samsung Internet", "Samsung Internet"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Whale", "Whale"),
    ("Avast Secure Browser", "Avast"),
    ("AVG Secure Browser", "AVG"),
    ("Oculus Browser", "Oculus Browser"),
];

/// The hints as they were sent; empty where they were not. Texts of the request, cut to their limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Hints<'a> {
    brands: &'a str,
    full_versions: &'a str,
    mobile: &'a str,
    platform: &'a str,
    platform_version: &'a str,
    model: &'a str,
}

impl<'a> Hints<'a> {
    /// Only Chromium sends any, and always the brands: of another browser no further one is looked for.
    pub(crate) fn of(headers: &'a HeaderMap) -> Self {
        let hint =
            |name: &HeaderName| cut(headers.get(name).map_or("", header_text), HINT_BYTES_MAX);
        let brands = hint(&BRANDS);
        if brands.is_empty() {
            return Self::default();
        }
        Self {
            brands,
            full_versions: hint(&FULL_VERSIONS),
            mobile: hint(&MOBILE),
            platform: hint(&PLATFORM),
            platform_version: hint(&PLATFORM_VERSION),
            model: hint(&MODEL),
        }
    }

    /// As it is remembered.
    pub(super) fn texts(&self) -> [&'a str; 6] {
        [
            self.brands,
            self.full_versions,
            self.mobile,
            self.platform,
            self.platform_version,
            self.model,
        ]
    }

    /// Puts right what the user agent, read already, hides or has frozen.
    pub(super) fn apply(&self, device: &mut Device) {
        if self.brands.is_empty() {
            return;
        }
        self.name_browser(device);
        let platform = item(self.platform).unwrap_or_default();
        let system = system(&platform);
        // Chromium never says one in its user agent and the other in its hint. What people's browsers do
        // say differently, for example Android's "desktop site", is not among these.
        device.impossible |= system == "Linux" && matches!(&*device.os, "Windows" | "macOS");
        if system == "Android" && device.os == "Linux" {
            // Android's "desktop site" says it is a Linux desktop.
            system.clone_into(&mut device.os);
        } else if device.os.is_empty() {
            system.clone_into(&mut device.os);
        }
        if system == device.os
            && let Some(version) =
                item(self.platform_version).and_then(|told| version(system, &told))
        {
            device.os_version = version;
        }
        if device.os == "Android" && matches!(device.class, "mobile" | "tablet" | "desktop" | "") {
            device.class = if self.is_tablet() { "tablet" } else { "mobile" };
        }
    }

    fn name_browser(&self, device: &mut Device) {
        let brands = list(self.brands);
        device.impossible |= brands.iter().any(|(brand, _)| brand == "HeadlessChrome");
        let Some((brand, name, major)) = brands.iter().find_map(|(brand, version)| {
            let (_, name) =
                NAMES.iter().find(|(known, name)| known == brand && *name != "Chrome")?;
            Some((brand.as_str(), *name, version))
        }) else {
            if device.browser == "Chrome" {
                self.refine_version(device, "Google Chrome");
            }
            return;
        };
        if device.browser == "Chrome" {
            name.clone_into(&mut device.browser);
            major.clone_into(&mut device.browser_version);
        }
        if device.browser == name {
            self.refine_version(device, brand);
        }
    }

    /// The full version, where the browser told it: its user agent has only noughts behind the first part.
    fn refine_version(&self, device: &mut Device, wanted: &str) {
        let told = list(self.full_versions).into_iter().find(|(brand, _)| brand == wanted);
        if let Some((_, version)) = told
            && is_version(&version)
        {
            device.browser_version = version;
        }
    }

    /// A phone says `?1`; a tablet `?0`, but for small ones, which their model names.
    fn is_tablet(&self) -> bool {
        const SAMSUNG: [&str; 3] = ["SM-T", "SM-P", "SM-X"];
        let model = item(self.model).unwrap_or_default();
        self.mobile == "?0"
            || SAMSUNG.iter().any(|start| model.starts_with(start))
            || ["Tablet", " Tab ", " Pad "].iter().any(|word| model.contains(word))
    }
}

/// The texts of a list, each with its `v`; empty where it is none.
fn list(field: &str) -> Vec<(String, String)> {
    let Ok(list) = Parser::new(field).parse::<List>() else { return Vec::new() };
    let brand = |entry: ListEntry| {
        let ListEntry::Item(item) = entry else { return None };
        let version = item.params.iter().find(|(name, _)| name.as_str() == "v");
        let version = version.and_then(|(_, value)| text(value)).unwrap_or_default();
        Some((text(&item.bare_item)?, version)).filter(|(_, version)| version.len() <= 32)
    };
    list.into_iter().filter_map(brand).collect()
}

fn item(field: &str) -> Option<String> {
    text(&Parser::new(field).parse::<Item>().ok()?.bare_item)
}

fn text(value: &BareItem) -> Option<String> {
    value.as_string().map(|text| text.as_str().to_owned())
}

fn system(platform: &str) -> &'static str {
    match platform {
        "Windows" => "Windows",
        "macOS" => "macOS",
        "Linux" => "Linux",
        "Android" => "Android",
        "Chrome OS" | "Chromium OS" => "ChromeOS",
        "iOS" => "iOS",
        _ => "",
    }
}

/// A platform's version as people call it. Windows counts otherwise
/// (<https://learn.microsoft.com/en-us/microsoft-edge/web-platform/how-to-detect-win11>): 13 and more is
/// Windows 11, 1 to 10 is Windows 10; before that it says 0.
fn version(system: &str, told: &str) -> Option<String> {
    let mut parts = told.split('.');
    let major: u32 = parts.next()?.parse().ok()?;
    match system {
        "Windows" => match major {
            13.. => Some("11".to_owned()),
            1..=10 => Some("10".to_owned()),
            _ => None,
        },
        "Linux" => None,
        _ => {
            let minor = parts.next().and_then(|minor| minor.parse::<u32>().ok());
            Some(match minor {
                Some(minor) if minor > 0 => format!("{major}.{minor}"),
                _ => major.to_string(),
            })
        }
    }
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::user_agent::UserAgents;

    const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    const MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    const PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";
    const CHROME: &str = r#""Not/A)Brand";v="8", "Chromium";v="126", "Google Chrome";v="126""#;

    fn device(user_agent: &str, headers: &[(&'static str, &str)]) -> Device {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let headers = HeaderMap::from_iter(headers);
        (*UserAgents::default().device(user_agent, Hints::of(&headers))).clone()
    }

    #[test]
    fn a_brand_says_more_than_chrome() {
        let told = |brands: &str, full: &str| {
            let found =
                device(WINDOWS, &[("sec-ch-ua", brands), ("sec-ch-ua-full-version-list", full)]);
            format!("{} {}", found.browser, found.browser_version)
        };
        assert_eq!(told(CHROME, ""), "Chrome 126.0.0.0");
        assert_eq!(
            told(CHROME, r#""Chromium";v="126.0.6478.126", "Google Chrome";v="126.0.6478.127""#),
            "Chrome 126.0.6478.127"
        );
        let brave = r#""Not/A)Brand";v="8", "Chromium";v="126", "Brave";v="126""#;
        assert_eq!(told(brave, ""), "Brave 126");
        assert_eq!(told(brave, r#""Brave";v="1.67.134""#), "Brave 1.67.134");
        assert_eq!(told(r#""Chromium";v="126", "Nobody's own";v="1""#, ""), "Chrome 126.0.0.0");
        for nonsense in ["nonsense", "\"", "();a", "\"Brave\";v=126", "\"a\";v=\"<b>\""] {
            assert!(!told(nonsense, nonsense).contains('<'), "{nonsense}");
        }
    }

    #[test]
    fn what_the_user_agent_names_itself_stays() {
        let edge = format!("{WINDOWS} Edg/126.0.0.0");
        let brands = r#""Chromium";v="126", "Microsoft Edge";v="126""#;
        let full = r#""Microsoft Edge";v="126.0.2592.81""#;
        let found = device(&edge, &[("sec-ch-ua", brands), ("sec-ch-ua-full-version-list", full)]);
        assert_eq!(
            (found.browser.as_str(), found.browser_version.as_str()),
            ("Edge", "126.0.2592.81")
        );
    }

    #[test]
    fn the_platform_tells_versions_that_user_agents_no_longer_do() {
        let told = |user_agent: &str, platform: &str, version: &str| {
            let headers = [
                ("sec-ch-ua", CHROME),
                ("sec-ch-ua-platform", platform),
                ("sec-ch-ua-platform-version", version),
            ];
            let found = device(user_agent, &headers);
            format!("{} {}", found.os, found.os_version)
        };
        assert_eq!(told(WINDOWS, "\"Windows\"", "\"15.0.0\""), "Windows 11");
        assert_eq!(told(WINDOWS, "\"Windows\"", "\"10.0.0\""), "Windows 10");
        assert_eq!(told(WINDOWS, "\"Windows\"", ""), "Windows ");
        assert_eq!(told(MAC, "\"macOS\"", "\"14.5.0\""), "macOS 14.5");
        assert_eq!(told(PHONE, "\"Android\"", "\"14.0.0\""), "Android 14");
        assert_eq!(told(MAC, "\"Windows\"", "\"15.0.0\""), "macOS ", "one of them is not true");
    }

    #[test]
    fn a_tablet_is_told_from_a_phone() {
        let told = |user_agent: &str, mobile: &str, model: &str| {
            let headers = [
                ("sec-ch-ua", CHROME),
                ("sec-ch-ua-platform", "\"Android\""),
                ("sec-ch-ua-mobile", mobile),
                ("sec-ch-ua-model", model),
            ];
            let found = device(user_agent, &headers);
            (found.class, found.os)
        };
        let android = "Android".to_owned();
        assert_eq!(told(PHONE, "?1", "\"Pixel 8\""), ("mobile", android.clone()));
        assert_eq!(told(PHONE, "?1", "\"SM-X110\""), ("tablet", android.clone()));
        assert_eq!(told(LINUX, "?0", "\"SM-X710\""), ("tablet", android.clone()));
        assert_eq!(
            told(LINUX, "?1", ""),
            ("mobile", android),
            "a phone that asks for desktop sites"
        );
    }

    #[test]
    fn what_no_browser_says_is_impossible() {
        let impossible = |user_agent, brands, platform| {
            device(user_agent, &[("sec-ch-ua", brands), ("sec-ch-ua-platform", platform)])
                .impossible
        };
        assert!(impossible(WINDOWS, CHROME, "\"Linux\""));
        assert!(impossible(MAC, CHROME, "\"Linux\""));
        let headless = r#""Chromium";v="126", "HeadlessChrome";v="126""#;
        assert!(impossible(LINUX, headless, "\"Linux\""));
        for (user_agent, platform) in [
            (WINDOWS, "\"Windows\""),
            (MAC, "\"macOS\""),
            (LINUX, "\"Linux\""),
            (LINUX, "\"Android\""),
            (PHONE, "\"Linux\""),
            (WINDOWS, ""),
            (WINDOWS, "\"\""),
        ] {
            assert!(!impossible(user_agent, CHROME, platform), "{user_agent} {platform}");
        }
    }
}
