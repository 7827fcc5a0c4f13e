//! What the bench says: medians, and how the others compare with ours.

use std::fmt;

use serde_json::{Value, json};

use crate::contender::{CONTENDERS, NONE, PURE};
use crate::visit::Measured;

/// All contenders on one processor.
pub(crate) struct Table {
    pub(crate) processor: u32,
    /// By contender, a run each.
    pub(crate) measured: Vec<Vec<Measured>>,
}

impl Table {
    fn median(&self, contender: usize, value: impl Fn(&Measured) -> f64) -> f64 {
        let runs = self.measured.get(contender).map(Vec::as_slice).unwrap_or_default();
        let mut values: Vec<f64> = runs.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    }

    fn is_measured(&self, contender: usize) -> bool {
        self.measured.get(contender).is_some_and(|runs| !runs.is_empty())
    }

    /// What the page's tasks take more than without a tracker.
    fn task_ms(&self, contender: usize) -> f64 {
        let task = |contender| self.median(contender, |measured| measured.task_ms);
        task(contender) - task(NONE)
    }

    /// Our first event in relation to that of the same tracker in JavaScript.
    fn ratio_to_pure(&self) -> f64 {
        let first = |contender| self.median(contender, |measured| measured.first_event_ms);
        first(0) / first(PURE)
    }

    /// The longest that our scripts took in one task of all runs.
    fn longest_script_ms(&self) -> f64 {
        let ours = self.measured.first().into_iter().flatten();
        ours.map(|measured| measured.longest_script_ms).fold(0.0, f64::max)
    }

    pub(crate) fn json(&self) -> Value {
        let measured = CONTENDERS.iter().enumerate().filter(|(at, _)| self.is_measured(*at));
        let rows = measured.map(|(at, contender)| {
            let median = |value: fn(&Measured) -> f64| rounded(self.median(at, value));
            json!({
                "name": contender.name,
                "script_bytes": median(|measured| measured.script_bytes),
                "requests": median(|measured| measured.requests),
                "first_event_ms": median(|measured| measured.first_event_ms),
                "task_ms_over_none": rounded(self.task_ms(at)),
                "long_tasks": median(|measured| measured.long_tasks),
                "longest_task_ms": median(|measured| measured.longest_ms),
                "longest_of_scripts_ms": median(|measured| measured.longest_script_ms),
                "layout_shift": median(|measured| measured.shift),
                "intl_calls_before": median(|measured| measured.intl),
            })
        });
        json!({
            "processor": self.processor,
            "runs": self.measured.iter().map(Vec::len).max(),
            "first_event_ratio_to_javascript": rounded(self.ratio_to_pure()),
            "longest_of_our_scripts_in_any_run_ms": rounded(self.longest_script_ms()),
            "trackers": rows.collect::<Value>(),
        })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.measured.iter().map(Vec::len).max().unwrap_or_default();
        writeln!(
            out,
            "\n60 ms, 9 Mbit/s down, 1.5 up, processor / {}, medians of {runs}; (times ours)",
            self.processor
        )?;
        writeln!(
            out,
            "| tracker | script bytes | requests | first event, ms | tasks, ms more than none | tasks over 50 ms | longest, ms | longest of its scripts, ms | layout shift | `Intl` before |\n\
             |---|---|---|---|---|---|---|---|---|---|"
        )?;
        for (at, contender) in CONTENDERS.iter().enumerate() {
            if !self.is_measured(at) {
                continue;
            }
            let median = |value: fn(&Measured) -> f64| self.median(at, value);
            let beside = |value: fn(&Measured) -> f64| ratio(median(value), self.median(0, value));
            let bytes = beside(|measured| measured.script_bytes);
            let first = beside(|measured| measured.first_event_ms);
            writeln!(
                out,
                "| {} | {:.0}{bytes} | {:.0} | {:.0}{first} | {:.0} | {:.0} | {:.0} | {:.0} | {:.3} | {:.0} |",
                contender.title,
                median(|measured| measured.script_bytes),
                median(|measured| measured.requests),
                median(|measured| measured.first_event_ms),
                self.task_ms(at),
                median(|measured| measured.long_tasks),
                median(|measured| measured.longest_ms),
                median(|measured| measured.longest_script_ms),
                median(|measured| measured.shift),
                median(|measured| measured.intl),
            )?;
        }
        if self.is_measured(0) {
            writeln!(
                out,
                "the longest of our scripts in any run: {:.0} ms",
                self.longest_script_ms()
            )?;
        }
        if self.is_measured(0) && self.is_measured(PURE) {
            let ratio = self.ratio_to_pure();
            writeln!(out, "first event: ours / the same in JavaScript = {ratio:.2}")?;
        }
        Ok(())
    }
}

/// ` (2.5)`; nothing where there is nothing to compare.
fn ratio(value: f64, ours: f64) -> String {
    if value > 0.0 && ours > 0.0 { format!(" ({:.2})", value / ours) } else { String::new() }
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_medians_in_relation_to_ours_and_tasks_beyond_the_page_without() {
        let of = |first_event_ms: f64, task_ms| {
            [3.0, 1.0, 2.0].map(|run| Measured {
                first_event_ms: first_event_ms * run,
                task_ms,
                ..Measured::default()
            })
        };
        let mut measured = vec![of(60.0, 90.0).to_vec(); CONTENDERS.len()];
        measured[PURE] = of(50.0, 80.0).to_vec();
        measured[NONE] = of(0.0, 70.0).to_vec();
        let table = Table { processor: 4, measured };
        let json = table.json();
        assert_eq!(json["first_event_ratio_to_javascript"], 1.2);
        assert_eq!(json["trackers"][0]["first_event_ms"], 120.0);
        assert_eq!(json["trackers"][PURE]["task_ms_over_none"], 10.0);
        let printed = table.to_string();
        assert!(
            printed.contains("| the same in JavaScript | 0 | 0 | 100 (0.83) | 10 |"),
            "{printed}"
        );
        assert!(printed.contains("| no tracker | 0 | 0 | 0 | 0 |"), "{printed}");
    }
}
