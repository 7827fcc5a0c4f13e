//! What an operator types, and is told.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use anyhow::ensure;
use footfall_tests::{Footfall, Stack, eventually, footfall};
use serde_json::{Value, json};

/// Runs a command on the stack's data, and gives its whole outcome.
fn run(stack: &Stack, arguments: &[&str]) -> Footfall {
    Footfall::run(&[arguments, &["--data-dir", stack.folder()]].concat()).unwrap()
}

#[test]
fn what_another_add_takes_away_is_told() {
    let stack = Stack::up(&[]).unwrap();
    let add = ["site", "add", "shop", "--origin", "https://shop.example"];
    let full = [&add[..], &["--exclude", "path=/admin", "--consent", "analytics=denied"]].concat();
    for _ in 0..2 {
        let made = run(&stack, &full);
        assert_eq!((made.code, made.errors.as_str()), (Some(0), ""));
    }
    let other = ["site", "add", "shop", "--origin", "https://www.shop.example"];
    let told = run(&stack, &other);
    assert_eq!(told.code, Some(0), "{}", told.errors);
    let lines: Vec<_> = told.errors.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "taken away: --origin https://shop.example",
            "taken away: --exclude path=/admin",
            "taken away: --consent analytics=denied",
        ]
    );
    assert!(lines.len() == 4 && lines[3].contains("give these again"), "{}", told.errors);
    let help = Footfall::printed(&["site", "add", "--help"]).unwrap();
    assert!(help.contains("taken away"), "{help}");
}

#[test]
fn a_site_that_was_never_made_has_no_answer() {
    let stack = Stack::up(&[]).unwrap();
    let commands = [
        &["funnel", "--step", "a"][..],
        &["interests"],
        &["traffic", "visitors"],
        &["traffic", "pages"],
        &["traffic", "countries"],
        &["segment", "count", "--rule", "did a"],
        &["segment", "members", "--rule", "did a"],
        &["audience", "export", "--rule", "did a", "--destination", "google"],
        &["privacy", "suppress", "--email", "ana@example.com"],
    ];
    for command in commands {
        let refused = run(&stack, &[command, &["--site", "nosite"]].concat());
        assert_eq!((refused.code, refused.printed.as_str()), (Some(1), ""), "{command:?}");
        assert!(refused.errors.contains("there is no site nosite"), "{}", refused.errors);
        assert!(refused.errors.contains("footfall site list"), "{}", refused.errors);
    }
}

#[test]
fn mended_letters_are_taken_back_by_the_same_command_however_often() {
    let stack = Stack::up(&["--keep-dropped-bytes-max", "1000000"]).unwrap();
    stack.site("shop", "https://shop.example").unwrap();
    let events: Vec<_> = (0..3).map(malformed).collect();
    let batch = json!({"site": "shop", "sent_at": now(), "events": events}).to_string();
    let answered = ureq::post(format!("{}/v1/events", stack.collector)).send(batch).unwrap();
    assert_eq!(answered.status().as_u16(), 202);
    let list = || run(&stack, &["dead-letters", "list"]).printed;
    eventually(Duration::from_secs(60), || {
        let listed = list();
        ensure!(listed.lines().count() == 3, "not three letters: {listed}");
        Ok(())
    })
    .unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let shown = run(&stack, &["dead-letters", "show", "--all"]).printed;
    std::fs::write(file.path(), shown.replace("no address", "https://shop.example/")).unwrap();
    let mended = ["dead-letters", "replay", "--mended", file.path().to_str().unwrap()];

    // As if the first run had been killed after one of them.
    let letter: Value = serde_json::from_str(list().lines().next().unwrap()).unwrap();
    let id = letter["id"].as_str().unwrap();
    let of_one = tempfile::NamedTempFile::new().unwrap();
    let mended_file = std::fs::read_to_string(file.path()).unwrap();
    let line = mended_file.lines().find(|line| line.contains(id)).unwrap();
    std::fs::write(of_one.path(), line).unwrap();
    let one = ["dead-letters", "replay", "--mended", of_one.path().to_str().unwrap()];
    assert_eq!(run(&stack, &one).code, Some(0));

    let again = run(&stack, &mended);
    assert_eq!(again.code, Some(0), "{}", again.errors);
    assert_eq!(again.printed.matches("is in ClickHouse").count(), 2, "{}", again.printed);
    assert!(again.errors.contains(&format!("{id} is passed over")), "{}", again.errors);
    let third = run(&stack, &mended);
    assert_eq!((third.code, third.errors.lines().count()), (Some(0), 4), "{}", third.errors);
    // The test's own user agent is no browser's.
    let stored = "SELECT uniqExact(event_id) AS events, count() AS rows FROM (
            SELECT event_id FROM footfall.events FINAL UNION ALL
            SELECT event_id FROM footfall.bot_events FINAL
        )";
    let stored = stack.rows(stored).unwrap().remove(0);
    assert_eq!(stored.to_string().matches('3').count(), 2, "{stored}");

    let unknown = run(&stack, &["dead-letters", "replay", "beef"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.errors.contains("there is no dead letter beef"), "{}", unknown.errors);
}

/// A page view whose address is none.
fn malformed(number: u32) -> Value {
    let id = |kind: u32| format!("0190f5fe-7c00-7000-8000-{kind:04}{number:08}");
    json!({
        "id": id(1), "type": "page_view", "at": now(),
        "visitor": id(2), "session": id(3), "url": "no address",
    })
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

#[test]
fn who_stops_reading_ends_no_command_with_a_panic() {
    let stack = Stack::up(&[]).unwrap();
    stack.site("shop", "https://shop.example").unwrap();
    let commands = [
        &["site", "list"][..],
        &["traffic", "visitors", "--site", "shop"],
        &["traffic", "visitors", "--site", "shop", "--format", "json"],
        &["traffic", "visitors", "--site", "shop", "--format", "csv"],
        &["link", "--site", "shop", "--to", "https://shop.example/"],
        &["migrate"],
    ];
    for command in commands {
        unread(&[command, &["--data-dir", stack.folder()]].concat(), b"");
    }
    unread(&["explain"], b"{}\n{}\n");
}

/// Runs a command whose standard output is closed at the other end.
fn unread(arguments: &[&str], input: &[u8]) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = footfall(arguments).unwrap();
    command.stdin(Stdio::piped()).stdout(writer).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let ended = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert_eq!((ended.status.code(), &*errors), (Some(0), ""), "{arguments:?}");
}

#[test]
fn too_small_a_spool_is_told_with_the_number_given_and_the_least() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let collect = ["collect", "--data-dir", data, "--clickhouse-url", "http://127.0.0.1:9/f"];
    let refused = Footfall::run(&[&collect[..], &["--spool-bytes-max", "16777216"]].concat());
    let refused = refused.unwrap();
    assert_eq!(refused.code, Some(64), "{}", refused.errors);
    let told = "--spool-bytes-max is 16777216, but must be at least twice --flush-bytes, \
                which is 33554432";
    assert!(refused.errors.contains(told), "{}", refused.errors);
}

#[test]
fn a_bad_import_map_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("m.toml");
    std::fs::write(&map, "at = [").unwrap();
    let map = map.to_str().unwrap();
    let refused =
        Footfall::run(&["import", "events", "--from", map, "--map", map, "--site", "shop"])
            .unwrap();
    assert_eq!(refused.code, Some(1), "{}", refused.errors);
    assert_eq!(refused.errors.matches("TOML parse error").count(), 1, "{}", refused.errors);
    assert!(refused.errors.contains("examples/import/clickstream.toml"), "{}", refused.errors);
}
