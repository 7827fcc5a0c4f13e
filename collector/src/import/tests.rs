//! Maps and rows without a ClickHouse.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use store::EventRow;
use uuid::Uuid;
use wire::limits::{NAME_BYTES_MAX, PROPERTY_BYTES_MAX, USER_BYTES_MAX};

use super::input::{ROW_BYTES_MAX, Table};
use super::report::Bad;
use super::row::Rows;
use super::{BadReason, ImportError, Imported, Map, MapError};
use crate::error::chain;

/// 2026-01-01T00:00:00Z
const NOW: i64 = 1_767_225_600_000;

const HEADER: &str =
    "at,who,visit,person,what,page,from,title,device,country,source,medium,channel,campaign,price";

fn map() -> Map {
    let columns = "time='at'\nvisitor='who'\nsession='visit'\nuser='person'\nname='what'\nurl='page'\n\
        referrer='from'\ntitle='title'\ndevice='device'\ncountry='country'\nsource='source'\n\
        medium='medium'\nchannel='channel'\ncampaign='campaign'";
    let map = format!(
        "format='csv'\nproperties=['price']\n[columns]\n{columns}\n[values]\nhome=' page_view '"
    );
    map.parse().unwrap()
}

/// A row's line and what came of it.
type Read = (u64, Result<EventRow, Bad>);

/// Reads a file of the header above.
fn read(rows: &[u8]) -> Result<Vec<Read>, ImportError> {
    let (map, site) = (map(), "shop".parse().unwrap());
    let file = [HEADER.as_bytes(), b"\n", rows].concat();
    let mut table = Table::open(file.as_slice())?;
    let mut rows = Rows::new(&map, &site, table.header(), NOW)?;
    let mut read = Vec::new();
    while let Some(record) = table.next()? {
        read.push((record.line, rows.event(record.fields)));
    }
    Ok(read)
}

/// Reads a file of one row that is an event.
fn event(row: &str) -> EventRow {
    read(row.as_bytes()).unwrap().remove(0).1.unwrap()
}

fn bad(row: &str) -> (String, BadReason) {
    let bad = read(row.as_bytes()).unwrap().remove(0).1.unwrap_err();
    (bad.column, bad.reason)
}

#[test]
fn a_row_becomes_an_event() {
    let row = "2025-03-20 19:38:38,ada,v1,u1,buy,https://Shop.example:8443/p/1?token=x#y,\
        https://a.example/b?q=1,\"Mug, blue\",mobile,Croatia,google,cpc,Paid Search,spring,59.90";
    let event = event(row);
    let told = EventRow {
        site: "shop".into(),
        event_id: event.event_id,
        kind: "custom".into(),
        name: "buy".into(),
        occurred_at: 1_742_499_518_000,
        received_at: NOW,
        visitor_id: event.visitor_id,
        session_id: event.session_id,
        user_id: "u1".into(),
        host: "shop.example".into(),
        path: "/p/1".into(),
        title: "Mug, blue".into(),
        referrer: "https://a.example/b".into(),
        source: "google".into(),
        medium: "cpc".into(),
        channel: "Paid Search".into(),
        campaign: "spring".into(),
        country: "HR".into(),
        device: "mobile".into(),
        properties: vec![("price".into(), "59.90".into())],
        ..EventRow::default()
    };
    assert_eq!(event, told);
    assert!(event.visitor_id != event.session_id && event.event_id != Uuid::nil());
}

#[test]
fn what_a_file_does_not_say_stays_empty() {
    let event = event("2025-03-20 19:38:38,ada,,,checkout/shipping,,,,,Atlantis,,,,,");
    assert_eq!((event.kind.as_str(), event.name.as_str()), ("custom", "checkout/shipping"));
    assert_eq!(event.session_id, event.visitor_id);
    assert_eq!((event.consent_analytics, event.consent_ads, event.country.as_str()), (0, 0, ""));
    assert!(event.properties.is_empty() && event.funnel.is_empty());
}

#[test]
fn names_are_changed_and_page_view_is_a_page_view() {
    let event = event("2025-03-20 19:38:38,ada,,, home ,/a/b?c,,,,,,,,,");
    assert_eq!((event.kind.as_str(), event.name.as_str()), ("page_view", "page_view"));
    assert_eq!((event.host.as_str(), event.path.as_str()), ("", "/a/b"));
}

