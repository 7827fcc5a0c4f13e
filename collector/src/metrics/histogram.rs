//! A histogram that is counted into without a lock: one addition for the bucket, one for the sum.
//! (The one of `prometheus-client` takes a lock for each observation.)

use std::fmt;
use std::iter::{once, successors};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Clones count into the same buckets.
#[derive(Clone, Debug)]
pub(crate) struct Histogram(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    /// The upper bounds, each in its bucket, in nanoseconds or in pieces.
    bounds: Vec<u64>,
    /// One more than there are bounds: the last is for what is above them all.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
    /// What stands in the text is in seconds or in pieces.
    divisor: f64,
}

const NANOSECONDS: f64 = 1e9;

impl Histogram {
    /// Of times: each bucket is twice as wide as the one before.
    pub(crate) fn of_seconds(first: Duration, buckets: usize) -> Self {
        Self::new(nanoseconds(first), 2, buckets, NANOSECONDS)
    }

    /// Of numbers: each bucket is four times as wide as the one before.
    pub(crate) fn of_numbers(first: u64, buckets: usize) -> Self {
        Self::new(first, 4, buckets, 1.0)
    }

    fn new(first: u64, factor: u64, buckets: usize, divisor: f64) -> Self {
        let bounds = successors(Some(first), |bound| Some(bound.saturating_mul(factor)));
        let bounds: Vec<_> = bounds.take(buckets).collect();
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Buckets { bounds, counts, sum: AtomicU64::new(0), divisor }))
    }

    pub(crate) fn observe(&self, number: u64) {
        let buckets = &*self.0;
        let place = buckets.bounds.partition_point(|bound| *bound < number);
        if let Some(count) = buckets.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
            buckets.sum.fetch_add(number, Ordering::Relaxed);
        }
    }

    pub(crate) fn observe_time(&self, time: Duration) {
        self.observe(nanoseconds(time));
    }
}

/// 584 years fit.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let buckets = &*self.0;
        let written = |number: u64| number as f64 / buckets.divisor;
        let bounds = buckets.bounds.iter().map(|bound| written(*bound)).chain(once(f64::INFINITY));
        let counts = buckets.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let counted: Vec<_> = bounds.zip(counts).collect();
        let sum = written(buckets.sum.load(Ordering::Relaxed));
        // Of the same reading, so that the last bucket is the count.
        let count = counted.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &counted, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    fn text(histogram: &Histogram) -> String {
        let mut registry = Registry::default();
        registry.register("x", "X", histogram.clone());
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn a_bound_is_in_its_bucket_and_buckets_add_up() {
        let histogram = Histogram::of_numbers(10, 2);
        [0, 10, 11, 40, 41, 1_000_000].into_iter().for_each(|number| histogram.observe(number));
        let text = text(&histogram);
        for line in [
            "x_bucket{le=\"10.0\"} 2\n",
            "x_bucket{le=\"40.0\"} 4\n",
            "x_bucket{le=\"+Inf\"} 6\n",
            "x_count 6\n",
            "x_sum 1000102.0\n",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn times_are_told_in_seconds() {
        let histogram = Histogram::of_seconds(Duration::from_micros(500), 3);
        histogram.observe_time(Duration::from_millis(1));
        let text = text(&histogram);
        assert!(text.contains("x_bucket{le=\"0.0005\"} 0\n"), "{text}");
        assert!(text.contains("x_bucket{le=\"0.001\"} 1\n"), "{text}");
        assert!(text.contains("x_sum 0.001\n"), "{text}");
    }
}
