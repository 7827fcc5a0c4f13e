//! What there is to ask about: every site's figures, and the names of a site's events.

mod report;
mod sql;

use store::Server;
use wire::SiteName;

pub use report::{EventName, EventNamesReport, SiteFigures, SitesReport};

use crate::query::{AskError, Filter, Range};

/// Names that may be asked for.
pub const NAMES_MAX: u32 = 1000;

/// The figures of every site that has events in the range. A site without any has no row.
#[derive(Clone, Debug)]
pub struct Sites {
    /// Over which time.
    pub range: Range,
}

impl Sites {
    /// Asks it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ask(&self, server: &Server) -> Result<SitesReport, AskError> {
        let rows = sql::sites(self).rows(server).await?;
        Ok(SitesReport::new(self, rows))
    }
}

/// The events of a site by name, those of most visitors first.
#[derive(Clone, Debug)]
pub struct EventNames {
    /// Of which site.
    pub site: SiteName,
    /// Over which time.
    pub range: Range,
    /// How many names; 1 to [`NAMES_MAX`].
    pub limit: u32,
    /// Which events are seen.
    pub filter: Filter,
}

impl EventNames {
    /// Asks it.
    ///
    /// # Errors
    /// On a limit beyond the bounds, and what the database says.
    pub async fn ask(&self, server: &Server) -> Result<EventNamesReport, AskError> {
        if !(1..=NAMES_MAX).contains(&self.limit) {
            let (limit, limit_max) = (self.limit.into(), NAMES_MAX.into());
            return Err(AskError::Limit { limit, limit_max });
        }
        let rows = sql::event_names(self).rows(server).await?;
        Ok(EventNamesReport::new(self, rows))
    }
}
