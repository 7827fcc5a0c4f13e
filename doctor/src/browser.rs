//! The browser's process: headless, with an empty profile that ends with it.

use std::env;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::DoctorError;

/// How long a browser may take to come up on a busy machine.
const START: Duration = Duration::from_secs(30);
/// By these names it is on the path, or where macOS keeps it.
const NAMES: [&str; 8] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
/// Nothing of its own on the network, and no profile of the user's. Without its own sandbox, because it
/// must run as root in a container; it opens one page, which the user names.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
];
const SAYS: &str = "DevTools listening on ";

/// A browser, which ends with this value.
#[derive(Debug)]
pub struct Browser {
    process: Child,
    /// Where its protocol is spoken.
    pub address: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts it, and waits until its protocol is spoken.
    ///
    /// # Errors
    /// Where there is none, or it does not come up.
    pub async fn start() -> Result<Self, DoctorError> {
        let program = program().ok_or(DoctorError::NoBrowser)?;
        let failed =
            |source| DoctorError::NotStarted { program: program.display().to_string(), source };
        let profile = tempfile::tempdir().map_err(failed)?;
        let mut process = Command::new(&program)
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let silent = || DoctorError::Silent(format!("{} says no address", program.display()));
        let mut lines = BufReader::new(process.stderr.take().ok_or_else(silent)?).lines();
        let address = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(address) = line.strip_prefix(SAYS) {
                    return Some(address.to_owned());
                }
            }
            None
        };
        let address = timeout(START, address).await.ok().flatten().ok_or_else(silent)?;
        // Read on, or the browser stops when the pipe is full.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { process, address, _profile: profile })
    }

    /// Ends it, and waits until it is gone: its profile is deleted after that.
    pub async fn stop(mut self) {
        // One that has ended by itself is gone too.
        self.process.kill().await.ok();
    }
}

fn program() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHROME") {
        return Some(PathBuf::from(named));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let candidates =
        NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates
        .map(|file| file.with_extension(env::consts::EXE_EXTENSION))
        .find(|file| file.is_file())
}
