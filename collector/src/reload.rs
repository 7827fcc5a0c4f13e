//! Reading again what an operator may replace: by itself where a file has changed, and all of it when
//! the operator says so (SIGHUP).

use std::sync::Arc;

use store::Server;

use crate::config::Settings;
use crate::enrich::LiveEnricher;
use crate::handle::Handle;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::pipeline::Pipeline;
use crate::sites::Sites;
use crate::suppressed::Suppressed;
use crate::tls::LiveTls;

/// What is read again.
#[derive(Clone, Debug)]
pub(crate) struct Reload {
    enricher: Arc<LiveEnricher>,
    tls: Option<Arc<LiveTls>>,
    sites: Arc<Sites>,
    suppressed: Arc<Suppressed>,
    server: Server,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
}

impl Reload {
    pub(crate) fn new(
        pipeline: &Pipeline,
        settings: &Settings,
        server: Server,
        health: &Arc<Health>,
    ) -> Self {
        Self {
            enricher: Arc::clone(&pipeline.enricher),
            tls: settings.tls.clone(),
            sites: Arc::clone(&pipeline.sites),
            suppressed: Arc::clone(&pipeline.suppressed),
            server,
            health: Arc::clone(health),
            metrics: Arc::clone(&pipeline.metrics),
        }
    }

    /// Ends only where one of the three has ended, which none should.
    pub(crate) async fn keep_fresh(self, handle: Handle) {
        let certificate = async {
            match self.tls.clone() {
                Some(tls) => tls.keep_fresh(Arc::clone(&self.metrics)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = Arc::clone(&self.enricher).keep_fresh() => {}
            () = certificate => {}
            () = self.on_demand(handle) => {}
        }
    }

    /// No request waits for it.
    async fn on_demand(&self, handle: Handle) {
        loop {
            handle.told_to_reload().await;
            let (enricher, tls, metrics) =
                (Arc::clone(&self.enricher), self.tls.clone(), Arc::clone(&self.metrics));
            let files = tokio::task::spawn_blocking(move || {
                (enricher.reload(), tls.map(|tls| tls.reload(&metrics)))
            });
            let Ok((geo_files, certificate)) = files.await else { return };
            self.sites.refresh(&self.server, &self.health).await;
            let suppressions = self.suppressed.refresh(&self.server).await.is_ok();
            tracing::info!(
                geo_files = outcome(geo_files),
                certificate = outcome(certificate),
                sites = self.sites.table().len(),
                suppressions = outcome(Some(suppressions)),
                "read again what can be read again"
            );
        }
    }
}

const fn outcome(taken: Option<bool>) -> &'static str {
    match taken {
        Some(true) => "read again",
        Some(false) => "kept as it was",
        None => "none",
    }
}
