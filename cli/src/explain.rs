//! `footfall explain`: why a visit was counted as it was, without a database.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use collector::{EnrichFiles, Explainer};
use store::site::{CategoryRule, Currency, PlaceDetail, SiteSettings};

use crate::output::unheard;

#[derive(Args)]
pub(crate) struct Explain {
    /// A file of JSON Lines, each {"url", "referrer", "user_agent", "ip"}, and "headers", "properties", "consent",
    /// "categories", "webdriver" and "at" where there are any; standard input by default
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// A geo database (.mmdb, MaxMind's or the flat layout); several are asked in order
    #[arg(long, env = "FOOTFALL_GEO_FILE", value_delimiter = ',', value_name = "FILE")]
    geo_file: Vec<PathBuf>,
    /// A database of networks (.mmdb) by which visits from data centres are bots'; several are asked in order
    #[arg(long, env = "FOOTFALL_ASN_FILE", value_delimiter = ',', value_name = "FILE")]
    asn_file: Vec<PathBuf>,
    /// Rates of exchange (.csv, as the European Central Bank's eurofxref-hist.csv)
    #[arg(long, env = "FOOTFALL_CURRENCY_FILE", value_name = "FILE")]
    currency_file: Option<PathBuf>,
    /// As the site's: how much is kept of where visitors are
    #[arg(long, value_enum, default_value_t, value_name = "DETAIL")]
    place: PlaceDetail,
    /// As the site's: what pages are about where an event does not say it; may be repeated
    #[arg(long, value_name = "PATH=CATEGORY")]
    category: Vec<CategoryRule>,
    /// As the site's: the money in which values are reported
    #[arg(long, value_name = "ISO 4217")]
    currency: Option<Currency>,
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
        let files =
            EnrichFiles { geo: self.geo_file, asn: self.asn_file, currency: self.currency_file };
        let site = SiteSettings {
            place: self.place,
            categories: self.category,
            currency: self.currency,
            ..SiteSettings::default()
        };
        let told = unheard(Explainer::open(&files, &site).explain(input, output))?;
        anyhow::ensure!(
            told.failed == 0,
            "{} of {} lines could not be explained",
            told.failed,
            told.lines
        );
        Ok(())
    }
}
