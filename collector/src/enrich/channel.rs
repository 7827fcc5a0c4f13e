//! A visit's channel: the class of its source, by the rules of Google Analytics 4's default channel
//! grouping and in their order (<https://support.google.com/analytics/answer/9756891>), with
//! assistants beside it.

use std::borrow::Cow;

use super::source::{self, Class};

/// The channel's name, as Google Analytics 4 writes it.
pub(super) fn of(source: &str, medium: &str, campaign: &str) -> &'static str {
    let (source, medium, campaign) = (lower(source), lower(medium), lower(campaign));
    let medium = &*medium;
    if source == "(direct)" && matches!(medium, "(none)" | "(not set)") {
        return "Direct";
    }
    let class = source::named(&source).map(|(_, class)| class);
    // Most visits are of no campaign, and a search has its price also in an empty text.
    let named = !campaign.is_empty();
    if named && campaign.contains("cross-network") {
        return "Cross-network";
    }
    let shopping = class == Some(Class::Shopping) || named && is_shopping(&campaign);
    match class {
        _ if !is_paid(medium) => unpaid(class, &source, medium, shopping),
        _ if shopping => "Paid Shopping",
        Some(Class::Search) => "Paid Search",
        Some(Class::Social) => "Paid Social",
        Some(Class::Video) => "Paid Video",
        _ if medium == "cpm" => "Display",
        _ => "Paid Other",
    }
}

/// GA4's own `^(.*cp.*|ppc|retargeting|paid.*)$`.
fn is_paid(medium: &str) -> bool {
    medium.contains("cp") || matches!(medium, "ppc" | "retargeting") || medium.starts_with("paid")
}

fn unpaid(class: Option<Class>, source: &str, medium: &str, shopping: bool) -> &'static str {
    const EMAIL: [&str; 4] = ["email", "e-mail", "e_mail", "e mail"];
    match (class, medium) {
        (_, "display" | "banner" | "expandable" | "interstitial") => "Display",
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
        (Some(Class::Email), _) => "Email",
        _ if EMAIL.contains(&source) || EMAIL.contains(&medium) => "Email",
        (_, "affiliate") => "Affiliates",
        (_, "audio") => "Audio",
        _ if medium == "sms" || source == "sms" => "SMS",
        _ if medium.ends_with("push")
            || medium.contains("mobile")
            || medium.contains("notification")
            || source == "firebase" =>
        {
            "Mobile Push Notifications"
        }
        _ => "Unassigned",
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        text.to_ascii_lowercase().into()
    } else {
        text.into()
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
    use crate::enrich::reference::reference_data;

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

    /// The cases of a port of GA4's grouping to SQL, where the reference data are.
    #[test]
    fn every_reference_case_but_the_faulty_one() {
        #[derive(serde::Deserialize)]
        struct Case {
            source: String,
            medium: String,
            campaign: String,
            expected_channel: String,
        }
        let Some(folder) = reference_data("every_reference_case_but_the_faulty_one") else {
            return;
        };
        let file = folder.join("channels/velir_ga4_default_channel_cases.json");
        let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert_eq!(cases.len(), 30);
        for Case { source, medium, campaign, expected_channel } in cases {
            if source == "alibaba" && medium.is_empty() {
                // The file says Paid Shopping, which GA4 gives to a paid medium only.
                assert_eq!(of(&source, &medium, &campaign), "Organic Shopping");
            } else {
                let channel = of(&source, &medium, &campaign);
                assert_eq!(channel, expected_channel, "{source} {medium} {campaign}");
            }
        }
    }

    /// Every source that GA4 has in its list gets the channel of its category, as if it had come
    /// without a medium.
    #[test]
    fn every_source_of_the_reference_list_has_its_channel() {
        let Some(folder) = reference_data("every_source_of_the_reference_list_has_its_channel")
        else {
            return;
        };
        let list =
            std::fs::read_to_string(folder.join("channels/ga4_source_categories.csv")).unwrap();
        let mut rows = 0;
        for (source, category) in list.lines().skip(1).filter_map(|row| row.rsplit_once(',')) {
            let expected = match category {
                "SOURCE_CATEGORY_SEARCH" => "Organic Search",
                "SOURCE_CATEGORY_SOCIAL" => "Organic Social",
                "SOURCE_CATEGORY_VIDEO" => "Organic Video",
                "SOURCE_CATEGORY_SHOPPING" => "Organic Shopping",
                other => panic!("{other}"),
            };
            assert_eq!(of(source, "", ""), expected, "{source}");
            rows += 1;
        }
        assert_eq!(rows, 819);
    }
}