#[test]
fn long_texts_are_cut_where_a_cut_text_still_tells() {
    let (title, price) = ("ž".repeat(NAME_BYTES_MAX), "9".repeat(PROPERTY_BYTES_MAX + 1));
    let event = event(&format!("2025-03-20 19:38:38,ada,,,view,,,{title},,,,,,,{price}"));
    assert_eq!(
        (event.title.len(), event.properties[0].1.len()),
        (NAME_BYTES_MAX, PROPERTY_BYTES_MAX)
    );
}

#[test]
fn addresses_and_cards_are_replaced_as_in_what_is_sent() {
    let event = event(
        "2025-03-20 19:38:38,ada,,ana@shop.example,view,https://shop.example/u/ana@shop.example,\
         https://a.example/ana@shop.example,Of ana@shop.example,,,a@b.hr,a@b.hr,,a@b.hr,4111 1111 1111 1111",
    );
    assert_eq!(
        [&event.path, &event.referrer, &event.title, &event.source, &event.campaign],
        ["/u/[email]", "https://a.example/[email]", "Of [email]", "[email]", "[email]"]
    );
    assert_eq!((event.medium.as_str(), event.user_id.as_str()), ("[email]", "ana@shop.example"));
    assert_eq!(event.properties, [("price".to_owned(), "[card]".to_owned())]);
}

#[test]
fn every_bad_row_has_its_column_and_reason() {
    let (name, user) = ("n".repeat(NAME_BYTES_MAX + 1), "u".repeat(USER_BYTES_MAX + 1));
    let cases = [
        (",ada,,,buy,,,,,,,,,,".to_owned(), "at", BadReason::TimeUnreadable),
        ("soon,ada,,,buy,,,,,,,,,,".to_owned(), "at", BadReason::TimeUnreadable),
        ("1969-12-31 23:59:59,ada,,,buy,,,,,,,,,,".to_owned(), "at", BadReason::TimeTooOld),
        ("2026-01-01 00:05:01,ada,,,buy,,,,,,,,,,".to_owned(), "at", BadReason::TimeInFuture),
        ("2025-01-01 00:00:00, ,,,buy,,,,,,,,,,".to_owned(), "who", BadReason::VisitorMissing),
        ("2025-01-01 00:00:00,ada,,,,,,,,,,,,,".to_owned(), "what", BadReason::NameMissing),
        (format!("2025-01-01 00:00:00,ada,,,{name},,,,,,,,,,"), "what", BadReason::NameTooLong),
        (
            format!("2025-01-01 00:00:00,ada,,{user},buy,,,,,,,,,,"),
            "person",
            BadReason::UserTooLong,
        ),
        (
            "2025-01-01 00:00:00,ada,,,buy,ftp://a/,,,,,,,,,".to_owned(),
            "page",
            BadReason::UrlInvalid,
        ),
        ("2025-01-01 00:00:00,ada".to_owned(), "", BadReason::RowMalformed),
    ];
    for (row, column, reason) in cases {
        assert_eq!(bad(&row), (column.to_owned(), reason), "{row}");
    }
}

#[test]
fn a_bad_row_does_not_hide_the_next() {
    let rows = b"2025-01-01 00:00:00,\xff,,,buy,,,,,,,,,,\n\n\"2025-01-01\n00:00\",a\n\
        2025-01-01 00:00:00,ada,,,buy,,,,,,,,,,\n";
    let read = read(rows).unwrap();
    let lines: Vec<_> = read.iter().map(|(line, event)| (*line, event.is_ok())).collect();
    assert_eq!(lines, [(2, false), (3, false), (6, true)]);
}

#[test]
fn what_is_told_of_a_bad_row_is_safe_on_a_terminal() {
    let bad = read(b"\x1b[2Jxx,ada,,,buy,,,,,,,,,,").unwrap().remove(0).1.unwrap_err();
    let mut imported = Imported::of(&"shop".parse().unwrap());
    (imported.rows, imported.events) = (23, 1);
    imported.countries_unknown = 1;
    for line in 2..24 {
        imported.leave_out(line, bad.clone());
    }
    let told = imported.to_string();
    assert!(!told.contains('\x1b'), "{told}");
    let mut lines = told.lines();
    assert_eq!(lines.next(), Some("23 rows read, 1 events stored on the site shop"));
    assert_eq!(lines.next(), Some("1 countries are in no table and left empty"));
    assert_eq!(lines.next(), Some("22 rows left out: time_unreadable 22"));
    let first = r#"  line 2, at: "\u{1b}[2Jxx" is not YYYY-MM-DD HH:MM:SS or RFC 3339"#;
    assert_eq!(lines.next(), Some(first));
    assert_eq!((lines.clone().count(), lines.next_back()), (20, Some("  and 2 more")));
}

