//! What the bench says, as a table and as one line of JSON.

use std::fmt;

use serde_json::{Value, json};

use super::ingest::Side;
use super::sustained::Sustained;

/// Floor and collector in one run.
pub(super) struct Pair {
    pub(super) floor: Side,
    pub(super) collector: Side,
}

#[derive(Default)]
pub(super) struct Report {
    pub(super) singles: Vec<Pair>,
    pub(super) batches: Vec<Pair>,
    pub(super) sustained: Vec<Sustained>,
}

impl Pair {
    fn ratio(&self) -> f64 {
        self.collector.measured.events_per_second / self.floor.measured.events_per_second
    }

    /// The floor's processor time for an event, as a part of the collector's. Other programs on the
    /// machine move it less than they move the rates.
    fn cpu_ratio(&self) -> f64 {
        self.floor.cpu_s_per_million / self.collector.cpu_s_per_million
    }

    fn p99_ratio(&self) -> f64 {
        self.collector.measured.p99_us as f64 / self.floor.measured.p99_us as f64
    }
}

impl Report {
    /// The floor's events a second.
    pub(super) fn floor(&self, events_per_request: u32) -> Option<f64> {
        let pairs = if events_per_request == 1 { &self.singles } else { &self.batches };
        Some(median(pairs, |pair| pair.floor.measured.events_per_second)).filter(|rate| *rate > 0.0)
    }

    pub(super) fn json(&self) -> Value {
        let pairs = self.singles.iter().chain(&self.batches);
        let rss = pairs.map(|pair| pair.collector.memory_max_mb).fold(0.0, f64::max);
        let cpu = |pair: &Pair| pair.collector.cpu_s_per_million;
        let mut json = json!({
            "single_ratio": rounded(median(&self.singles, Pair::ratio)),
            "batch_ratio": rounded(median(&self.batches, Pair::ratio)),
            "single_cpu_s_per_million": rounded(median(&self.singles, cpu)),
            "batch_cpu_s_per_million": rounded(median(&self.batches, cpu)),
            "rss_mb": rounded(rss),
            "single_cpu_ratio": rounded(median(&self.singles, Pair::cpu_ratio)),
            "batch_cpu_ratio": rounded(median(&self.batches, Pair::cpu_ratio)),
            "single_p99_ratio": rounded(median(&self.singles, Pair::p99_ratio)),
            "batch_p99_ratio": rounded(median(&self.batches, Pair::p99_ratio)),
        });
        for sustained in &self.sustained {
            let [_, p99, _] = sustained.queryable_ms;
            let name = if sustained.events_per_request == 1 { "single" } else { "batch" };
            json[format!("{name}_queryable_p99_ms")] = json!(p99.round());
            json[format!("{name}_backlog_blocks")] =
                json!([rounded(sustained.backlog.0), rounded(sustained.backlog.1)]);
        }
        json
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, pairs) in
            [("one event a request", &self.singles), ("batches of 50", &self.batches)]
        {
            writeln!(out, "\n{name}, medians of {}", pairs.len())?;
            writeln!(out, "{:12}{:>14}{:>14}{:>10}", "", "floor", "collector", "ratio")?;
            let mut row = |name, value: fn(&Side) -> f64, ratio: fn(&Pair) -> f64| {
                let floor = median(pairs, |pair| value(&pair.floor));
                let collector = median(pairs, |pair| value(&pair.collector));
                let ratio = median(pairs, ratio);
                writeln!(out, "{name:12}{floor:>14.1}{collector:>14.1}{ratio:>10.2}")
            };
            row("events/s", |side| side.measured.events_per_second, Pair::ratio)?;
            row("p99 us", |side| side.measured.p99_us as f64, Pair::p99_ratio)?;
            row("cpu s/mio", |side| side.cpu_s_per_million, Pair::cpu_ratio)?;
            row(
                "memory MB",
                |side| side.memory_max_mb,
                |pair| pair.collector.memory_max_mb / pair.floor.memory_max_mb,
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Sustained {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, p99, all] = self.queryable_ms;
        let (first, last) = self.backlog;
        writeln!(
            out,
            "\nsteady, {} a request, ClickHouse beside it: {:.0} events/s for a quarter of the floor\n\
             blocks waiting: {first:.1} in the first third, {last:.1} in the last\n\
             from answer to query: median {half:.0} ms, p99 {p99:.0} ms, longest {all:.0} ms",
            self.events_per_request, self.measured.events_per_second,
        )
    }
}

/// The middle one; of an even number the higher of the two.
fn median(pairs: &[Pair], value: impl Fn(&Pair) -> f64) -> f64 {
    let mut values: Vec<f64> = pairs.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
