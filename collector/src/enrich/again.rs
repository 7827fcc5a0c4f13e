//! The steps of enrichment that need nothing but what is stored, done again with today's rules.
//!
//! The user agent, the address and most of the query are gone, so what they told stays as it was: the
//! device, the bot, the place as far as it was kept, and that a click on an advertisement led here.

use store::EventRow;
use wire::limits::NAME_BYTES_MAX;

use super::event::Traffic;
use super::geo::Place;
use super::scrub::{CARD, EMAIL};
use super::site_hosts::SiteHosts;
use super::{Exchange, Scrubbed, SiteRules, campaign, category, channel, money, page, referrer};
use crate::validate::cut;

/// What a referrer may be told as; any other medium was told by the page's address.
const REFERRER_MEDIA: [&str; 6] = ["", "(none)", "organic", "email", "social", "referral"];

/// The columns that are made of others that are stored too, and so can be made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remade {
    source: String,
    medium: String,
    channel: String,
    campaign: String,
    term: String,
    content: String,
    categories: Vec<String>,
    country: String,
    region: String,
    city: String,
    value_reporting: i64,
    currency_reporting: String,
}

impl Remade {
    /// As they are in a row.
    pub(crate) fn of(row: &EventRow) -> Self {
        Self {
            source: row.source.clone(),
            medium: row.medium.clone(),
            channel: row.channel.clone(),
            campaign: row.campaign.clone(),
            term: row.term.clone(),
            content: row.content.clone(),
            categories: row.categories.clone(),
            country: row.country.clone(),
            region: row.region.clone(),
            city: row.city.clone(),
            value_reporting: row.value_reporting,
            currency_reporting: row.currency_reporting.clone(),
        }
    }

    /// As today's rules make them of a row that is as it was first stored. `former` are the rules the site
    /// ever had, and without rates of exchange the reported value stays.
    pub(crate) fn by_rules(
        row: &EventRow,
        rules: &SiteRules,
        former: &[SiteRules],
        exchange: Option<&Exchange>,
    ) -> Self {
        let mut made = Self::of(row);
        made.tell_traffic(row, &rules.hosts);
        if let Some(categories) = categories(row, rules, former) {
            made.categories = categories;
        }
        let stored = Place { country: &row.country, region: &row.region, city: &row.city };
        let Place { country, region, city } = stored.in_detail(rules.place);
        (made.country, made.region, made.city) = (country.into(), region.into(), city.into());
        made.tell_value(row, rules, exchange);
        made
    }

    /// The columns that a row has otherwise, which has them so afterwards.
    pub(crate) fn put(self, row: &mut EventRow) -> Vec<&'static str> {
        let mut changed = Vec::new();
        macro_rules! put {
            ($($column:ident)*) => {
                $(if row.$column != self.$column {
                    row.$column = self.$column;
                    changed.push(stringify!($column));
                })*
            };
        }
        put! {
            source medium channel campaign term content categories country region city
            value_reporting currency_reporting
        }
        changed
    }

    fn tell_traffic(&mut self, row: &EventRow, site: &SiteHosts) {
        let Some(told) = traffic(row, site) else {
            self.channel = channel::of(&row.source, &row.medium, &row.campaign).to_owned();
            if row.source.is_empty() && row.medium.is_empty() && row.campaign.is_empty() {
                self.channel.clone_from(&row.channel);
            }
            return;
        };
        let clean = |text: &str| Scrubbed::default().text(text).into_owned();
        self.source = clean(cut(&told.source, NAME_BYTES_MAX));
        self.medium = clean(&told.medium);
        self.channel = told.channel.into_owned();
        self.campaign = clean(&told.campaign);
        self.term = clean(&told.term);
        self.content = clean(&told.content);
    }

    fn tell_value(&mut self, row: &EventRow, rules: &SiteRules, exchange: Option<&Exchange>) {
        let Some(exchange) = exchange else { return };
        let worth = money::worth(&row.properties, rules.currency, exchange, row.occurred_at);
        let same = |told: money::Money| {
            told.parts == row.value && told.currency.to_string() == row.currency
        };
        if let Some(worth) = worth.filter(|worth| same(worth.told)) {
            self.value_reporting = worth.reported.map_or(0, |money| money.parts);
            self.currency_reporting =
                worth.reported.map_or_else(String::new, |money| money.currency.to_string());
        }
    }
}

/// The host of the page before, as the exclusions of referrers ask for it; none where it is another page
/// of the site itself, or is not known any more.
pub(crate) fn referrer_elsewhere(row: &EventRow) -> Option<std::borrow::Cow<'_, str>> {
    let host = page::host(&row.referrer);
    (!host.is_empty() && *host != *row.host && !is_scrubbed(&row.referrer)).then_some(host)
}

