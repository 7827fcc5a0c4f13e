//! What an operator types, and is told.

use std::io::Write;
use std::process::Stdio;

use footfall_tests::{Footfall, Stack, footfall};

/// Runs a command on the stack's data, and gives its whole outcome.
fn run(stack: &Stack, arguments: &[&str]) -> Footfall {
    Footfall::run(&[arguments, &["--data-dir", stack.folder()]].concat()).unwrap()
}

#[test]
fn a_site_that_was_never_made_has_no_answer() {
    let stack = Stack::up(&[]).unwrap();
    let questions = [
        &["funnel", "--step", "a"][..],
        &["interests"],
        &["traffic", "visitors"],
        &["traffic", "pages"],
        &["traffic", "countries"],
        &["segment", "count", "--rule", "did a"],
        &["segment", "members", "--rule", "did a"],
    ];
    for question in questions {
        let refused = run(&stack, &[question, &["--site", "nosite"]].concat());
        assert_eq!((refused.code, refused.printed.as_str()), (Some(1), ""), "{question:?}");
        assert!(refused.errors.contains("there is no site nosite"), "{}", refused.errors);
        assert!(refused.errors.contains("footfall site list"), "{}", refused.errors);
    }
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
