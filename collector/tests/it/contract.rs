//! docs/WIRE.md says what the code does.

use std::collections::BTreeSet;

use collector::{DropReason, Rejection};

const WIRE: &str = include_str!("../../../docs/WIRE.md");

/// The first cells of the table under a heading, without their code marks.
fn table(heading: &str) -> Vec<Vec<String>> {
    let (_, section) = WIRE.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        row.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().trim_matches('`').to_owned())
            .collect()
    })
    .collect()
}

#[test]
fn the_table_of_rejections_is_whole_and_true() {
    let documented: BTreeSet<_> = table("Rejections")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone(), row[2].clone()))
        .collect();
    let true_ones = Rejection::all().into_iter().map(|rejection| {
        let spec = rejection.spec();
        let retry = match (spec.tag, spec.retry_after) {
            (_, None) => "no".to_owned(),
            // How long that is depends on when it is asked.
            ("site_over_quota", Some(_)) => "after midnight UTC".to_owned(),
            (_, Some(after)) => format!("after {} s", after.as_secs()),
        };
        (spec.tag.to_owned(), spec.status.as_u16().to_string(), retry)
    });
    assert_eq!(documented, true_ones.collect());
}

#[test]
fn the_table_of_drop_reasons_is_whole_and_true() {
    let documented: Vec<_> =
        table("Drop reasons").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let field = |reason: DropReason| {
        if reason.field().is_empty() { "the one at fault" } else { reason.field() }
    };
    let true_ones: Vec<_> = DropReason::ALL
        .into_iter()
        .map(|reason| (reason.tag().to_owned(), field(reason).to_owned()))
        .collect();
    assert_eq!(documented, true_ones);
}
