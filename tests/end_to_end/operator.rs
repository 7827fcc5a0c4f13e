//! What an operator types, and is told.

use std::io::Write;
use std::process::Stdio;

use footfall_tests::{Stack, footfall};

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
