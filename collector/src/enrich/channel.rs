//! A visit's channel: the class of its source, in the order of Google Analytics 4's default channel
//! grouping, with assistants beside it.

/// What sort of site a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Search,
    Social,
    Video,
    Shopping,
    Email,
    Assistant,
}

/// Sources by the name of their site: `google` is `google.com`, `www.google.co.uk` and
/// `utm_source=google` alike.
const SOURCES: [(&str, Class); 47] = [
    ("google", Class::Search),
    ("bing", Class::Search),
    ("duckduckgo", Class::Search),
    ("yahoo", Class::Search),
    ("yandex", Class::Search),
    ("baidu", Class::Search),
    ("ecosia", Class::Search),
    ("qwant", Class::Search),
    ("startpage", Class::Search),
    ("brave", Class::Search),
    ("naver", Class::Search),
    ("seznam", Class::Search),
    ("ask", Class::Search),
    ("aol", Class::Search),
    ("facebook", Class::Social),
    ("fb", Class::Social),
    ("instagram", Class::Social),
    ("ig", Class::Social),
    ("x", Class::Social),
    ("twitter", Class::Social),
    ("t.co", Class::Social),
    ("linkedin", Class::Social),
    ("lnkd", Class::Social),
    ("reddit", Class::Social),
    ("pinterest", Class::Social),
    ("threads", Class::Social),
    ("bsky", Class::Social),
    ("mastodon", Class::Social),
    ("vk", Class::Social),
    ("snapchat", Class::Social),
    ("whatsapp", Class::Social),
    ("tiktok", Class::Video),
    ("youtube", Class::Video),
    ("youtu", Class::Video),
    ("vimeo", Class::Video),
    ("twitch", Class::Video),
    ("dailymotion", Class::Video),
    ("amazon", Class::Shopping),
    ("ebay", Class::Shopping),
    ("etsy", Class::Shopping),
    ("alibaba", Class::Shopping),
    ("google shopping", Class::Shopping),
    ("chatgpt", Class::Assistant),
    ("openai", Class::Assistant),
    ("perplexity", Class::Assistant),
    ("claude", Class::Assistant),
    ("deepseek", Class::Assistant),
];

/// Hosts that are another thing than the rest of their site.
const HOSTS: [(&str, &str, Class); 7] = [
    ("mail.google.com", "gmail", Class::Email),
    ("com.google.android.gm", "gmail", Class::Email),
    ("mail.yahoo.com", "yahoo", Class::Email),
    ("outlook.live.com", "outlook", Class::Email),
    ("outlook.office.com", "outlook", Class::Email),
    ("gemini.google.com", "gemini", Class::Assistant),
    ("copilot.microsoft.com", "copilot", Class::Assistant),
];

/// A known source by a name or a host: how it is called, and its class.
pub(super) fn known(source: &str) -> Option<(&'static str, Class)> {
    let source = source.strip_prefix("www.").unwrap_or(source);
    if let Some((_, name, class)) = HOSTS.iter().find(|(host, ..)| *host == source) {
        return Some((name, *class));
    }
    SOURCES.iter().find(|(name, _)| *name == source || is_site_of(source, name)).copied()
}

/// Whether the host is the site's under any top-level domain: its label stands before one of at
/// most two short labels (`com`, `co.uk`), whatever comes before.
fn is_site_of(host: &str, name: &str) -> bool {
    let mut labels = host.rsplit('.').skip(1);
    match labels.next() {
        Some(label) if label == name => true,
        Some(label) if label.len() <= 3 => labels.next() == Some(name),
        _ => false,
    }
}

