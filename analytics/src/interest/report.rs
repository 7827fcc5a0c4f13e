//! The interests' answer.

use std::time::Duration;

use serde::{Serialize, Serializer};
use uuid::Uuid;
use wire::SiteName;

use super::Interests;
use super::sql::InterestRow;
use crate::query::{Range, Table, show_duration};

/// What visitors care about, the strongest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Of which site.
    pub site: SiteName,
    /// Of one visitor only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visitor: Option<Uuid>,
    /// How long ago a page view weighs half.
    #[serde(serialize_with = "shown")]
    pub half_life: Duration,
    /// Over which time.
    pub range: Range,
    /// Category by category.
    pub interests: Vec<Interest>,
}

/// A category and how much visitors care about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interest {
    /// The category's whole path: `Shoes/Running`.
    pub category: String,
    /// The page views, each weighing less the older it is.
    pub score: f64,
    /// How many visitors saw such a page.
    pub visitors: u64,
    /// How often such a page was seen.
    pub views: u64,
}

fn shown<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&show_duration(*duration))
}

impl Report {
    pub(super) fn new(asked: &Interests, rows: Vec<InterestRow>) -> Self {
        let interests = rows.into_iter().map(|row| {
            let InterestRow { category, score, visitors, views } = row;
            Interest { category, score, visitors, views }
        });
        Self {
            site: asked.site.clone(),
            visitor: asked.visitor,
            half_life: asked.half_life,
            range: asked.range,
            interests: interests.collect(),
        }
    }

    /// The answer as text.
    #[must_use]
    pub fn table(&self) -> Table {
        let rows = self.interests.iter().map(|interest| {
            [
                interest.category.clone(),
                format!("{:.3}", interest.score),
                interest.visitors.to_string(),
                interest.views.to_string(),
            ]
        });
        Table::new(["category", "score", "visitors", "views"], rows)
    }
}
