//! The rows the collector writes, column for column. No other place names columns to write.

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::visitor_salt::SALT_BYTES;

/// A row of `events` or `bot_events` (the migrations say what each column means). Times are
/// milliseconds since 1970, consents are 0 unknown, 1 granted, 2 denied.
///
/// `T` is how a text is held: the collector borrows most of them from the request.
#[derive(Clone, Debug, Default, PartialEq, Row, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each column is described where it is made, in the migration")]
pub struct EventRow<T = String> {
    pub site: T,
    #[serde(with = "clickhouse::serde::uuid")]
    pub event_id: Uuid,
    pub kind: T,
    pub name: T,
    pub occurred_at: i64,
    pub received_at: i64,
    #[serde(with = "clickhouse::serde::uuid")]
    pub visitor_id: Uuid,
    #[serde(with = "clickhouse::serde::uuid")]
    pub session_id: Uuid,
    pub user_id: T,
    pub host: T,
    pub path: T,
    pub query: T,
    pub title: T,
    pub categories: Vec<T>,
    pub funnel: T,
    pub step: T,
    pub referrer: T,
    pub source: T,
    pub medium: T,
    pub channel: T,
    pub campaign: T,
    pub term: T,
    pub content: T,
    pub country: T,
    pub region: T,
    pub city: T,
    pub device: T,
    pub browser: T,
    pub browser_version: T,
    pub os: T,
    pub os_version: T,
    pub language: T,
    pub screen_width: u16,
    pub consent_analytics: i8,
    pub consent_personalization: i8,
    pub consent_ads: i8,
    /// In ten-thousandths, as `value_reporting` is.
    pub value: i64,
    pub currency: T,
    pub value_reporting: i64,
    pub currency_reporting: T,
    pub click_id_kind: T,
    pub click_id: T,
    pub properties: Vec<(T, T)>,
    pub bot_reason: T,
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

/// How a column's values lie in a row's bytes (`FORMAT RowBinary`), and as which of ClickHouse's types they can
/// be sent. The table may hold them in another one, `LowCardinality` or `Enum8`: ClickHouse casts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnForm {
    /// A text: its length, its bytes.
    Text,
    /// A list of texts: how many, each of them.
    Texts,
    /// A map of texts: how many, each key with its value.
    Pairs,
    /// So many bytes, of this type.
    Fixed(usize, &'static str),
}

const UUID: ColumnForm = ColumnForm::Fixed(16, "UUID");
const MILLIS: ColumnForm = ColumnForm::Fixed(8, "DateTime64(3)");
const CONSENT: ColumnForm = ColumnForm::Fixed(1, "Int8");
const MONEY: ColumnForm = ColumnForm::Fixed(8, "Decimal(18, 4)");

impl EventRow {
    /// The form of a column by its name; none of a column that this release does not write.
    #[must_use]
    pub fn form_of(column: &str) -> Option<ColumnForm> {
        let known = <Self as Row>::COLUMN_NAMES.contains(&column);
        known.then_some(match column {
            "event_id" | "visitor_id" | "session_id" => UUID,
            "occurred_at" | "received_at" => MILLIS,
            "categories" => ColumnForm::Texts,
            "screen_width" => ColumnForm::Fixed(2, "UInt16"),
            "consent_analytics" | "consent_personalization" | "consent_ads" => CONSENT,
            "value" | "value_reporting" => MONEY,
            "properties" => ColumnForm::Pairs,
            _ => ColumnForm::Text,
        })
    }
}

impl IdentifierRow {
    /// The form of a column by its name; none of a column that this release does not write.
    #[must_use]
    pub fn form_of(column: &str) -> Option<ColumnForm> {
        let known = <Self as Row>::COLUMN_NAMES.contains(&column);
        known.then_some(match column {
            "visitor_id" => UUID,
            "consent_ads" => CONSENT,
            "occurred_at" | "received_at" => MILLIS,
            _ => ColumnForm::Text,
        })
    }
}

/// A row of `definitions`: one version of one thing an operator declared.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize)]
pub(crate) struct DefinitionRow {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) body: String,
    pub(crate) applied_at: i64,
}

/// A row of `visitor_salts`; the time is ClickHouse's own. Not to be shown.
#[derive(Row, Serialize, Deserialize)]
pub(crate) struct VisitorSaltRow {
    pub(crate) day: u16,
    pub(crate) salt: [u8; SALT_BYTES],
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
