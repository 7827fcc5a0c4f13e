//! Where log lines go: standard error, so that standard output holds answers only.

use std::fmt::{Result, Write};
use std::io::{IsTerminal, stderr};

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::debug_fn;

#[derive(Args)]
pub(crate) struct LogArguments {
    /// What is logged: error, warn, info, debug, or a filter such as collector=debug
    #[arg(long, global = true, env = "FOOTFALL_LOG", default_value = "info")]
    log: String,
    /// How a log line is written
    #[arg(long, global = true, env = "FOOTFALL_LOG_FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

pub(crate) fn start(arguments: &LogArguments) {
    let filter = filter(&arguments.log).unwrap_or_else(|error| {
        eprintln!("--log {:?} is not a filter ({error}); logging at info", arguments.log);
        EnvFilter::new("info")
    });
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal());
    match arguments.log_format {
        LogFormat::Text => lines.with_target(false).fmt_fields(on_one_line()).init(),
        LogFormat::Json => lines.json().init(),
    }
}

/// A word that is no level would be taken for a program's part by that name, of which nothing is ever logged.
fn filter(text: &str) -> std::result::Result<EnvFilter, String> {
    let is_word = text.chars().all(char::is_alphanumeric);
    if is_word && text.parse::<LevelFilter>().is_err() {
        return Err("a level is one of off, error, warn, info, debug, trace".to_owned());
    }
    EnvFilter::try_new(text).map_err(|error| error.to_string())
}

/// The message, then `name=value`. What comes from outside (a body's parser, ClickHouse's answer) can
/// neither begin a line of its own nor speak to the terminal; the library's own format lets it do the
/// first.
fn on_one_line() -> impl for<'writer> FormatFields<'writer> + Send + Sync + 'static {
    debug_fn(|out, field, value| {
        if field.name() != "message" {
            write!(out, "{}=", field.name())?;
        }
        write!(Plain(out), "{value:?}")
    })
    .delimited(" ")
}

/// Writes control characters as Rust would in a literal, and what turns the direction of writing.
struct Plain<'a, W>(&'a mut W);

impl<W: Write> Write for Plain<'_, W> {
    fn write_str(&mut self, text: &str) -> Result {
        for character in text.chars() {
            let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if character.is_control() || turns {
                write!(self.0, "{}", character.escape_default())?;
            } else {
                self.0.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Would end the line, clear the screen, and write backwards.
    const HOSTILE: &str = "shop\r\n2026-01-01 ERROR forged\u{1b}[2J\u{9b}2J\u{202e}";

    fn log(hostile: &str) {
        let error = io::Error::other(hostile.to_owned());
        tracing::warn!(%error, site = hostile, bytes = 3, "refused {hostile}");
    }

    #[test]
    fn a_hostile_text_stays_in_its_line() {
        let lines = Lines::default();
        let written = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || written.clone())
            .with_ansi(false)
            .with_target(false)
            .fmt_fields(on_one_line())
            .finish();
        tracing::subscriber::with_default(subscriber, || log(HOSTILE));
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(!text.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{text}");
        assert!(text.contains(r"refused shop\r\n2026-01-01 ERROR forged\u{1b}[2J"), "{text}");
        assert!(text.contains(r"error=shop\r\n") && text.contains("bytes=3"), "{text}");
    }

    #[test]
    fn a_word_that_is_no_level_is_told() {
        for text in ["warning", "nonsense"] {
            assert!(filter(text).is_err(), "{text}");
        }
        for text in ["warn", "INFO", "off", "collector=debug", "warn,hyper=info"] {
            assert!(filter(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_json_line_has_the_fields_that_are_promised() {
        let lines = Lines::default();
        let written = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().with_writer(move || written.clone()).json().finish();
        tracing::subscriber::with_default(subscriber, || log(HOSTILE));
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(!text.trim_end().contains('\u{1b}'), "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        let names: Vec<_> = line.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["fields", "level", "target", "timestamp"]);
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["fields"]["message"], format!("refused {HOSTILE}"));
        assert_eq!(line["fields"]["error"], HOSTILE);
        assert_eq!(line["fields"]["bytes"], 3);
    }
}
