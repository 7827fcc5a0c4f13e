#![doc = include_str!("../README.md")]

pub mod browser;
pub mod devtools;
mod report;
mod visit;

use std::time::Duration;

use thiserror::Error;
use url::Url;

pub use report::{Finding, Report, State};

/// Why a page could not be examined at all.
#[derive(Debug, Error)]
pub enum DoctorError {
    /// No browser was found.
    #[error(
        "no Chromium, Chrome or Edge is on the path: install one, or name its program with CHROME"
    )]
    NoBrowser,
    /// The browser could not be started.
    #[error("{program} does not start")]
    NotStarted {
        /// The browser.
        program: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The browser ended, or said nothing in time.
    #[error("the browser does not answer: {0}")]
    Silent(String),
    /// The browser refused a command.
    #[error("the browser refuses {command}: {message}")]
    Refused {
        /// By its name in the protocol.
        command: &'static str,
        /// In the browser's words.
        message: String,
    },
}

/// What the visitor says when the page asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// That they agree to everything.
    Granted,
    /// That they agree to nothing.
    Denied,
}

/// Examines a page: at most `patience` for it to load, and as long again for the tracker, and once more
/// where the visitor has an `answer`; without one they are somebody who has just come.
///
/// # Errors
/// Where there is no browser that can be driven; a page that cannot be opened is a finding.
pub async fn examine(
    url: &Url,
    answer: Option<Answer>,
    patience: Duration,
) -> Result<Report, DoctorError> {
    let visit = visit::Visit::to(url, answer, patience).await?;
    Ok(Report::of(url, &visit))
}
