//! What the operator asks: whether the collector can do its work, and what it has counted.

use std::net::SocketAddr;

use hyper::StatusCode;
use hyper::header::HeaderMap;

use crate::error::Rejection;
use crate::health::Certificate;
use crate::metrics::Now;
use crate::receive::is_trusted;
use crate::receive::respond::{self, Answered};
use crate::server::Door;

impl Door {
    /// Whether an event taken now will be in ClickHouse soon.
    pub(crate) fn ready(&self) -> Answered {
        let sites = self.pipeline.sites.table().len();
        let now = self.pipeline.clock.now_millis();
        let expires_at = self.settings.tls.as_ref().and_then(|tls| tls.expires_at());
        let certificate = expires_at.map(|expires_at| Certificate::new(expires_at, now));
        let readiness = self.health.readiness(&self.pipeline.spool, self.dead.fill(), sites);
        let readiness = readiness.with_certificate(certificate);
        let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        respond::json(status, &readiness)
    }

    /// What is counted, for whoever may read it: how many visitors a site has is not everybody's business.
    pub(crate) fn metrics(
        &self,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Result<Answered, Rejection> {
        if !is_trusted(self.ip(headers, peer), &self.settings.metrics_from) {
            return Err(Rejection::MetricsNotAllowed);
        }
        let spool = &self.pipeline.spool;
        let enricher = self.pipeline.enricher.current();
        let ((spool_bytes, spool_bytes_max), (geo_built, asn_built)) =
            (spool.fill(), enricher.built());
        let text = self.pipeline.metrics.text(&Now {
            spool_bytes,
            spool_bytes_max,
            spool_blocks: spool.blocks_waiting(),
            waiting: spool.waiting_since(),
            dead_letters: self.dead.fill(),
            sites: self.pipeline.sites.table().len(),
            clickhouse_answers: self.health.clickhouse_answers(),
            clickhouse_takes_rows: self.health.clickhouse_takes_rows(),
            spool_works: self.health.spool_works(),
            user_agents: enricher.user_agents_asked(),
            geo_built,
            asn_built,
            certificate_expires_at: self.settings.tls.as_ref().and_then(|tls| tls.expires_at()),
        });
        let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        Ok(respond::text(StatusCode::OK, openmetrics, text))
    }
}
