//! What money was worth on a day, by a table that the operator gives (`--currency-file`).
//!
//! The file is the European Central Bank's history of reference rates
//! (<https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip>): a head `Date,USD,JPY,...`, and a
//! row for each working day with how much of each currency one euro was, `N/A` where there was no rate.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ReaderBuilder, Trim};
use jiff::civil::Date;
use rust_decimal::Decimal;
use store::Currency;

/// Bytes of a file. The history since 1999 has under 3 MB.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How long a rate holds that no later one follows. Rates pause over holidays for some days; one of a
/// currency that is no longer quoted says nothing.
const DAYS_HELD_MAX: i32 = 31;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Each currency's rates, per euro, by the day since 1970, in the days' order.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    per_euro: HashMap<Currency, Vec<(i32, Decimal)>>,
}

/// Why a file is no table of rates.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    #[error("it cannot be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("it is over {FILE_BYTES_MAX} bytes")]
    TooLong,
    #[error("it is no CSV: {0}")]
    Csv(#[from] csv::Error),
    #[error("its first column is not Date, or no other is a currency")]
    Head,
    #[error("line {line} does not begin with a date such as 2026-06-01")]
    Day { line: u64 },
    #[error("line {line} has a rate that is no positive number")]
    Rate { line: u64 },
    #[error("it has no rate")]
    Empty,
}

impl Exchange {
    /// Reads a table, all of it or none.
    pub(crate) fn open(file: &Path) -> Result<Self, ExchangeError> {
        let mut text = Vec::new();
        File::open(file)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(ExchangeError::TooLong);
        }
        Self::read(&text)
    }

    fn read(text: &[u8]) -> Result<Self, ExchangeError> {
        let mut rows = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(text);
        let mut head = rows.headers()?.iter();
        let first = head.next().unwrap_or_default().trim_start_matches('\u{feff}');
        // The bank's rows end with a comma, so the last column has no name.
        let columns: Vec<Option<Currency>> = head.map(|name| name.parse().ok()).collect();
        if !first.eq_ignore_ascii_case("date") || columns.iter().flatten().next().is_none() {
            return Err(ExchangeError::Head);
        }
        let mut per_euro: HashMap<Currency, Vec<(i32, Decimal)>> = HashMap::new();
        for row in rows.records() {
            let row = row?;
            let line = row.position().map_or(0, csv::Position::line);
            let mut fields = row.iter();
            let date: Option<Date> = fields.next().and_then(|date| date.parse().ok());
            let day = date.map(day_of).ok_or(ExchangeError::Day { line })?;
            for (currency, rate) in columns.iter().zip(fields) {
                let Some(currency) = currency else { continue };
                if matches!(rate, "" | "N/A") {
                    continue;
                }
                let rate: Decimal = rate.parse().map_err(|_| ExchangeError::Rate { line })?;
                if rate <= Decimal::ZERO {
                    return Err(ExchangeError::Rate { line });
                }
                per_euro.entry(*currency).or_default().push((day, rate));
            }
        }
        if per_euro.is_empty() {
            return Err(ExchangeError::Empty);
        }
        for rates in per_euro.values_mut() {
            rates.sort_by_key(|(day, _)| *day);
        }
        Ok(Self { per_euro })
    }

    /// An amount in another currency, by the rates of the day or the last before it; `None` where one of
    /// them is unknown.
    pub(crate) fn convert(
        &self,
        amount: Decimal,
        from: Currency,
        to: Currency,
        occurred_at: i64,
    ) -> Option<Decimal> {
        if from == to {
            return Some(amount);
        }
        let day = i32::try_from(occurred_at.div_euclid(DAY_MILLIS)).ok()?;
        let (from, to) = (self.rate(from, day)?, self.rate(to, day)?);
        amount.checked_mul(to)?.checked_div(from)
    }

    fn rate(&self, currency: Currency, day: i32) -> Option<Decimal> {
        if currency == Currency::EUR {
            return Some(Decimal::ONE);
        }
        let rates = self.per_euro.get(&currency)?;
        let after = rates.partition_point(|(known, _)| *known <= day);
        let (known, rate) = rates.get(after.checked_sub(1)?)?;
        (day - known <= DAYS_HELD_MAX).then_some(*rate)
    }
}

fn day_of(date: Date) -> i32 {
    date.duration_since(jiff::civil::date(1970, 1, 1)).as_hours().div_euclid(24) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bank's own layout: newest day first, a comma at each end.
    const RATES: &str = "Date,USD,JPY,HRK,\n2026-06-05,1.25,160.5,N/A,\n2026-06-03,1.2,N/A,N/A,\n2022-12-30,1.0666,140.66,7.5365,\n";

    fn converted(amount: &str, from: &str, to: &str, day: &str) -> Option<String> {
        let exchange = Exchange::read(RATES.as_bytes()).unwrap();
        let at = i64::from(day_of(day.parse().unwrap())) * DAY_MILLIS + DAY_MILLIS - 1;
        let amount = amount.parse().unwrap();
        let found = exchange.convert(amount, from.parse().unwrap(), to.parse().unwrap(), at)?;
        Some(found.round_dp(4).normalize().to_string())
    }

    #[test]
    fn the_rate_is_the_days_or_the_last_before() {
        let cases = [
            (("10", "USD", "EUR", "2026-06-05"), Some("8")),
            (("10", "USD", "EUR", "2026-06-04"), Some("8.3333")),
            (("10", "EUR", "USD", "2026-06-30"), Some("12.5")),
            (("16.05", "JPY", "USD", "2026-06-05"), Some("0.125")),
            (("75.365", "HRK", "EUR", "2023-01-02"), Some("10")),
            // Before all rates, of a currency no longer quoted, after the table's end, of no currency.
            (("10", "USD", "EUR", "2022-12-29"), None),
            (("10", "HRK", "EUR", "2026-06-05"), None),
            (("10", "USD", "EUR", "2026-08-01"), None),
            (("10", "XXX", "EUR", "2026-06-05"), None),
            // The same money needs no rate.
            (("10", "XXX", "XXX", "1971-01-01"), Some("10")),
        ];
        for ((amount, from, to, day), expected) in cases {
            let found = converted(amount, from, to, day);
            assert_eq!(found.as_deref(), expected, "{amount} {from} {to} {day}");
        }
    }

    #[test]
    fn a_file_that_is_no_table_is_refused_whole() {
        let error = |text: &str| Exchange::read(text.as_bytes()).unwrap_err().to_string();
        let head = "its first column is not Date, or no other is a currency";
        assert_eq!(error("<html>"), head);
        assert_eq!(error("Date,\n2026-06-05,\n"), head);
        assert_eq!(error("Date,USD\n"), "it has no rate");
        assert_eq!(
            error("Date,USD\n2026-06-05,1\n5 June,1\n"),
            "line 3 does not begin with a date such as 2026-06-01"
        );
        for rate in ["0", "-1", "x"] {
            assert_eq!(
                error(&format!("Date,USD\n2026-06-05,{rate}\n")),
                "line 2 has a rate that is no positive number"
            );
        }
    }

    #[test]
    fn an_amount_too_large_to_convert_is_unknown() {
        let exchange = Exchange::read(RATES.as_bytes()).unwrap();
        let at = i64::from(day_of("2026-06-05".parse().unwrap())) * DAY_MILLIS;
        let jpy = "JPY".parse().unwrap();
        assert_eq!(exchange.convert(Decimal::MAX, Currency::EUR, jpy, at), None);
    }
}
