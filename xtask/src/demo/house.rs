//! What the demo runs: `footfall up`, and the example shop beside it.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::fetch::Fetched;
use crate::running::{Running, answers};
use crate::{place, program};

/// The engine takes 2 s to its first start; a busy machine takes longer.
const START: Duration = Duration::from_secs(90);
const DASHBOARD: &str = "http://127.0.0.1:4401";
const CLICKHOUSE: &str = "http://127.0.0.1:4402";
const SHOP: &str = "http://127.0.0.1:4404";
/// The shop's name as a site.
pub(crate) const SITE: &str = "shop";

/// Running programs, gone when this goes.
pub(crate) struct House {
    data_dir: PathBuf,
    shop: Running,
    footfall: Running,
    /// What `footfall site add` printed.
    pub(crate) tag: String,
}

impl House {
    /// Starts everything on a new data folder, so that the numbers are those of this run alone.
    pub(crate) fn start(fetched: &Fetched) -> Result<Self> {
        let data_dir = place::target().join("demo");
        if data_dir.exists() {
            std::fs::remove_dir_all(&data_dir).context("could not clear the last demo's data")?;
        }
        let mut up = Command::new(place::built("release", "footfall"));
        up.args(["--log", "warn", "up", "--data-dir"]).arg(&data_dir);
        up.arg("--clickhouse-library").arg(&fetched.engine);
        up.arg("--geo-file").arg(&fetched.geo_file);
        // The walking visitors say with X-Forwarded-For where they come from.
        up.args(["--trusted-proxy", "127.0.0.1/32"]);
        let mut footfall = Running::start(&up)?;
        footfall.line("footfall is up", START)?;
        let mut add = Command::new(place::built("release", "footfall"));
        add.args(["site", "add", SITE, "--origin", SHOP, "--data-dir"]).arg(&data_dir);
        let tag = program::output(&mut add)?.trim().to_owned();
        let mut serve = Command::new(place::built("release", "example-shop"));
        serve.args(["serve", "--listen", "127.0.0.1:4404", "--tag", &tag]);
        let shop = Running::start(&serve)?;
        answers(&format!("{SHOP}/"), START)?;
        // The collector reads the sites anew every few seconds.
        answers(&format!("http://127.0.0.1:4400/s/{SITE}.js"), START)?;
        Ok(Self { data_dir, shop, footfall, tag })
    }

    /// Runs another command of the program on the same data, shows it, and gives what it printed.
    pub(crate) fn footfall(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(place::built("release", "footfall"));
        command.args(arguments).args(["--log", "warn", "--data-dir"]).arg(&self.data_dir);
        program::output(&mut command)
    }

    /// The same, shown as one would type it, with what it printed below.
    pub(crate) fn show(&self, arguments: &[&str]) -> Result<String> {
        println!("$ footfall {}", arguments.iter().map(quoted).collect::<Vec<_>>().join(" "));
        let printed = self.footfall(arguments)?;
        println!("{}", printed.trim_end());
        Ok(printed)
    }

    /// The same, read as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Result<serde_json::Value> {
        let printed = self.footfall(&[arguments, &["--format", "json"]].concat())?;
        serde_json::from_str(&printed).with_context(|| format!("not JSON: {printed}"))
    }

    pub(crate) fn shop_url(&self) -> &'static str {
        SHOP
    }

    /// Where to look now, each seen to answer.
    pub(crate) fn addresses(&self) -> Result<()> {
        super::heading("Open");
        let page = format!("{DASHBOARD}/sites/{SITE}");
        answers(&page, START)?;
        println!("dashboard   {page}");
        println!("API         {DASHBOARD}/api/v1/traffic/pages?site={SITE}");
        println!("shop        {SHOP}");
        println!(
            "SQL         curl {CLICKHOUSE} --data 'SELECT count() FROM footfall.events FINAL'"
        );
        Ok(())
    }

    /// Stays up until the person at the keyboard ends it.
    pub(crate) fn stay(self) -> Result<()> {
        println!("\nCtrl-C ends the demo.");
        self.footfall.wait()
    }

    /// Ends the programs in order: the shop first, then the collector drains.
    pub(crate) fn stop(self) -> Result<()> {
        self.shop.stop()?;
        self.footfall.stop()
    }
}

fn quoted(word: &&str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=".contains(c);
    if word.chars().all(plain) { (*word).to_owned() } else { format!("'{word}'") }
}
