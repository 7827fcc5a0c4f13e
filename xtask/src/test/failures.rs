//! What failed, once more at the end: a run of all tests prints for many minutes after a test has failed.

use std::fmt::{self, Display, Formatter};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::program::show;

/// Runs `cargo test`; what it prints passes through, and what the failed tests said is printed again.
pub(super) fn run_tests(tests: &mut Command) -> Result<()> {
    let named = show(tests);
    let mut child =
        tests.stdout(Stdio::piped()).spawn().context(format!("could not run {named}"))?;
    let printed = BufReader::new(child.stdout.take().context("standard output is a pipe")?);
    let mut failures = Failures::default();
    let mut terminal = std::io::stdout();
    for line in printed.split(b'\n') {
        let line = line?;
        terminal.write_all(&line)?;
        terminal.write_all(b"\n")?;
        failures.read(&String::from_utf8_lossy(&line));
    }
    let status = child.wait()?;
    print!("{failures}");
    ensure!(status.success(), "{named} ended with {status}");
    Ok(())
}

/// Read off what `libtest` prints for people: `failures:`, then for each failed test a line
/// `---- NAME stdout ----` and what it said, then `failures:` with the names alone, then `test result: …`.
/// Backtraces are left out here: what is read of a long run is often its last lines alone.
#[derive(Default)]
struct Failures {
    said: String,
    lists: u8,
    in_backtrace: bool,
}

impl Failures {
    fn read(&mut self, line: &str) {
        match line {
            "failures:" => self.lists += 1,
            _ if line.starts_with("test result: ") => self.lists = 0,
            _ if self.lists != 1 => (),
            "stack backtrace:" => self.in_backtrace = true,
            _ => {
                self.in_backtrace &= !line.is_empty();
                if !self.in_backtrace {
                    self.said.push_str(line);
                    self.said.push('\n');
                }
            }
        }
    }
}

impl Display for Failures {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.said.trim() {
            "" => Ok(()),
            said => write!(formatter, "\nWhat failed:\n\n{said}\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(printed: &str) -> String {
        let mut failures = Failures::default();
        printed.lines().for_each(|line| failures.read(line));
        failures.to_string()
    }

    #[test]
    fn what_failed_tests_said_is_kept_of_every_program() {
        let one = "running 2 tests\ntest a ... FAILED\ntest b ... ok\n\nfailures:\n\n---- a stdout ----\n\
                   said by a\n\n\nfailures:\n    a\n\ntest result: FAILED. 1 passed; 1 failed\n";
        let other = one.replace("---- a", "---- c").replace("by a", "by c");
        let told = "\nWhat failed:\n\n---- a stdout ----\nsaid by a\n\n\n\n---- c stdout ----\nsaid by c\n";
        assert_eq!(read(&format!("{one}{other}")), told);
    }

    #[test]
    fn where_a_test_was_is_told_without_all_that_called_it() {
        let printed = "failures:\n\n---- a stdout ----\nthread 'a' panicked at a.rs:1:2:\nno\n\
                       stack backtrace:\n   0: core\n             at core.rs:3\nnote: Some details\n\n\
                       ---- b stdout ----\nsaid by b\n\nfailures:\n    a\n    b\n\ntest result: FAILED.";
        let told = "\nWhat failed:\n\n---- a stdout ----\nthread 'a' panicked at a.rs:1:2:\nno\n\n\
                    ---- b stdout ----\nsaid by b\n";
        assert_eq!(read(printed), told);
    }

    #[test]
    fn nothing_is_said_where_nothing_failed() {
        assert_eq!(read("running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed\n"), "");
    }
}
