//! The tracker's files, as who asks for them gets them.

use std::net::SocketAddr;

use hyper::http::request::Parts;

use crate::error::Rejection;
use crate::receive::respond::Answered;
use crate::receive::{Asked, Assets, Form, Way};
use crate::server::Door;
use crate::validate::{Chosen, Site};

impl From<Chosen> for Way {
    fn from(chosen: Chosen) -> Self {
        match chosen {
            Chosen::Events => Self::Events,
            Chosen::Script(_) => Self::Script,
        }
    }
}

impl Door {
    /// What a site has chosen an address for that is none of ours.
    pub(crate) fn chosen(&self, path: &str) -> Option<Chosen> {
        self.pipeline.sites.table().chosen(path).cloned()
    }

    /// A file under `/s/`.
    pub(crate) fn script(
        &self,
        name: &str,
        head: &Parts,
        peer: SocketAddr,
    ) -> Result<Answered, Rejection> {
        if let Some(file) = self.settings.assets.fetched(name, &head.headers) {
            return Ok(file);
        }
        if name == "footfall.d.ts" {
            return Ok(self.settings.assets.types(&head.headers));
        }
        let name = name.strip_suffix(".js").ok_or(Rejection::NotFound)?;
        // A site's name has no dot in it.
        let (site, form) = match name.strip_suffix(".stream") {
            Some(site) => (site, Form::Streaming),
            None => (name, Form::Whole),
        };
        self.made_for(site, form, head, peer)
    }

    /// A site's script at its own path, or, by the query, a file that it fetches there.
    pub(crate) fn own_script(
        &self,
        site: &str,
        head: &Parts,
        peer: SocketAddr,
    ) -> Result<Answered, Rejection> {
        let query = head.uri.query().unwrap_or_default();
        match self.settings.assets.fetched_by_digest(query, &head.headers) {
            Some(file) => Ok(file),
            // To whoever imports it the site's script would be a part that does nothing.
            None if Assets::is_fetched(query) => Err(Rejection::NotFound),
            None => self.made_for(site, Form::OwnPath, head, peer),
        }
    }

    fn made_for(
        &self,
        site: &str,
        form: Form,
        head: &Parts,
        peer: SocketAddr,
    ) -> Result<Answered, Rejection> {
        let sites = self.pipeline.sites.table();
        let site = sites.find(site).map_err(|rejection| match rejection {
            Rejection::SiteUnknown { .. } => Rejection::NotFound,
            rejection => rejection,
        })?;
        let country = self.country(site, head, peer);
        let now_millis = self.pipeline.clock.now_millis();
        let link_key = &self.settings.link_key;
        let asked = Asked { site, form, country: country.as_deref(), link_key, now_millis };
        Ok(self.settings.assets.script(asked, &head.headers))
    }

    /// Where the visitor is, for a script that differs by it.
    fn country(&self, site: &Site, head: &Parts, peer: SocketAddr) -> Option<String> {
        if !site.tracker.differs_by_country() {
            return None;
        }
        let told = self.told(&head.headers, peer);
        let ip = self.sender(&head.headers, peer, &told).ip;
        let country = self.pipeline.enricher.current().country(ip, &told).to_owned();
        (!country.is_empty()).then_some(country)
    }
}
