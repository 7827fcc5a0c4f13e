//! One run of the load.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::core;
use crate::{place, program};

/// Connections of the load: enough that the server is never idle.
const CONNECTIONS: &str = "32";

/// What is sent.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) events_per_request: u32,
    pub(super) seconds: f64,
    /// Events a second; as fast as they are answered where there is none.
    pub(super) rate: Option<f64>,
}

/// What `bench-load` prints.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Measured {
    /// With those of the warm-up.
    pub(super) events_sent: u64,
    pub(super) events_per_second: f64,
    pub(super) p99_us: u64,
    refused: u64,
}

impl Load {
    /// Sends it to the address from a core of its own.
    pub(super) fn run(self, profile: &str, address: &str) -> Result<Measured> {
        core::stay_on(core::LOAD)?;
        let mut command = Command::new(place::built(profile, "bench-load"));
        command.args(["--address", address, "--connections", CONNECTIONS]);
        command.args(["--events", &self.events_per_request.to_string()]);
        command.args(["--seconds", &self.seconds.to_string()]);
        if let Some(rate) = self.rate {
            command.args(["--rate", &rate.to_string()]);
        }
        let printed = program::output(&mut command)?;
        let measured: Measured = serde_json::from_str(&printed).context("not the load's line")?;
        ensure!(measured.refused == 0, "{} requests were refused", measured.refused);
        Ok(measured)
    }
}
