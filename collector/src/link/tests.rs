//! What a link is read as, and what is no link.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;

const TARGET: &str = "https://shop.example/a?b=c&d=%2F#e";

fn key() -> LinkKey {
    LinkKey::of(b"one")
}

fn link(target: &str, name: &str) -> Link {
    Link::new("shop".parse().unwrap(), Target::new(target).unwrap(), name).unwrap()
}

/// What a link's address is read as.
fn read(path: &str, key: &LinkKey) -> Result<Link, LinkError> {
    let (path, query) = path.strip_prefix("/r/").unwrap().split_once('?').unwrap();
    Link::read(path, query, key)
}

/// The address with a part of it replaced, which must be there.
fn with(path: &str, part: &str, other: &str) -> String {
    assert!(path.contains(part), "{path} has no {part}");
    path.replacen(part, other, 1)
}

#[test]
fn a_link_is_read_as_it_was_made() {
    for name in ["", "newsletter 7", "žuto & plavo=?"] {
        let made = link(TARGET, name);
        let path = made.path(&key());
        assert_eq!(read(&path, &key()), Ok(made), "{path}");
        // A mail program appends its own, and writes escapes as it likes.
        assert!(read(&format!("{path}&utm_source=mail&to=https://evil.example/"), &key()).is_ok());
        assert!(read(&path.replace("%3A", ":").replace("%2F", "/"), &key()).is_ok());
    }
}

#[test]
fn what_was_changed_is_no_link() {
    let path = link(TARGET, "mail").path(&key());
    let signature = path.split(['/', '?']).nth(3).unwrap().to_owned();
    let changed = [
        with(&path, "shop.example", "evil.example"),
        with(&path, "/r/shop", "/r/blog"),
        with(&path, "name=mail", "name=else"),
        with(&path, "name=mail", ""),
        with(&path, "?to=", "?to=https%3A%2F%2Fevil.example%2F&to="),
        with(&path, &signature, ""),
        with(&path, &signature, signature.get(..2).unwrap()),
        with(&path, &signature, signature.get(..signature.len() - 2).unwrap()),
        with(&path, &signature, &"A".repeat(signature.len())),
        with(&path, &signature, "not base64!"),
    ];
    for path in changed {
        assert_eq!(read(&path, &key()), Err(LinkError::NotSigned), "{path}");
    }
    assert_eq!(read(&path, &LinkKey::of(b"another")), Err(LinkError::NotSigned));
    assert_eq!(Link::read("shop", "to=https://shop.example/", &key()), Err(LinkError::NotSigned));
}

#[test]
fn a_link_leads_to_pages_only() {
    use TargetError::{Ambiguous, NotAPage, TooLong, WithUser};
    for (address, error) in [
        ("//evil.example", NotAPage),
        ("/\\evil.example", Ambiguous),
        ("https:\\\\evil.example", Ambiguous),
        ("https://shop.example\\@evil.example", Ambiguous),
        ("https:evil.example", NotAPage),
        ("https://", NotAPage),
        ("https://shop.example@evil.example/", WithUser),
        ("https://user:password@shop.example/", WithUser),
        ("https://:password@shop.example/", WithUser),
        ("javascript:alert(1)", NotAPage),
        ("JavaScript://shop.example/%0aalert(1)", NotAPage),
        ("java\nscript:alert(1)", Ambiguous),
        ("data:text/html,x", NotAPage),
        ("ftp://shop.example/", NotAPage),
        ("file:///etc/passwd", NotAPage),
        ("https://shop.example/\r\nSet-Cookie: a=b", Ambiguous),
        ("https://shop.example/\u{2028}x", Ambiguous),
        (" https://shop.example/", Ambiguous),
        ("shop.example", NotAPage),
        ("", NotAPage),
    ] {
        assert_eq!(Target::new(address), Err(error), "{address}");
    }
    let long = format!("https://shop.example/{}", "a".repeat(2048));
    assert_eq!(Target::new(&long), Err(TooLong));
    // As long as it may be, but not once it is written in ASCII.
    let grows = format!("https://shop.example/{}", "ž".repeat(1000));
    assert_eq!(Target::new(&grows), Err(TooLong));
    assert_eq!(Target::new("HTTPS://Shop.example").unwrap().as_str(), "https://shop.example/");
}

