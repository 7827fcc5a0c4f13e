//! One case for every reason to leave one event out; the others of its batch are taken.

use collector::DropReason;
use serde_json::{Value, json};

use crate::stack::{NOW, alone, batch, page_view, with};

/// An event that is left out for the reason.
fn event(reason: DropReason) -> Value {
    let view = |fields: Value| with(page_view(7), &fields);
    let day = 24 * 60 * 60 * 1000;
    match reason {
        DropReason::EventMalformed => view(json!({"at": "yesterday"})),
        DropReason::IdNotUuid => view(json!({"id": "7"})),
        DropReason::TypeUnknown => view(json!({"type": "teleport"})),
        DropReason::AtTooOld => view(json!({"at": NOW - 31 * day})),
        DropReason::AtInFuture => view(json!({"at": NOW + day})),
        DropReason::VisitorMissing => view(json!({"visitor": null})),
        DropReason::VisitorNotUuid => view(json!({"visitor": "ada"})),
        DropReason::SessionNotUuid => view(json!({"session": "s1"})),
        DropReason::UserMissing => view(json!({"type": "identify"})),
        DropReason::UserTooLong => view(json!({"user": "u".repeat(257)})),
        DropReason::UrlMissing => view(json!({"url": null})),
        DropReason::UrlInvalid => view(json!({"url": "file:///etc/passwd"})),
        DropReason::NameMissing => view(json!({"type": "custom", "name": "  "})),
        DropReason::FunnelMissing => view(json!({"type": "step", "step": "shipping"})),
        DropReason::StepMissing => view(json!({"type": "step", "funnel": "checkout"})),
        DropReason::PropertiesNotObject => view(json!({"properties": [1]})),
    }
}

#[tokio::test]
async fn each_reason_leaves_out_its_event_and_no_other() {
    let (collector, _dir) = alone(&[]).await;
    for reason in DropReason::ALL {
        let answer = collector.post(&batch(&[page_view(1), event(reason), page_view(2)])).await;
        let field = if reason == DropReason::EventMalformed { "at" } else { reason.field() };
        let id = event(reason)["id"].clone();
        let expected =
            json!({"accepted": 2, "dropped": [{"id": id, "reason": reason.tag(), "field": field}]});
        assert_eq!((answer.status, answer.json()), (202, expected));
    }
    let metrics = collector.get("/metrics").await;
    for reason in DropReason::ALL {
        let line = format!("collector_events_dropped_total{{reason=\"{}\"}} 1\n", reason.tag());
        assert!(metrics.text().contains(&line), "{line}");
    }
}

#[tokio::test]
async fn a_batch_of_nothing_valid_is_answered_and_writes_nothing() {
    let (collector, dir) = alone(&[]).await;
    let answer = collector.post(&batch(&[event(DropReason::VisitorMissing)])).await;
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (202, Some(0)));
    assert_eq!(collector.post(&batch(&[])).await.status, 202);
    let names: Vec<_> = crate::stack::files(&dir.path().join("spool"));
    assert_eq!(names, [dir.path().join("spool/lock")]);
}
