//! One visitor on two domains of a company: a link takes along who it is, for that moment and that browser.

use example_shop::browser::{Browser, Tab};
use example_shop::visitor::Device;
use footfall_tests::Stack;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::site::{
    LAPTOP, Site, added, closed, come, events, here, is_well, opened, run, tag, told, visitor,
};

const SETTINGS: [&str; 4] = ["--with", "domains", "--domain", "127.0.0.1,localhost"];

const SENDS: &str = "<script data-before-consent=send ";

/// A site on two domains, and its two origins.
async fn two_domains(stack: &Stack, name: &str, policy: &str) -> (String, String) {
    let site = Site::bind().await;
    let origins = (site.origin.clone(), site.other_origin());
    let tag = added(stack, name, &[&origins.0, &origins.1], &SETTINGS);
    // Nothing said, and the default said.
    let tag = if name == "get" { tag.replace("<script ", SENDS) } else { tag };
    site.serve(&[("/", include_str!("domains.html"))], &tag, policy, None);
    origins
}

/// Who the browser says the visitor is, and in which session.
async fn ids(tab: &Tab, site: &str) -> (Value, Value) {
    tab.wait_until("footfall.ready && footfall.idle()").await.unwrap();
    let visitor = tab.evaluate(&format!("localStorage['footfall.{site}.visitor']")).await.unwrap();
    let session = format!("localStorage['footfall.{site}.session'].split(' ')[0]");
    (visitor, tab.evaluate(&session).await.unwrap())
}

