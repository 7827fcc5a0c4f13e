//! The collector's settings: as they are given, and as they were checked.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use hyper::header::HeaderName;
use ipnet::IpNet;
use jiff::SignedDuration;

use crate::archive::{self, ArchiveConfig};
use crate::clock::{Clock, SystemClock};
use crate::enrich::EnrichFiles;
use crate::error::StartError;
use crate::gate::{GateConfig, GateSettings};
use crate::handle::Handle;
use crate::link::LinkKey;
use crate::receive::{Assets, PlaceHeaders, TrustedProxy};
use crate::run::KNOWN_TIMEOUT;
use crate::spool::{Durability, Limits};
use crate::tls::{LiveTls, TlsFiles};

/// Room for one of the largest requests and then some; less than this could never take a batch.
const SPOOL_BYTES_MIN: u64 = 16 * 1024 * 1024;

/// The collector's flags.
#[derive(Args, Clone, Debug)]
pub struct CollectorConfig {
    /// Where browsers and servers send events
    #[arg(
        long,
        env = "FOOTFALL_COLLECTOR_LISTEN",
        default_value = "127.0.0.1:4400",
        value_name = "ADDRESS"
    )]
    collector_listen: SocketAddr,
    /// A geo database (.mmdb, MaxMind's or the flat layout); several are asked in order
    #[arg(long, env = "FOOTFALL_GEO_FILE", value_delimiter = ',', value_name = "FILE")]
    geo_file: Vec<PathBuf>,
    /// A database of networks (.mmdb) by which visits from data centres are set apart as bots'; several are asked in order
    #[arg(long, env = "FOOTFALL_ASN_FILE", value_delimiter = ',', value_name = "FILE")]
    asn_file: Vec<PathBuf>,
    /// Rates of exchange (.csv, the European Central Bank's eurofxref-hist.csv or a table like it), for sites
    /// that report in one currency
    #[arg(long, env = "FOOTFALL_CURRENCY_FILE", value_name = "FILE")]
    currency_file: Option<PathBuf>,
    /// Whose headers tell where a visitor is: cloudflare, cloudfront, vercel, or the headers' own names
    /// (country=X-Country,region=X-Region,city=X-City); believed from a trusted proxy only
    #[arg(long, env = "FOOTFALL_PLACE_HEADERS", value_parser = PlaceHeaders::parse, value_name = "PROXY")]
    place_headers: Option<PlaceHeaders>,
    /// Page views of one visitor in a minute above which it is a bot, counted by each collector for
    /// itself; 0 sets no limit
    #[arg(
        long,
        env = "FOOTFALL_PAGE_VIEWS_PER_MINUTE_MAX",
        default_value_t = 300,
        value_name = "COUNT"
    )]
    page_views_per_minute_max: u16,
    /// The certificate for TLS, with those that lead to a root after it (PEM); read again when it changes
    #[arg(long, env = "FOOTFALL_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, env = "FOOTFALL_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// A proxy whose word for the visitor's address is taken: an address, a network, or one of loopback,
    /// private, cloudflare, fastly, google; none by default
    #[arg(long, env = "FOOTFALL_TRUSTED_PROXY", value_delimiter = ',', value_parser = TrustedProxy::parse, value_name = "CIDR")]
    trusted_proxy: Vec<TrustedProxy>,
    /// The header in which a trusted proxy names the visitor's address, in place of X-Forwarded-For; one that
    /// it always sets itself, such as CF-Connecting-IP
    #[arg(long, env = "FOOTFALL_CLIENT_ADDRESS_HEADER", value_name = "NAME")]
    client_address_header: Option<HeaderName>,
    /// Who may read `/metrics`: an address, a network, or one of loopback, private
    #[arg(long, env = "FOOTFALL_METRICS_FROM", value_delimiter = ',', value_parser = TrustedProxy::parse, default_value = "loopback,private", value_name = "CIDR")]
    metrics_from: Vec<TrustedProxy>,
    /// The key by which redirect links are signed, one for all collectors of a site [default: `link.key`
    /// in the data folder, made where it is missing]
    #[arg(long, env = "FOOTFALL_LINK_KEY_FILE", value_name = "FILE")]
    link_key_file: Option<PathBuf>,
    /// What an answered event survives: the end of the process, or of the machine (fsync)
    #[arg(long, env = "FOOTFALL_DURABILITY", value_enum, default_value_t)]
    durability: Durability,
    /// Bytes the spool may hold while ClickHouse is away; then events are refused with 503
    #[arg(long, env = "FOOTFALL_SPOOL_BYTES_MAX", default_value_t = 4 * 1024 * 1024 * 1024, value_name = "BYTES")]
    spool_bytes_max: u64,
    /// Bytes of rows that ClickHouse refused and nobody has replayed yet; further blocks with such rows
    /// are set aside whole
    #[arg(long, env = "FOOTFALL_DEAD_LETTERS_BYTES_MAX", default_value_t = 64 * 1024 * 1024, value_name = "BYTES")]
    dead_letters_bytes_max: u64,
    /// Bytes of events that were left out for their form, kept for 30 days to be mended and replayed; 0
    /// keeps none
    #[arg(
        long,
        env = "FOOTFALL_KEEP_DROPPED_BYTES_MAX",
        default_value_t = 0,
        value_name = "BYTES"
    )]
    keep_dropped_bytes_max: u64,
    #[command(flatten)]
    archive: ArchiveConfig,
    /// Rows of one insert, at most
    #[arg(long, env = "FOOTFALL_FLUSH_ROWS", default_value_t = 50_000, value_name = "ROWS")]
    flush_rows: u64,
    /// Bytes of one insert, at most, as they lie in the spool
    #[arg(long, env = "FOOTFALL_FLUSH_BYTES", default_value_t = 16 * 1024 * 1024, value_name = "BYTES")]
    flush_bytes: u64,
    /// How long an event waits for others before it is inserted
    #[arg(long, env = "FOOTFALL_FLUSH_AGE", default_value = "1s", value_parser = duration, value_name = "TIME")]
    flush_age: Duration,
    /// Connections at a time; when there are more, idle ones are closed, then those whose body does not come or
    /// trickles, and where there is none, new ones wait to be accepted
    #[arg(long, env = "FOOTFALL_CONNECTIONS_MAX", default_value_t = 4096, value_name = "COUNT")]
    connections_max: usize,
    /// How long a client may take for a request's head, and may keep a connection idle
    #[arg(long, env = "FOOTFALL_HEADER_TIMEOUT", default_value = "30s", value_parser = duration, value_name = "TIME")]
    header_timeout: Duration,
    /// How long a client may take for a request's body
    #[arg(long, env = "FOOTFALL_BODY_TIMEOUT", default_value = "15s", value_parser = duration, value_name = "TIME")]
    body_timeout: Duration,
    #[command(flatten)]
    gate: GateConfig,
    /// How long a stop waits for ClickHouse to take what is spooled; the rest waits for the next start
    #[arg(long, env = "FOOTFALL_DRAIN_TIMEOUT", default_value = "10s", value_parser = duration, value_name = "TIME")]
    drain_timeout: Duration,
}

