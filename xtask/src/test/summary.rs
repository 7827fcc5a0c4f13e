//! How long each step took, at the end where it is seen.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

#[derive(Default)]
pub(super) struct Summary {
    steps: Vec<(String, Duration, bool)>,
}

impl Summary {
    pub(super) fn add(&mut self, name: &str, took: Duration, passed: bool) {
        self.steps.push((name.to_owned(), took, passed));
    }
}

impl Display for Summary {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut total = Duration::ZERO;
        for (name, took, passed) in &self.steps {
            let word = if *passed { "ok" } else { "FAILED" };
            writeln!(formatter, "{name:24}{:>8.1} s  {word}", took.as_secs_f64())?;
            total += *took;
        }
        writeln!(formatter, "{:24}{:>8.1} s", "all", total.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_each_step_and_the_sum() {
        let mut summary = Summary::default();
        summary.add("format", Duration::from_millis(1_250), true);
        summary.add("lints", Duration::from_secs(100), false);
        let lines = [
            "format                       1.2 s  ok",
            "lints                      100.0 s  FAILED",
            "all                        101.2 s",
            "",
        ];
        assert_eq!(summary.to_string(), lines.join("\n"));
    }
}