/// Clicks, and waits to be on the other side with an address that tells nothing.
async fn cross(tab: &Tab, selector: &str, address: &str) {
    tab.click(selector).await.unwrap();
    tab.wait_until(&format!("location.href === '{address}'")).await.unwrap();
    here(tab, &["domains"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_forms_to_a_listed_domain_take_along_who_the_visitor_is() {
    let (stack, browser) = opened().await;
    // The last page refuses WebAssembly, and so has the fallback.
    let refusing = format!("script-src 'unsafe-inline' {}", stack.collector);
    for (selector, path, query, policy) in [
        ("#cross", "/there", "?item=%37&b#part", ""),
        ("#get button", "/get", "?item=7", ""),
        ("#post button", "/post", "?c=1", refusing.as_str()),
    ] {
        let name = path.trim_start_matches('/');
        let (here_origin, there) = two_domains(&stack, name, policy).await;
        let tab = visitor(&browser).await;
        come(&tab, &here_origin, &["domains"]).await;
        let before = ids(&tab, name).await;
        cross(&tab, selector, &format!("{there}{path}{query}")).await;
        assert_eq!(ids(&tab, name).await, before, "{selector}");
        is_well(&tab).await;
        told(&stack, name, "page_view", 2);
        let stored = events(&stack, name);
        let views: Vec<_> = stored.iter().filter(|event| event["name"] == "page_view").collect();
        assert_eq!([&views[0]["host"], &views[1]["host"]], ["127.0.0.1", "localhost"], "{views:?}");
        for id in ["visitor_id", "session_id"] {
            assert_eq!(views[0][id], views[1][id], "{views:?}");
        }
        let stored = serde_json::to_string(&stored).unwrap();
        assert!(!stored.contains("_ff"), "{stored}");
        tab.close().await.unwrap();
    }
    closed(stack, browser).await;
}

/// The address that a click leads to, taken in that moment, and the page's visitor.
async fn taken(browser: &Browser, origin: &str, name: &str, before: &str) -> (String, Value) {
    let tab = visitor(browser).await;
    come(&tab, origin, &["domains"]).await;
    let (id, _) = ids(&tab, name).await;
    run(&tab, &format!("{before}; window.stays = true")).await;
    let written = tab.evaluate("cross.getAttribute('href')").await.unwrap();
    // Neither the page's own links nor those to others are touched.
    for (selector, path) in [("#own", "/own"), ("#foreign", "/x?a=1")] {
        tab.click(selector).await.unwrap();
        assert!(tab.holds(&format!("taken.endsWith('{path}')")).await, "{selector}");
    }
    tab.click("#cross").await.unwrap();
    let address = tab.evaluate("window.taken").await.unwrap();
    // What is copied a moment later is the page's own.
    tab.wait_until(&format!("cross.getAttribute('href') === {written}")).await.unwrap();
    tab.close().await.unwrap();
    (address.as_str().unwrap().to_owned(), id)
}

/// Whether a new visitor with that device who comes by the address, as by a link on `referrer`, becomes another.
async fn becomes(
    browser: &Browser,
    device: &Device,
    address: &str,
    referrer: &str,
    other: &(&str, Value),
) -> bool {
    let tab = browser.visitor(device, "en", None).await.unwrap();
    tab.come_to(address, referrer).await.unwrap();
    here(&tab, &["domains"]).await;
    is_well(&tab).await;
    assert!(tab.holds("!location.href.includes('_ff')").await, "{address}");
    let (visitor, _) = ids(&tab, other.0).await;
    tab.close().await.unwrap();
    visitor == other.1
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_copied_shared_or_old_takes_nobody_along() {
    let (stack, browser) = opened().await;
    let (origin, there) = two_domains(&stack, "copied", "").await;
    let (address, id) = taken(&browser, &origin, "copied", "").await;
    assert!(address.contains("&_ff="), "{address}");
    let one = ("copied", id);
    let other_device = Device {
        user_agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0",
        ..LAPTOP
    };
    let here = format!("{origin}/");
    // The address is good: what is tried below is refused for its own reason. First, as it is good for two minutes.
    assert!(becomes(&browser, &LAPTOP, &address, &here, &one).await);
    // Typed or pasted; come to from elsewhere; in another browser; on another host.
    assert!(!becomes(&browser, &LAPTOP, &address, "", &one).await);
    assert!(!becomes(&browser, &LAPTOP, &address, "https://else.example/", &one).await);
    assert!(!becomes(&browser, &other_device, &address, &here, &one).await);
    assert!(!becomes(&browser, &LAPTOP, &address.replace(&there, &origin), &there, &one).await);
    let later = "const now = Date.now; Date.now = () => now() - 125000";
    let (old, id) = taken(&browser, &origin, "copied", later).await;
    assert!(!becomes(&browser, &LAPTOP, &old, &here, &("copied", id)).await);
    closed(stack, browser).await;
}

/// What an address carries: visitor, session and time, and the signature.
fn carried(address: &str) -> (&str, &str) {
    let (_, carried) = address.split_once("_ff=").unwrap();
    carried.split('#').next().unwrap().split_once('.').unwrap()
}

/// The text with its first letter behind so many replaced by another of the same kind.
fn altered(text: &str, behind: usize) -> String {
    let other = if text.as_bytes()[behind] == b'a' { "b" } else { "a" };
    let mut altered = text.to_owned();
    altered.replace_range(behind..=behind, other);
    altered
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_changed_or_made_up_takes_nobody_along() {
    let (stack, browser) = opened().await;
    let (origin, _) = two_domains(&stack, "changed", "").await;
    let (address, id) = taken(&browser, &origin, "changed", "").await;
    let (bound, signature) = carried(&address);
    let from = format!("{origin}/");
    let one = ("changed", id);
    // First, as it is good for two minutes.
    assert!(becomes(&browser, &LAPTOP, &address, &from, &one).await);
    let with = |part: &str, other: &str| address.replacen(part, other, 1);
    // Somebody else's visitor, session or time under this signature.
    for behind in [0, 32, bound.len() - 1] {
        let other = altered(bound, behind);
        let claimed = ("changed", serde_json::json!(uuid(other.split_at(32).0)));
        assert!(
            !becomes(&browser, &LAPTOP, &with(bound, &other), &from, &claimed).await,
            "{behind}"
        );
    }
    for other in ["", &altered(signature, 0), &altered(signature, 31)] {
        let other = with(signature, other);
        assert!(!becomes(&browser, &LAPTOP, &other, &from, &one).await, "{other}");
    }
    closed(stack, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_site_signs_takes_nobody_along_to_another_site() {
    let (stack, browser) = opened().await;
    let (origin, there) = two_domains(&stack, "one", "").await;
    let (other_origin, other_there) = two_domains(&stack, "other", "").await;
    let (address, id) = taken(&browser, &origin, "one", "").await;
    assert!(address.starts_with(&there), "{address}");
    // By its port the address is another site's, and all that is signed but the site is right.
    let elsewhere = address.replace(&there, &other_there);
    let (from, one) = (format!("{other_origin}/"), ("other", id.clone()));
    assert!(!becomes(&browser, &LAPTOP, &elsewhere, &from, &one).await);
    assert!(becomes(&browser, &LAPTOP, &address, &format!("{origin}/"), &("one", id)).await);
    closed(stack, browser).await;
}

fn uuid(digits: &str) -> String {
    let mut uuid = digits.to_owned();
    for at in [8, 13, 18, 23] {
        uuid.insert(at, '-');
    }
    uuid
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_signed_by_the_sites_key_whatever_the_length_of_what_is_signed() {
    let (stack, browser) = opened().await;
    let (origin, _) = two_domains(&stack, "signed", "").await;
    let script = ureq::get(format!("{}/s/signed.js", stack.collector)).call().unwrap();
    let script = script.into_body().read_to_vec().unwrap();
    let script = String::from_utf8_lossy(&script);
    let (_, key) = script.split_once("\"domainsKey\":\"").unwrap();
    let (key, _) = key.split_once('"').unwrap();

    let tab = visitor(&browser).await;
    come(&tab, &origin, &["domains"]).await;
    ids(&tab, "signed").await;
    // More than a block of the hash long, so that its last one is filled in every way.
    let clicks = "window.stays = true; window.addresses = [];
        for (let length = 0; length < 65; length++) {
            const userAgent = 'ž'.repeat(length % 3) + 'x'.repeat(length);
            Object.defineProperty(navigator, 'userAgent', { value: userAgent, configurable: true });
            cross.click();
            addresses.push([userAgent, taken]);
        }";
    run(&tab, clicks).await;
    let language = tab.evaluate("navigator.language").await.unwrap();
    let addresses = tab.evaluate("addresses").await.unwrap();
    let addresses = addresses.as_array().unwrap();
    assert_eq!(addresses.len(), 65);
    for address in addresses {
        let [user_agent, address] = [&address[0], &address[1]].map(|text| text.as_str().unwrap());
        let (bound, signature) = carried(address);
        let signed = ["signed", bound, "localhost", user_agent, language.as_str().unwrap()];
        let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        let mac = mac.chain_update(signed.join("\n")).finalize().into_bytes();
        assert_eq!(signature, hex::encode(&mac[..16]), "{user_agent}");
    }
    tab.close().await.unwrap();
    closed(stack, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_without_domains_has_no_key_and_says_in_debug_mode_why_nobody_is_taken_along() {
    let (stack, browser) = opened().await;
    let site = Site::bind().await;
    let (origin, there) = (site.origin.clone(), site.other_origin());
    let options = "data-debug data-with=domains data-domains='127.0.0.1, localhost'";
    let tag = tag(&stack, "keyless", &[&origin, &there], options);
    let hearing = "<script >window.said = []; \
        console.log = (...what) => said.push(what.join(' '));</script>";
    let head = [hearing, &tag].concat();
    site.serve(&[("/", include_str!("domains.html"))], &head, "", None);
    let tab = visitor(&browser).await;
    come(&tab, &origin, &["domains"]).await;
    let (id, session) = ids(&tab, "keyless").await;
    let why = "footfall: left out: domains, since the site has none: footfall site add --domain";
    assert!(tab.holds(&format!("said.includes('{why}')")).await);
    run(&tab, "window.stays = true").await;
    tab.click("#cross").await.unwrap();
    is_well(&tab).await;
    assert!(tab.holds("!taken.includes('_ff')").await);
    tab.close().await.unwrap();
    // Nobody is taken in either, and the address is cleaned all the same.
    let [id, session] = [&id, &session].map(|id| id.as_str().unwrap().replace('-', ""));
    let now = "Date.now().toString(36)";
    let tab = visitor(&browser).await;
    let now = tab.evaluate(now).await.unwrap();
    tab.close().await.unwrap();
    let made_up = format!("{there}/?_ff={id}{session}{}.{}", now.as_str().unwrap(), "0".repeat(32));
    let one = ("keyless", serde_json::json!(uuid(&id)));
    assert!(!becomes(&browser, &LAPTOP, &made_up, &format!("{origin}/"), &one).await);
    closed(stack, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_denied_is_not_taken_along_and_becomes_nobody() {
    let (stack, browser) = opened().await;
    let (origin, there) = two_domains(&stack, "denied", "").await;
    let tab = visitor(&browser).await;
    come(&tab, &there, &["domains"]).await;
    ids(&tab, "denied").await;
    run(&tab, "footfall('consent', { analytics: 'denied' })").await;
    come(&tab, &origin, &["domains"]).await;
    cross(&tab, "#cross", &format!("{there}/there?item=%37&b#part")).await;
    assert!(tab.holds("Object.keys(localStorage).join() === 'footfall.denied.consent'").await);
    run(&tab, "stays = true").await;
    tab.click("#cross").await.unwrap();
    assert!(tab.holds("!taken.includes('_ff')").await);
    tab.close().await.unwrap();
    closed(stack, browser).await;
}