/// The channel's name, as Google Analytics 4 writes it.
pub(super) fn of(source: &str, medium: &str, campaign: &str) -> &'static str {
    let (source, medium, campaign) =
        (source.to_ascii_lowercase(), medium.to_ascii_lowercase(), campaign.to_ascii_lowercase());
    let class = known(&source).map(|(_, class)| class);
    let medium = medium.as_str();
    let shopping = class == Some(Class::Shopping) || is_shopping(&campaign);
    if source == "(direct)" && matches!(medium, "(none)" | "(not set)") {
        return "Direct";
    }
    if campaign.contains("cross-network") {
        return "Cross-network";
    }
    if medium.contains("cp")
        || medium == "ppc"
        || medium == "retargeting"
        || medium.starts_with("paid")
    {
        return match class {
            _ if shopping => "Paid Shopping",
            Some(Class::Search) => "Paid Search",
            Some(Class::Social) => "Paid Social",
            Some(Class::Video) => "Paid Video",
            _ if medium == "cpm" => "Display",
            _ => "Paid Other",
        };
    }
    match (class, medium) {
        (_, "display" | "banner" | "expandable" | "interstitial") => "Display",
        (Some(Class::Email), _) | (_, "email" | "e-mail" | "e_mail" | "e mail") => "Email",
        _ if matches!(source.as_str(), "email" | "e-mail" | "e_mail" | "e mail") => "Email",
        (Some(Class::Assistant), _) => "AI Assistant",
        _ if shopping => "Organic Shopping",
        (Some(Class::Social), _)
        | (
            _,
            "social" | "social-network" | "social-media" | "sm" | "social network" | "social media",
        ) => "Organic Social",
        (Some(Class::Video), _) => "Organic Video",
        _ if medium.contains("video") => "Organic Video",
        (Some(Class::Search), _) | (_, "organic") => "Organic Search",
        (_, "referral" | "app" | "link") => "Referral",
        (_, "affiliate") => "Affiliates",
        (_, "audio") => "Audio",
        _ if medium == "sms" || source == "sms" => "SMS",
        _ if medium.ends_with("push")
            || medium.contains("mobile")
            || medium.contains("notification") =>
        {
            "Mobile Push Notifications"
        }
        _ if source == "firebase" => "Mobile Push Notifications",
        _ => "Unassigned",
    }
}

/// `shop` as a word of its own or at a word's start after anything but `e`'s neighbours (GA4's own
/// `([^a-df-z]|^)shop`), or `shopping`.
fn is_shopping(campaign: &str) -> bool {
    campaign.contains("shopping")
        || campaign.match_indices("shop").any(|(at, _)| {
            let before = at.checked_sub(1).and_then(|before| campaign.as_bytes().get(before));
            before.is_none_or(|byte| !matches!(byte, b'a'..=b'd' | b'f'..=b'z'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_site_under_any_country() {
        for host in ["google.com", "www.google.co.uk", "google", "news.google.de"] {
            assert_eq!(known(host), Some(("google", Class::Search)), "{host}");
        }
        assert_eq!(known("mail.google.com"), Some(("gmail", Class::Email)));
        assert_eq!(known("t.co"), Some(("t.co", Class::Social)));
        for host in ["notgoogle.com", "google.com.evil.example", "", "com", "box.com"] {
            assert_eq!(known(host), None, "{host}");
        }
    }

    #[test]
    fn groups_as_google_analytics_does() {
        let cases = [
            (("(direct)", "(none)", ""), "Direct"),
            (("some", "some", "x-cross-network-y"), "Cross-network"),
            (("some", "retargeting", "shopping"), "Paid Shopping"),
            (("google", "ppc", ""), "Paid Search"),
            (("facebook", "cpc", ""), "Paid Social"),
            (("youtube.com", "paid-something", ""), "Paid Video"),
            (("youtube.com", "display", ""), "Display"),
            (("some", "cpm", ""), "Display"),
            (("some", "cpc", ""), "Paid Other"),
            (("some", "", "spring-shop"), "Organic Shopping"),
            (("some", "social", ""), "Organic Social"),
            (("vimeo.com", "referral", ""), "Organic Video"),
            (("google", "organic", ""), "Organic Search"),
            (("partner.example", "referral", ""), "Referral"),
            (("newsletter", "Email", ""), "Email"),
            (("chatgpt.com", "referral", ""), "AI Assistant"),
            (("some", "affiliate", ""), "Affiliates"),
            (("some", "some", "workshop"), "Unassigned"),
        ];
        for ((source, medium, campaign), channel) in cases {
            assert_eq!(of(source, medium, campaign), channel, "{source} {medium} {campaign}");
        }
    }
}