/// Where the visit came from, as the address and the referrer tell it; none where what had told it is not
/// stored.
fn traffic<'a>(row: &'a EventRow, site: &SiteHosts) -> Option<Traffic<'a>> {
    if is_scrubbed(&row.query) || is_scrubbed(&row.referrer) || row.host.len() >= NAME_BYTES_MAX {
        return None;
    }
    // A click id is not stored, so no page before is asked for.
    match campaign::traffic(&row.query, || None) {
        Some(named) if !named.source.is_empty() || !named.medium.is_empty() => return Some(named),
        // Only a campaign: source and medium are a click's, if any.
        Some(_) => return None,
        None => {}
    }
    let host = page::host(&row.referrer);
    let is_elsewhere = referrer::is_elsewhere(&host, &row.host, site);
    let before = referrer::traffic(host, &row.host, site);
    let by_click = campaign::CLICK_IDS.iter().any(|(_, source, medium)| {
        (*source, *medium) == (&*row.source, &*row.medium)
            && (campaign::is_paid(medium) || !is_elsewhere)
    });
    let same = before.source == row.source && before.medium == row.medium;
    let by_address = !REFERRER_MEDIA.contains(&&*row.medium) || (by_click && !same);
    (!by_address).then_some(before)
}

/// The categories by the site's rules; none where the page itself had said them.
fn categories(row: &EventRow, rules: &SiteRules, former: &[SiteRules]) -> Option<Vec<String>> {
    let by = |rules: &SiteRules| -> Vec<String> {
        let levels = category::by_rule(&rules.categories, &row.path);
        levels.into_iter().map(std::borrow::Cow::into_owned).collect()
    };
    let by_a_rule =
        row.categories.is_empty() || former.iter().any(|rules| by(rules) == row.categories);
    by_a_rule.then(|| by(rules))
}