#[test]
fn gzip_is_told_by_its_bytes_and_may_have_many_members() {
    let member = |text: &str| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    let file = [member("\u{feff}a,b\n1,2\n"), member("3,4\n")].concat();
    let mut table = Table::open(file.as_slice()).unwrap();
    assert_eq!(table.header(), &["a", "b"][..]);
    let mut first = || table.next().unwrap().map(|record| record.fields.unwrap()[0].to_owned());
    assert_eq!([first(), first(), first()], [Some("1".into()), Some("3".into()), None]);

    let cut = &file[..file.len() - 9];
    let mut table = Table::open(cut).unwrap();
    let error = loop {
        match table.next() {
            Ok(record) => assert!(record.is_some(), "the file is not whole"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ImportError::Read { .. }), "{error}");
}

#[test]
fn a_quote_that_is_not_closed_does_not_take_the_whole_file() {
    let rows = format!("a,b,c\n1,2,3\n\"{}", "x\n".repeat(ROW_BYTES_MAX as usize));
    let mut table = Table::open(rows.as_bytes()).unwrap();
    assert!(table.next().unwrap().is_some());
    let error = table.next().err().unwrap();
    assert!(matches!(error, ImportError::RowTooLong { line: 3, .. }), "{error}");
}

#[test]
fn a_file_must_have_the_columns_of_the_map() {
    let (map, site) = (map(), "shop".parse().unwrap());
    let error = |file: &str| {
        let table = Table::open(file.as_bytes());
        table.and_then(|table| Rows::new(&map, &site, table.header(), NOW).map(|_| ())).unwrap_err()
    };
    assert!(matches!(error(""), ImportError::Empty));
    assert!(matches!(error("\n\n"), ImportError::Empty));
    let missing = error("at;who;what;price\n").to_string();
    assert!(missing.contains("\"price\"") && missing.contains("at;who;what;price"), "{missing}");
    let twice = error(&format!("{HEADER},at\n")).to_string();
    assert!(twice.contains("two columns named \"at\""), "{twice}");
}

#[test]
fn a_map_that_does_not_hold_says_why() {
    let needed = "[columns]\ntime='t'\nvisitor='v'\nname='n'\n";
    let error = |map: &str| map.parse::<Map>().unwrap_err();
    for (map, told) in [
        (String::new(), "format"),
        (format!("format='xml'\n{needed}"), "xml"),
        (format!("format='csv'\ncolour='red'\n{needed}"), "colour"),
        (format!("format='csv'\n{needed}visitors='x'\n"), "visitors"),
        ("format='csv'\n[columns]\ntime='t'\nname='n'\n".to_owned(), "visitor"),
        (format!("format='csv'\n{needed}user=' '\n"), "columns.user"),
        (format!("format='csv'\ntime_zone='X/Y'\n{needed}"), "X/Y"),
        (format!("format='csv'\ntime_format='%H'\n{needed}"), "%H"),
        (format!("format='csv'\nproperties=['a','a']\n{needed}"), "\"a\""),
        (format!("format='csv'\n{needed}[values]\nhome=' '\n"), "home"),
    ] {
        let error = chain(&error(&map));
        assert!(error.contains(told), "{told}: {error}");
        assert!(error.matches("TOML parse error").count() <= 1, "{error}");
    }
    let many: Vec<_> = (0..65).map(|number| format!("'p{number}'")).collect();
    let many = error(&format!("format='csv'\nproperties=[{}]\n{needed}", many.join(",")));
    assert!(matches!(many, MapError::TooManyProperties { count: 65 }), "{many}");
}

#[test]
fn the_example_map_holds() {
    let map: Map = include_str!("../../../examples/import/clickstream.toml").parse().unwrap();
    assert_eq!(map.columns.session.as_deref(), Some("session_id"));
}