#[test]
fn a_campaign_stands_in_the_target_once() {
    let campaign = Campaign { source: Some("news"), medium: Some("email"), campaign: Some("a b") };
    let target = Target::new("https://shop.example/?x=1#y").unwrap().with_campaign(campaign);
    let expected = "https://shop.example/?x=1&utm_source=news&utm_medium=email&utm_campaign=a+b#y";
    assert_eq!(target.as_ref().map(Target::as_str), Ok(expected));
    let twice = target.unwrap().with_campaign(campaign);
    assert_eq!(twice, Err(TargetError::CampaignTwice("utm_source")));
}

#[test]
fn a_name_is_not_cut() {
    let target = Target::new(TARGET).unwrap();
    let made = Link::new("shop".parse().unwrap(), target, &"n".repeat(257));
    assert_eq!(made, Err(LinkError::NameTooLong));
}

#[test]
fn the_key_is_made_once_and_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let path = link(TARGET, "").path(&LinkKey::open(None, &data_dir).unwrap());
    assert!(read(&path, &LinkKey::open(None, &data_dir).unwrap()).is_ok());
    let file = data_dir.join("link.key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(&data_dir).unwrap().count(), 1);
    // Another collector is given the same file.
    let other = LinkKey::open(Some(&file), folder.path()).unwrap();
    assert!(read(&path, &other).is_ok());
    assert_eq!(format!("{other:?}"), "(secret)");
}

#[test]
fn a_file_that_is_no_key_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let open = || LinkKey::open(Some(&file), folder.path()).unwrap_err().to_string();
    assert!(open().contains("cannot use the link key"), "{}", open());
    fs::write(&file, "short\n").unwrap();
    assert!(open().contains("has 5 bytes"), "{}", open());
    fs::write(&file, vec![b'x'; 5000]).unwrap();
    assert!(open().contains("has 5000 bytes"), "{}", open());
}

proptest! {
    /// Whatever an address is: it leads to its own host by http or https, or nowhere.
    #[test]
    fn a_target_is_what_it_seems(scheme in "(https?:)?[/\\\\]{0,3}", rest in "\\PC{0,40}") {
        let address = format!("{scheme}{rest}");
        if let Ok(target) = Target::new(&address) {
            let target = target.as_str();
            prop_assert!(target.is_ascii() && !target.contains(['\r', '\n', '\\']));
            let (scheme, rest) = target.split_once("://").unwrap();
            prop_assert!(matches!(scheme, "http" | "https"));
            prop_assert!(!rest.starts_with('/'), "{}", target);
            let host = rest.split(['/', '?', '#']).next().unwrap();
            prop_assert!(!host.is_empty() && !host.contains('@'), "{}", target);
        }
    }

    /// No address panics the reader, and none is a link by chance.
    #[test]
    fn junk_is_no_link(path in "\\PC{0,60}", query in "\\PC{0,60}") {
        prop_assert!(Link::read(&path, &query, &key()).is_err());
    }
}

#[test]
fn the_key_of_a_sites_domains_signs_no_link_and_is_that_sites_only() {
    let site = |name: &str| name.parse::<SiteName>().unwrap();
    let domains = key().of_domains(&site("shop"));
    assert_eq!(domains.len(), 32);
    assert_ne!(domains, key().of_domains(&site("blog")));
    assert_ne!(domains, LinkKey::of(b"two").of_domains(&site("shop")));
    // Who has read it in the script and signs by it, as text or as bytes, makes no link.
    for read_there in [domains.as_bytes(), &hex::decode(&domains).unwrap()] {
        let path = link(TARGET, "").path(&LinkKey::of(read_there));
        assert_eq!(read(&path, &key()), Err(LinkError::NotSigned));
    }
    // Nor is it the signature of one: what the two sign begins otherwise, whatever the site and the target.
    let [one, other] = [PURPOSE, key::DOMAINS_PURPOSE];
    assert!(!one.starts_with(other) && !other.starts_with(one));
}
