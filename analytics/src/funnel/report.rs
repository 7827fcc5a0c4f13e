//! A funnel's answer.

use serde::Serialize;
use wire::SiteName;

use super::sql::Furthest;
use super::{By, Funnel, Window};
use crate::query::{Range, Table};

/// How many got how far.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Of which site.
    pub site: SiteName,
    /// How long after the first step the last might come.
    pub window: Window,
    /// What was counted.
    pub by: By,
    /// Over which time.
    pub range: Range,
    /// Step by step; the counts never rise.
    pub steps: Vec<StepReport>,
}

/// How many did a step, and all before it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepReport {
    /// The step, as it was asked for.
    pub name: String,
    /// How many did it.
    pub count: u64,
    /// How many did the step before and not this one; 0 at the first.
    pub dropped: u64,
    /// The part of those at the step before, 0 to 1; 1 at the first, 0 of none.
    pub conversion: f64,
    /// The part of those at the first step, 0 to 1; 0 of none.
    pub conversion_total: f64,
}

impl Report {
    pub(super) fn new(funnel: &Funnel, furthest: &[Furthest]) -> Self {
        let reached = |level: usize| -> u64 {
            let further = furthest.iter().filter(|one| usize::from(one.level) >= level);
            further.map(|one| one.count).sum()
        };
        let first = reached(1);
        let mut before = first;
        let mut steps = Vec::with_capacity(funnel.steps.len());
        for (index, step) in funnel.steps.iter().enumerate() {
            let count = reached(index + 1);
            steps.push(StepReport {
                name: step.to_string(),
                count,
                dropped: before - count,
                conversion: part(count, before),
                conversion_total: part(count, first),
            });
            before = count;
        }
        Self {
            site: funnel.site.clone(),
            window: funnel.window,
            by: funnel.by,
            range: funnel.range,
            steps,
        }
    }

    /// The answer as text.
    #[must_use]
    pub fn table(&self) -> Table {
        let rows = self.steps.iter().map(|step| {
            [
                step.name.clone(),
                step.count.to_string(),
                step.dropped.to_string(),
                format!("{:.4}", step.conversion),
                format!("{:.4}", step.conversion_total),
            ]
        });
        Table::new(["name", "count", "dropped", "conversion", "conversion_total"], rows)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio to show; counts are far below 2^53")]
fn part(count: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { count as f64 / whole as f64 }
}
