//! `footfall explain`: why a visit was counted as it was, without a database.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use collector::Explainer;

#[derive(Args)]
pub(crate) struct Explain {
    /// A file of JSON Lines, each {"url", "referrer", "user_agent", "ip"}; standard input by default
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// A geo database (.mmdb, MaxMind's or the flat layout); several are asked in order
    #[arg(long, env = "FOOTFALL_GEO_FILE", value_delimiter = ',', value_name = "FILE")]
    geo_file: Vec<PathBuf>,
    /// A database of networks (.mmdb) by which visits from data centres are bots'; several are asked in order
    #[arg(long, env = "FOOTFALL_ASN_FILE", value_delimiter = ',', value_name = "FILE")]
    asn_file: Vec<PathBuf>,
}

impl Explain {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let input: Box<dyn BufRead> = match &self.from {
            Some(path) => Box::new(BufReader::new(
                File::open(path)
                    .with_context(|| format!("cannot read the visits {}", path.display()))?,
            )),
            None => Box::new(io::stdin().lock()),
        };
        let output = BufWriter::new(io::stdout().lock());
        let told = Explainer::open(&self.geo_file, &self.asn_file).explain(input, output)?;
        anyhow::ensure!(
            told.failed == 0,
            "{} of {} lines could not be explained",
            told.failed,
            told.lines
        );
        Ok(())
    }
}
