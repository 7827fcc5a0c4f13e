//! The gates together, with the flags as they come.

use std::sync::LazyLock;

use clap::Parser;

use super::*;
use crate::enrich::Told;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    gate: GateConfig,
}

fn gates(flags: &[&str]) -> Gates {
    Gates::new(Arguments::parse_from([&["collector"], flags].concat()).gate.settings())
}

static TOLD: LazyLock<Told<'_>> = LazyLock::new(Told::default);

fn sender(ip: &str, origin: Option<&'static str>) -> Sender<'static> {
    Sender { ip: ip.parse().unwrap(), user_agent: "", origin, told: &TOLD }
}

const SHOP: Option<&str> = Some("https://shop.example");

fn shop() -> Site {
    Site::new("shop".parse().unwrap(), [])
}

/// Sends full batches of a site's until one is refused, `most` at most; how many events were taken.
fn sent(gates: &Gates, sender: Sender<'_>, batch: usize, most: usize) -> usize {
    let mut taken = 0;
    while taken < most && gates.knock(sender).is_ok() {
        if gates.batch(sender, &shop(), batch, 0).is_err() {
            break;
        }
        taken += batch;
    }
    taken
}

#[test]
fn by_default_nobody_who_visits_is_refused() {
    let gates = gates(&[]);
    // An office of two thousand behind one address: each opens a page, and ten events come of it.
    let office = sender("198.51.100.1", SHOP);
    assert_eq!(sent(&gates, office, 10, 20_000), 20_000);
    // A shop's server sends a day's purchases at once.
    let server = sender("198.51.100.2", None);
    assert_eq!(sent(&gates, server, 1000, 500_000), 500_000);
    // A proxy that nobody named is one address for everybody.
    let proxy = sender("10.0.0.1", SHOP);
    assert_eq!(sent(&gates, proxy, 100, 1_000_000), 1_000_000);
}

#[test]
fn a_flood_from_one_address_ends_and_others_go_on() {
    let gates = gates(&[]);
    let flood = sender("2001:db8:0:7::1", SHOP);
    // A minute's worth is 30,000, and 500 for each second that this takes.
    let taken = sent(&gates, flood, 100, 1_000_000);
    assert!((30_000..40_000).contains(&taken), "{taken}");
    let neighbour = sender("2001:db8:0:7:ffff::2", SHOP);
    assert!(matches!(gates.knock(neighbour), Err(Rejection::AddressTooFast { .. })));
    assert_eq!(gates.knock(sender("2001:db8:0:8::1", SHOP)), Ok(()));
}

#[test]
fn a_site_has_a_rate_of_its_own_and_every_limit_can_be_switched_off() {
    let site_only = gates(&["--page-rate", "0", "--server-rate", "0", "--site-rate", "1"]);
    let visitor = sender("198.51.100.1", SHOP);
    // The batch that crosses the minute's 60 is taken whole, and paid in 40 s.
    assert_eq!(sent(&site_only, visitor, 100, 10_000), 100);
    let refused = site_only.batch(sender("198.51.100.2", SHOP), &shop(), 1, 0);
    assert!(matches!(refused, Err(Rejection::SiteTooFast { .. })), "{refused:?}");
    let other = Site::new("other".parse().unwrap(), []);
    assert_eq!(site_only.batch(visitor, &other, 1, 0), Ok(()));
    let off = gates(&["--page-rate", "0", "--server-rate", "0", "--site-rate", "0"]);
    assert_eq!(sent(&off, visitor, 1000, 10_000_000), 10_000_000);
}