/// Settings that fit together.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) files: EnrichFiles,
    pub(crate) place_headers: Option<PlaceHeaders>,
    pub(crate) page_views_per_minute_max: u16,
    pub(crate) tls: Option<Arc<LiveTls>>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) client_address_header: Option<HeaderName>,
    pub(crate) metrics_from: Vec<IpNet>,
    pub(crate) durability: Durability,
    pub(crate) limits: Limits,
    pub(crate) dead_letters_bytes_max: u64,
    pub(crate) keep_dropped_bytes_max: u64,
    pub(crate) archive: archive::Limits,
    pub(crate) connections_max: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) gate: GateSettings,
    pub(crate) drain_timeout: Duration,
    pub(crate) assets: Assets,
    pub(crate) link_key: LinkKey,
    pub(crate) known_timeout: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) handle: Handle,
}

impl CollectorConfig {
    /// Where the collector will listen.
    #[must_use]
    pub const fn listen(&self) -> SocketAddr {
        self.collector_listen
    }

    /// Checks the settings; the spool and the copy of the sites will lie under the folder.
    ///
    /// # Errors
    /// When two settings do not fit together, there is no key for links, or the program was built without
    /// the tracker.
    pub fn check(self, data_dir: &Path) -> Result<Settings, StartError> {
        let assets = Assets::built_in().ok_or(StartError::NoTracker)?;
        self.check_with(data_dir, assets)
    }

