//! What an event is worth: its amount as it was told, and in the money the site reports in.

use std::borrow::Borrow;

use rust_decimal::{Decimal, RoundingStrategy};
use store::Currency;

use super::exchange::Exchange;

/// Properties that say what an order was worth, the first that is there counts: Google Analytics 4's
/// name, and those of Segment's ecommerce events
/// (<https://developers.google.com/analytics/devguides/collection/ga4/reference/events>,
/// <https://segment.com/docs/connections/spec/ecommerce/v2/>).
const AMOUNTS: [&str; 3] = ["value", "revenue", "total"];
/// Digits behind the point, as the columns have them: `Decimal(18, 4)`.
const SCALE: u32 = 4;
/// What such a column holds at most, in its smallest part.
const PARTS_MAX: i64 = 999_999_999_999_999_999;

/// An amount, in ten-thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Money {
    pub(crate) parts: i64,
    pub(crate) currency: Currency,
}

impl std::fmt::Display for Money {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", Decimal::new(self.parts, SCALE), self.currency)
    }
}

/// What an event is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Worth {
    pub(crate) told: Money,
    /// In the site's currency, where there is one and its rate is known.
    pub(crate) reported: Option<Money>,
}

/// What an event's properties say it is worth. An amount without a currency is no money: `value` may be
/// seconds or points.
pub(super) fn worth<N: Borrow<str>, V: Borrow<str>>(
    properties: &[(N, V)],
    reporting: Option<Currency>,
    exchange: &Exchange,
    occurred_at: i64,
) -> Option<Worth> {
    let named = |wanted: &str| {
        properties.iter().find(|(name, _)| name.borrow() == wanted).map(|(_, value)| value.borrow())
    };
    let currency: Currency = named("currency")?.trim().parse().ok()?;
    let amount = AMOUNTS.iter().find_map(|name| amount(named(name)?))?;
    let told = money(amount, currency)?;
    let reported = reporting.and_then(|reporting| {
        money(exchange.convert(amount, currency, reporting, occurred_at)?, reporting)
    });
    Some(Worth { told, reported })
}

fn amount(text: &str) -> Option<Decimal> {
    let text = text.trim();
    text.parse().or_else(|_| Decimal::from_scientific(text)).ok()
}

/// The amount to four digits, half a digit to the even one; `None` where it is too large for its column.
fn money(amount: Decimal, currency: Currency) -> Option<Money> {
    let mut rounded = amount.round_dp_with_strategy(SCALE, RoundingStrategy::MidpointNearestEven);
    rounded.rescale(SCALE);
    let parts = i64::try_from(rounded.mantissa()).ok().filter(|_| rounded.scale() == SCALE)?;
    (parts.abs() <= PARTS_MAX).then_some(Money { parts, currency })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(properties: &[(&str, &str)]) -> Option<(i64, String)> {
        let worth = worth(properties, None, &Exchange::default(), 0)?;
        Some((worth.told.parts, worth.told.currency.to_string()))
    }

    #[test]
    fn reads_amounts_exactly() {
        let parts = |value| told(&[("value", value), ("currency", "eur")]).map(|(parts, _)| parts);
        let cases = [
            ("59.90", Some(599_000)),
            ("0.1", Some(1_000)),
            (" 7 ", Some(70_000)),
            ("-12.5", Some(-125_000)),
            ("1e3", Some(10_000_000)),
            ("0.00005", Some(0)),
            ("0.00015", Some(2)),
            ("99999999999999.9999", Some(PARTS_MAX)),
            ("100000000000000", None),
            ("1e30", None),
            ("1,234.50", None),
            ("NaN", None),
            ("", None),
        ];
        for (value, expected) in cases {
            assert_eq!(parts(value), expected, "{value}");
        }
    }

    #[test]
    fn knows_the_names_of_both_and_needs_a_currency() {
        let eur = |parts| Some((parts, "EUR".to_owned()));
        assert_eq!(told(&[("total", "3"), ("revenue", "2"), ("currency", "EUR")]), eur(20_000));
        assert_eq!(told(&[("revenue", "2"), ("value", "1"), ("currency", "EUR")]), eur(10_000));
        assert_eq!(told(&[("value", "x"), ("total", "3"), ("currency", "EUR")]), eur(30_000));
        assert_eq!(told(&[("value", "75")]), None);
        assert_eq!(told(&[("value", "75"), ("currency", "points")]), None);
        assert_eq!(told(&[("currency", "EUR")]), None);
    }

    #[test]
    fn the_sites_own_money_needs_no_rate_and_another_one_does() {
        let properties = [("value", "5"), ("currency", "USD")];
        let reported = |currency: &str| {
            let reporting = Some(currency.parse().unwrap());
            let worth = worth(&properties, reporting, &Exchange::default(), 0).unwrap();
            worth.reported.map(|money| money.parts)
        };
        assert_eq!(reported("USD"), Some(50_000));
        assert_eq!(reported("EUR"), None);
    }
}
