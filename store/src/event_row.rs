//! The rows the collector writes, column for column. No other place names columns to write.

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A row of `events` or `bot_events` (the migrations say what each column means). Times are
/// milliseconds since 1970, consents are 0 unknown, 1 granted, 2 denied.
#[derive(Clone, Debug, Default, PartialEq, Row, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each column is described where it is made, in the migration")]
pub struct EventRow {
    pub site: String,
    #[serde(with = "clickhouse::serde::uuid")]
    pub event_id: Uuid,
    pub kind: String,
    pub name: String,
    pub occurred_at: i64,
    pub received_at: i64,
    #[serde(with = "clickhouse::serde::uuid")]
    pub visitor_id: Uuid,
    #[serde(with = "clickhouse::serde::uuid")]
    pub session_id: Uuid,
    pub user_id: String,
    pub host: String,
    pub path: String,
    pub query: String,
    pub title: String,
    pub categories: Vec<String>,
    pub funnel: String,
    pub step: String,
    pub referrer: String,
    pub source: String,
    pub medium: String,
    pub channel: String,
    pub campaign: String,
    pub term: String,
    pub content: String,
    pub country: String,
    pub region: String,
    pub city: String,
    pub device: String,
    pub browser: String,
    pub browser_version: String,
    pub os: String,
    pub os_version: String,
    pub language: String,
    pub screen_width: u16,
    pub consent_analytics: i8,
    pub consent_personalization: i8,
    pub consent_ads: i8,
    /// In ten-thousandths, as `value_reporting` is.
    pub value: i64,
    pub currency: String,
    pub value_reporting: i64,
    pub currency_reporting: String,
    pub click_id_kind: String,
    pub click_id: String,
    pub properties: Vec<(String, String)>,
    pub bot_reason: String,
}

/// A row of `identifiers`: one thing by which an ad platform may know a visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Row, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each column is described where it is made, in the migration")]
pub struct IdentifierRow {
    pub site: String,
    #[serde(with = "clickhouse::serde::uuid")]
    pub visitor_id: Uuid,
    pub user_id: String,
    pub kind: String,
    pub value: String,
    pub consent_ads: i8,
    pub occurred_at: i64,
    pub received_at: i64,
}

/// A row of `definitions`: one version of one thing an operator declared.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize)]
pub(crate) struct DefinitionRow {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) body: String,
    pub(crate) applied_at: i64,
}

/// A row of `migrations`: one statement that was done.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub(crate) struct MigrationRow {
    pub(crate) version: u32,
    pub(crate) name: String,
    pub(crate) sha256: String,
    pub(crate) statement: u32,
    pub(crate) statements: u32,
    pub(crate) statement_sha256: String,
    pub(crate) applied_at: i64,
}
