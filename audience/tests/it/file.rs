//! The file, byte by byte, against what Google's own library makes of the same people
//! (`identifier/tests/vectors.json`).

use serde_json::Value;
use wire::Choice::Granted;

use crate::story::{Story, buyer, leaving, told};

const HEADER: &str = "Email,Phone,First Name,Last Name,Country,Zip\n";
const FIELDS: [&str; 6] = ["email", "phone", "first_name", "last_name", "country", "zip"];

fn people() -> Vec<Value> {
    let file: Value =
        serde_json::from_str(include_str!("../../../identifier/tests/vectors.json")).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn story(person: &Value) -> Story {
    let raw = |field: &str| person["raw"][field].as_str().unwrap_or_default().to_owned();
    let traits = FIELDS.map(|field| (field, raw(field)));
    let traits = traits.iter().map(|(field, value)| (*field, value.as_str())).collect::<Vec<_>>();
    let name = person["id"].as_str().unwrap();
    buyer(name, Granted).is(name).known(&traits, &raw("default_region"))
}

/// The line of Google's library, with its end.
fn line(person: &Value) -> Option<&str> {
    person["google"]["csv_row_hashed"].as_str()
}

fn sorted(mut lines: Vec<&str>) -> String {
    lines.sort_unstable();
    format!("{HEADER}{}", lines.concat())
}

#[tokio::test]
async fn three_people_byte_for_byte() {
    let people = people();
    let three = people
        .iter()
        .filter(|person| matches!(person["id"].as_str(), Some("dev-01" | "dev-05" | "dev-39")));
    let three = three.collect::<Vec<_>>();
    let database = told(three.iter().map(|person| story(person))).await;
    let (file, receipt) = leaving(database.server()).await;
    assert_eq!(file, sorted(three.iter().filter_map(|person| line(person)).collect()));
    assert_eq!(receipt.leaving, 3);
    let john = "8e621e3d0368631d263d07a351fa8d34fba0d17c15fbcdec11a5f58008d022a0,\
                1e231c66011e7a2d867a9cfae267a6aff103cf4913640b6e71a99850fc0ffbc8,\
                96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a,\
                6627835f988e2c5e50533d491163072d3f4f41f5c8b04630150debb3722ca2dd,US,10001\n";
    assert!(file.contains(john));
}

/// Of the forty, three have nothing to be found by, and dev-33 is dev-18's address hashed beforehand:
/// one person.
#[tokio::test]
async fn all_forty_people_byte_for_byte() {
    let people = people();
    let database = told(people.iter().map(story)).await;
    let (file, receipt) = leaving(database.server()).await;
    let apart = people.iter().filter(|person| person["id"] != "dev-33");
    assert_eq!(file, sorted(apart.filter_map(line).collect()));
    assert_eq!(
        (receipt.matched, receipt.without_identifiers, receipt.joined, receipt.leaving),
        (40, 3, 1, 36)
    );
    assert_eq!(leaving(database.server()).await.0, file, "the same people give the same bytes");
}

#[tokio::test]
async fn nothing_a_spreadsheet_would_run_leaves() {
    let hostile = [
        ("email", "cmd@example.hr"),
        ("first_name", "=cmd|' /C calc'!A0"),
        ("last_name", "@SUM(1,2)\",\n+1"),
        ("country", "HR"),
        ("zip", "10000"),
    ];
    let planted = buyer("bo", Granted).email("bo@example.hr").identifiers(|rows| {
        for (kind, value) in [
            ("phone", "=1+1"),
            ("first_name", "-1"),
            ("country", "=A1"),
            ("zip", "=B1\n"),
            ("zip", "+1"),
        ] {
            let mut row = rows[0].clone();
            (row.kind, row.value) = (kind.to_owned(), value.to_owned());
            rows.push(row);
        }
    });
    let database = told([buyer("ana", Granted).known(&hostile, "HR"), planted]).await;
    let (file, receipt) = leaving(database.server()).await;
    assert_eq!(receipt.leaving, 2);
    let lines = file.strip_prefix(HEADER).unwrap();
    assert_eq!(lines.lines().count(), 2);
    assert!(
        lines.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b',' | b'\n')),
        "{lines}"
    );
    assert!(lines.contains(",HR,10000\n"));
}
