//! A program started under the guard, when the one that started it is killed.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::XTASK;

#[test]
fn a_guarded_program_ends_when_its_parent_is_killed() {
    let started = Instant::now();
    let script = format!("{XTASK} guard --parent $$ -- sh -c 'echo here; exec sleep 60' & wait");
    let mut parent =
        Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(parent.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "here\n");

    parent.kill().unwrap();
    parent.wait().unwrap();
    // The pipe ends when nobody is left who could write to it.
    output.read_to_string(&mut line).unwrap();
    assert!(started.elapsed() < Duration::from_secs(50), "it ran to its own end");
}

#[test]
fn a_guarded_program_does_not_start_for_another_parent() {
    let mut guard = Command::new(XTASK);
    let output = guard.args(["guard", "--parent", "1", "--", "echo", "here"]).output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
}
