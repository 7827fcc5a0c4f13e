//! Every closed list of labels is whole and in order, and what is counted is told.

use super::*;

/// Counters are found by the number of what they count.
#[test]
fn every_closed_list_is_in_the_order_of_its_numbers() {
    let in_order = |numbers: Vec<usize>| assert!(numbers.iter().copied().eq(0..numbers.len()));
    in_order(DropReason::ALL.map(|reason| reason as usize).to_vec());
    in_order(Table::ALL.map(|table| table as usize).to_vec());
    in_order(Way::ALL.map(|way| way as usize).to_vec());
    in_order(Failure::ALL.map(|failure| failure as usize).to_vec());
    in_order(HandshakeFailure::ALL.map(|failure| failure as usize).to_vec());
}

#[test]
fn a_request_is_counted_under_its_way_and_status() {
    let metrics = Metrics::new();
    metrics.answered(Way::Segment, 503, Duration::from_millis(1));
    metrics.answered(Way::Other, 599, Duration::from_millis(1));
    let text = metrics.text(&Now::default());
    for line in [
        "collector_requests_total{way=\"segment\",status=\"503\"} 1\n",
        "collector_requests_total{way=\"other\",status=\"other\"} 1\n",
        "collector_requests_total{way=\"events\",status=\"503\"} 0\n",
        "collector_request_seconds_count{way=\"segment\"} 1\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn every_rejection_has_a_counter_and_a_status() {
    let metrics = Metrics::new();
    for rejection in Rejection::all() {
        let spec = rejection.spec();
        metrics.rejected(spec.tag);
        assert_eq!(
            metrics.receive.rejected.named(spec.tag).map(Counter::get),
            Some(1),
            "{}",
            spec.tag
        );
        assert!(STATUSES.iter().any(|known| known.0 == spec.status.as_u16()), "{}", spec.status);
    }
}