/// Whether something was replaced in it, so that it is not what it was told from.
fn is_scrubbed(text: &str) -> bool {
    text.contains(EMAIL) || text.contains(CARD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cookieless::Visitor;
    use crate::enrich::{EnrichedEvent, Visit};
    use crate::validate::{self, Times};

    /// A row as the collector would store it now.
    fn row(url: &str, referrer: &str, rules: &SiteRules) -> EventRow {
        let sent = serde_json::json!({
            "id": "018f4d5e-0000-7000-8000-000000000001", "type": "page_view", "at": 0, "url": url,
            "visitor": "018f4d5e-0000-7000-8000-00000000000a", "referrer": referrer,
        })
        .to_string();
        let sent: wire::Event<'_, ()> = serde_json::from_str(&sent).unwrap();
        let valid = validate::event(
            &sent,
            validate::Properties::default(),
            &Times::of_batch(0, 0),
            &Visitor::Sent,
        )
        .unwrap();
        let visit = Visit::of_the_past(rules, "HR");
        let site = "shop".parse().unwrap();
        let mut row = EnrichedEvent::new(valid, &visit).into_event_row(&site, 0);
        Scrubbed::default().row(&mut row);
        crate::spool::row_reader::read(&{
            let mut bytes = Vec::new();
            crate::spool::row_binary::write(&mut bytes, &row).unwrap();
            bytes
        })
        .unwrap()
    }

    fn rules(categories: &[&str]) -> SiteRules {
        let categories = categories.iter().map(|rule| rule.parse().unwrap()).collect();
        SiteRules { categories, ..SiteRules::default() }
    }

    #[test]
    fn with_the_same_rules_nothing_changes() {
        let rules = rules(&["/reset/*=Account"]);
        for (url, referrer) in [
            (
                "https://shop.example/?utm_source=n&utm_medium=email&utm_campaign=of%20a@b.example",
                "",
            ),
            ("https://shop.example/?utm_source=n&utm_campaign=a%2540b.example", ""),
            ("https://shop.example/?utm_source=n&utm_medium=cpc&gclid=1&utm_term=x", ""),
            ("https://shop.example/?gclid=1", "https://www.google.com/"),
            ("https://shop.example/?gclid=1&utm_campaign=x", ""),
            ("https://shop.example/?utm_campaign=x", "https://blog.example/"),
            ("https://shop.example/?fbclid=1", ""),
            ("https://shop.example/?fbclid=1", "https://www.google.com/"),
            ("https://shop.example/?epik=1&q=x", "https://blog.example/"),
            ("https://shop.example/", "https://www.google.com/search?q=x"),
            ("https://shop.example/", "https://me@blog.example/"),
            ("https://shop.example/", "https://l.facebook.com/"),
            ("https://shop.example/", "https://WWW.shop.example/cart"),
            ("https://shop.example/reset/a@b.example/now", ""),
            ("https://shop.example/", ""),
        ] {
            let row = row(url, referrer, &rules);
            let mut again = row.clone();
            let made = Remade::by_rules(&row, &rules, std::slice::from_ref(&rules), None);
            assert_eq!(made.put(&mut again), Vec::<&str>::new(), "{url} {referrer}");
            assert_eq!(again, row, "{url} {referrer}");
        }
    }

    #[test]
    fn what_other_rules_told_is_told_by_ours() {
        let none = SiteRules::default();
        let told = row("https://shop.example/", "https://chatgpt.com/", &none);
        let old =
            EventRow { channel: "Referral".into(), source: "chatgpt.com".into(), ..told.clone() };
        let mut now = old.clone();
        let changed = Remade::by_rules(&old, &none, &[], None).put(&mut now);
        assert_eq!((now, changed), (told, vec!["source", "channel"]));
        let told = row("https://shop.example/?gclid=1", "", &none);
        let old = EventRow { channel: "Unassigned".into(), ..told.clone() };
        let mut now = old.clone();
        assert_eq!(Remade::by_rules(&old, &none, &[], None).put(&mut now), ["channel"]);
        assert_eq!(now, told);
    }

    #[test]
    fn a_domain_that_is_the_sites_now_is_no_source_any_more() {
        let none = SiteRules::default();
        let told = row("https://shop.example/pay", "https://shop.test/cart", &none);
        assert_eq!((&*told.source, &*told.channel), ("shop.test", "Referral"));
        let settings =
            serde_json::json!({"origins": ["https://shop.example", "https://shop.test"]});
        let now = SiteRules::of(&serde_json::from_value(settings).unwrap());
        let mut again = told.clone();
        let changed = Remade::by_rules(&told, &now, &[], None).put(&mut again);
        assert_eq!(changed, ["source", "medium", "channel"]);
        assert_eq!(again.source, "");
    }

    #[test]
    fn a_click_id_of_unpaid_links_no_longer_hides_the_page_before() {
        let none = SiteRules::default();
        for (referrer, source, channel) in [
            ("https://l.instagram.com/", "instagram", "Organic Social"),
            ("https://news.example/", "news.example", "Referral"),
            ("https://shop.example/cart", "facebook", "Organic Social"),
            ("", "facebook", "Organic Social"),
        ] {
            let told = row("https://shop.example/?fbclid=1", referrer, &none);
            let social = EventRow {
                source: "facebook".into(),
                medium: "social".into(),
                channel: "Organic Social".into(),
                ..told
            };
            let mut now = social.clone();
            Remade::by_rules(&social, &none, &[], None).put(&mut now);
            assert_eq!((&*now.source, &*now.channel), (source, channel), "{referrer}");
        }
        let paid = row("https://shop.example/?gclid=1", "https://news.example/", &none);
        let mut now = paid.clone();
        assert_eq!(Remade::by_rules(&paid, &none, &[], None).put(&mut now), Vec::<&str>::new());
        assert_eq!(&*now.source, "google");
    }

    #[test]
    fn categories_of_a_rule_follow_the_rule_and_those_of_a_page_stay() {
        let (old, new) = (rules(&["/tea/*=Drinks"]), rules(&["/tea/*=Tea"]));
        let by_rule = row("https://shop.example/tea/green", "", &old);
        assert_eq!(by_rule.categories, ["Drinks"]);
        let former = [old, new.clone()];
        let again = |row: &EventRow| Remade::by_rules(row, &new, &former, None).categories;
        assert_eq!(again(&by_rule), ["Tea"]);
        let by_nobody = EventRow { categories: Vec::new(), ..by_rule.clone() };
        assert_eq!(again(&by_nobody), ["Tea"]);
        let by_page = EventRow { categories: vec!["Hot".into()], ..by_rule };
        assert_eq!(again(&by_page), ["Hot"]);
    }

    #[test]
    fn a_value_is_reported_by_the_rates_that_are_given() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "Date,USD\n1970-01-01,2.0\n").unwrap();
        let exchange = Exchange::open(file.path()).unwrap();
        let rules = SiteRules { currency: "USD".parse().ok(), ..SiteRules::default() };
        let told = [("value", "5"), ("currency", "EUR")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let row = EventRow {
            value: 50_000,
            currency: "EUR".to_owned(),
            properties: told.to_vec(),
            ..EventRow::default()
        };
        let again = |row: &EventRow, exchange| {
            let made = Remade::by_rules(row, &rules, &[], exchange);
            (made.value_reporting, made.currency_reporting)
        };
        assert_eq!(again(&row, Some(&exchange)), (100_000, "USD".to_owned()));
        assert_eq!(again(&row, None), (0, String::new()), "without a file it stays");
        // The amount is not what the properties say: something else has told it.
        let other = EventRow { value: 1, ..row };
        assert_eq!(again(&other, Some(&exchange)), (0, String::new()));
    }

    #[test]
    fn less_of_the_place_is_kept_and_never_more() {
        let row = EventRow { country: "HR".into(), city: "Split".into(), ..EventRow::default() };
        let rules = SiteRules { place: store::site::PlaceDetail::Country, ..SiteRules::default() };
        let mut now = row.clone();
        assert_eq!(Remade::by_rules(&row, &rules, &[], None).put(&mut now), ["city"]);
        assert_eq!((&*now.country, &*now.city), ("HR", ""));
    }
}
