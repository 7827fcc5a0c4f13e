//! A metric with labels whose values are a closed list. Every series is made at the start, at nought
//! (a rate over one that appears with its first event would miss that event), and is found by its
//! place in the list: counting takes no lock and looks nothing up.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::{MetricType, TypedMetric};

type Labels = Vec<(&'static str, &'static str)>;

/// All series of one metric.
#[derive(Debug)]
pub(crate) struct Series<M>(Arc<[(Labels, M)]>);

impl<M> Clone for Series<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> Series<M> {
    /// One for each of a label's values, in their order.
    pub(crate) fn of(
        label: &'static str,
        values: impl IntoIterator<Item = &'static str>,
        make: impl Fn() -> M,
    ) -> Self {
        Self::with_labels(values.into_iter().map(|value| vec![(label, value)]), make)
    }

    pub(crate) fn with_labels(
        labels: impl IntoIterator<Item = Labels>,
        make: impl Fn() -> M,
    ) -> Self {
        Self(labels.into_iter().map(|labels| (labels, make())).collect())
    }

    /// The one at this place of the list.
    pub(crate) fn at(&self, place: usize) -> Option<&M> {
        self.0.get(place).map(|(_, metric)| metric)
    }

    /// The one whose first label has this value: for what is not counted per event.
    pub(crate) fn named(&self, value: &str) -> Option<&M> {
        let found = self.0.iter().find(|(labels, _)| labels.iter().any(|label| label.1 == value));
        found.map(|(_, metric)| metric)
    }
}

impl<M: EncodeMetric + TypedMetric> EncodeMetric for Series<M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        for (labels, metric) in self.0.iter() {
            metric.encode(encoder.encode_family(labels)?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}