    /// As [`check`](Self::check), with a tracker from elsewhere than the program itself.
    ///
    /// # Errors
    /// When two settings do not fit together, or there is no key for links.
    pub fn check_with(self, data_dir: &Path, assets: Assets) -> Result<Settings, StartError> {
        let at_least_one = |setting, value: u64| {
            if value >= 1 {
                Ok(())
            } else {
                let rule = String::from("must be at least 1");
                Err(StartError::Setting { setting, value: value.to_string(), rule })
            }
        };
        at_least_one("--flush-rows", self.flush_rows)?;
        at_least_one("--flush-bytes", self.flush_bytes)?;
        at_least_one("--connections-max", self.connections_max as u64)?;
        self.check_spool_bytes()?;
        let archive = self.archive.limits(self.flush_bytes)?;
        if self.place_headers.is_some() && self.trusted_proxy.is_empty() {
            return Err(StartError::Setting {
                setting: "--place-headers",
                value: "given".to_owned(),
                rule: "needs --trusted-proxy: anybody else could write them".to_owned(),
            });
        }
        let tls = self.tls_cert.zip(self.tls_key).map(|(cert, key)| {
            LiveTls::open(TlsFiles { cert, key }).map(Arc::new).map_err(StartError::Tls)
        });
        Ok(Settings {
            listen: self.collector_listen,
            data_dir: data_dir.to_owned(),
            files: EnrichFiles {
                geo: self.geo_file,
                asn: self.asn_file,
                currency: self.currency_file,
            },
            place_headers: self.place_headers,
            page_views_per_minute_max: self.page_views_per_minute_max,
            tls: tls.transpose()?,
            trusted_proxies: self.trusted_proxy.iter().flat_map(TrustedProxy::networks).collect(),
            client_address_header: self.client_address_header,
            metrics_from: self.metrics_from.iter().flat_map(TrustedProxy::networks).collect(),
            durability: self.durability,
            limits: Limits {
                block_rows_max: self.flush_rows,
                block_bytes_max: self.flush_bytes,
                block_age_max: self.flush_age,
                bytes_max: self.spool_bytes_max,
            },
            dead_letters_bytes_max: self.dead_letters_bytes_max,
            keep_dropped_bytes_max: self.keep_dropped_bytes_max,
            archive,
            connections_max: self.connections_max,
            header_timeout: self.header_timeout,
            body_timeout: self.body_timeout,
            gate: self.gate.settings(),
            drain_timeout: self.drain_timeout,
            assets,
            link_key: LinkKey::open(self.link_key_file.as_deref(), data_dir)?,
            known_timeout: KNOWN_TIMEOUT,
            clock: Arc::new(SystemClock),
            handle: Handle::default(),
        })
    }

    /// Room for a batch, and for one block that is filled while another goes in.
    fn check_spool_bytes(&self) -> Result<(), StartError> {
        let min = self.flush_bytes.saturating_mul(2).max(SPOOL_BYTES_MIN);
        if self.spool_bytes_max >= min {
            return Ok(());
        }
        Err(StartError::Setting {
            setting: "--spool-bytes-max",
            value: self.spool_bytes_max.to_string(),
            rule: match min {
                SPOOL_BYTES_MIN => format!("must be at least {min} (16 MiB)"),
                _ => format!("must be at least twice --flush-bytes, which is {min}"),
            },
        })
    }
}

impl Settings {
    /// Where the collector listens, if whoever runs it does as it was told.
    #[must_use]
    pub const fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// How the collector's address begins: `http`, or `https` with a certificate.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Holds the collector that will run with these settings.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Takes the time of day from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Waits so long at the start for each thing that ClickHouse has to tell, in place of two seconds. For who
    /// begins with an empty folder, and rather waits than refuses events of sites that are not known yet.
    #[must_use]
    pub const fn with_known_timeout(mut self, timeout: Duration) -> Self {
        self.known_timeout = timeout;
        self
    }
}

/// `500ms`, `1s`, `2 minutes`.
fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    duration.try_into().map_err(|_| "a time cannot be negative".to_owned())
}
