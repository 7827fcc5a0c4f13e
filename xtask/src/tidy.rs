//! What no lint can say: names, lengths, first lines, and that documents name what is there.
//!
//! Every file that is committed, or would be, is looked at.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::place::root;
use crate::program::output;

/// Lines of code in a file, its inline tests not counted: more is two files.
const LINES_MAX: usize = 500;
/// Names that do not say what is inside.
const BANNED_NAMES: [&str; 8] =
    ["utils", "common", "helpers", "types", "constants", "misc", "manager", "v2"];
/// Work put off belongs in an issue. In two parts, as this file is looked at too.
const PUT_OFF: [&str; 2] = [concat!("FIX", "ME"), concat!("TO", "DO")];
/// Hosts and folders of one machine's making: whoever clones has others.
const MACHINE: [&str; 8] = [
    concat!("registry.npm", "js.org"),
    concat!("npm", "js.com"),
    concat!("registry.yarn", "pkg.com"),
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("deb.debian", ".org"),
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
];

/// Committed files and new ones that git does not ignore, as paths from the root.
fn files() -> BTreeSet<String> {
    let mut git = Command::new("git");
    git.current_dir(root()).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let listed = output(&mut git).expect("git lists the files");
    let there = listed.lines().filter(|file| root().join(file).is_file());
    there.map(str::to_owned).collect()
}

/// The files that are text, with their text.
fn texts() -> Vec<(String, String)> {
    let read = |file: String| {
        let text = String::from_utf8(std::fs::read(root().join(&file)).unwrap()).ok()?;
        Some((file, text))
    };
    files().into_iter().filter_map(read).collect()
}

fn sources() -> Vec<(String, String)> {
    let sources: Vec<_> = texts().into_iter().filter(|(file, _)| file.ends_with(".rs")).collect();
    assert!(sources.len() > 20, "git lists only {} .rs files", sources.len());
    sources
}

fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// Lines up to the inline tests.
fn code_lines(text: &str) -> usize {
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text.get(..tests).map_or(0, |code| code.lines().count())
}

/// Words in backticks that are paths from the root: with a slash, below a folder that is there.
fn paths_named(document: &str) -> impl Iterator<Item = &str> {
    let in_backticks = document.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    in_backticks.filter(|word| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        let folder = word.split_once('/').map(|(folder, _)| folder);
        let ours = |folder: &str| !folder.is_empty() && root().join(folder).is_dir();
        word.chars().all(plain) && folder.is_some_and(ours)
    })
}

#[test]
fn every_source_says_why_it_is_there() {
    let says = |text: &str| text.starts_with("//!") || text.starts_with("#![doc");
    let silent: Vec<_> =
        sources().into_iter().filter(|(_, text)| !says(text)).map(|s| s.0).collect();
    assert_none(&silent, "a file opens with //!");
}

#[test]
fn no_source_is_too_long() {
    let is_test =
        |file: &str| Path::new(file).iter().any(|part| part == "tests" || part == "tests.rs");
    let long = sources().into_iter().filter(|(file, _)| !is_test(file));
    let long = long.map(|(file, text)| (file, code_lines(&text)));
    let long: Vec<_> = long
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(file, lines)| format!("{file}: {lines}"))
        .collect();
    assert_none(&long, &format!("a file has at most {LINES_MAX} lines, its tests not counted"));
}

#[test]
fn every_name_says_what_is_inside() {
    let stem = |part: &str| part.split('.').next().map(str::to_owned);
    let banned = |file: &String| {
        file.split('/').filter_map(stem).any(|stem| BANNED_NAMES.contains(&stem.as_str()))
    };
    let named: Vec<_> = files().into_iter().filter(banned).collect();
    assert_none(&named, "a name says what is inside");
}

#[test]
fn nothing_is_put_off_in_a_comment() {
    assert_none(&lines_with(&PUT_OFF), "work put off belongs in an issue");
}

/// A backspace in a pattern looks like nothing at all.
#[test]
fn no_text_has_a_character_that_cannot_be_seen() {
    let unseen = |c: char| c.is_ascii_control() && !"\n\t".contains(c);
    let mut found = Vec::new();
    for (file, text) in texts() {
        let lines = text.lines().enumerate().filter(|(_, line)| line.contains(unseen));
        found.extend(lines.map(|(number, _)| format!("{file}:{}", number + 1)));
    }
    assert_none(&found, "a control character is written as an escape");
}

#[test]
fn nothing_names_one_machine() {
    assert_none(&lines_with(&MACHINE), "a registry's host or one machine's path");
}

fn lines_with(words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{file}:{}", number + 1));
            }
        }
    }
    found
}

#[test]
fn the_architecture_names_what_is_there() {
    let document = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let named: Vec<_> = paths_named(&document).collect();
    assert!(named.len() > 10, "only {} paths are named", named.len());
    let gone = named.into_iter().filter(|path| !root().join(path).exists());
    assert_none(&gone.map(str::to_owned).collect::<Vec<_>>(), "a path in docs/ARCHITECTURE.md");
}

#[test]
fn the_changelog_has_a_place_for_the_next_line() {
    let changelog = std::fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    assert!(changelog.lines().any(|line| line.starts_with("## ") && line.contains("Unreleased")));
}

#[test]
fn inline_tests_are_not_counted() {
    assert_eq!(code_lines("//! Why.\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n}\n"), 3);
    assert_eq!(code_lines("//! Why.\n#[cfg(test)]\nmod tests;\n"), 3);
}

#[test]
fn paths_are_told_from_other_words() {
    let document =
        "`wire/` and `xtask/src/tidy.rs`, not `/v1/events`, `a/b`, `wire::Batch`, `cargo xtask`";
    assert_eq!(paths_named(document).collect::<Vec<_>>(), ["wire/", "xtask/src/tidy.rs"]);
}
