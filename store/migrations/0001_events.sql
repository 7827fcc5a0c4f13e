-- What happened. One row per event; a retried event has the same key and so becomes one row
-- (read with FINAL). Ordered so that a site's days are read alone and a visitor's events lie together.
CREATE TABLE IF NOT EXISTS events (
    site LowCardinality(String) COMMENT 'the site''s name, as in its tag',
    event_id UUID COMMENT 'made once by the sender; every retry carries the same',
    kind LowCardinality(String) COMMENT 'page_view, step, custom or identify',
    name LowCardinality(String) COMMENT 'page_view, identify, a custom event''s name, or funnel/step',
    occurred_at DateTime64(3, 'UTC') COMMENT 'when it happened, the sender''s clock put right',
    received_at DateTime64(3, 'UTC') COMMENT 'when the collector took it',
    visitor_id UUID COMMENT 'a browser on this site',
    session_id UUID COMMENT 'a run of the visitor''s events at most 30 minutes apart',
    user_id String COMMENT 'the person''s known id once identify has told it, else empty',
    host LowCardinality(String) COMMENT 'of the page',
    path String COMMENT 'of the page, without the query',
    query String COMMENT 'of the page, without the question mark; only parameters on the allow list',
    title String COMMENT 'of the page',
    categories Array(LowCardinality(String)) COMMENT 'what the page is about, most general first',
    funnel LowCardinality(String) COMMENT 'of a step, else empty',
    step LowCardinality(String) COMMENT 'of a step, else empty',
    referrer String COMMENT 'the page before, without its query',
    source LowCardinality(String) COMMENT 'where the visit came from',
    medium LowCardinality(String) COMMENT 'how: organic, referral, cpc, email; (none) where direct',
    channel LowCardinality(String) COMMENT 'the source''s class',
    campaign LowCardinality(String) COMMENT 'utm_campaign',
    term String COMMENT 'utm_term',
    content String COMMENT 'utm_content',
    country LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2, empty where unknown',
    region LowCardinality(String) COMMENT 'name, empty where unknown',
    city LowCardinality(String) COMMENT 'name, empty where unknown',
    device LowCardinality(String) COMMENT 'desktop, mobile, tablet, tv, console or other; empty where unknown',
    browser LowCardinality(String) COMMENT 'family, empty where unknown',
    browser_version LowCardinality(String) COMMENT 'empty where unknown',
    os LowCardinality(String) COMMENT 'family, empty where unknown',
    language LowCardinality(String) COMMENT 'BCP 47, empty where unknown',
    screen_width UInt16 COMMENT 'CSS pixels, 0 where unknown',
    consent_analytics Enum8('unknown' = 0, 'granted' = 1, 'denied' = 2),
    consent_personalization Enum8('unknown' = 0, 'granted' = 1, 'denied' = 2),
    consent_ads Enum8('unknown' = 0, 'granted' = 1, 'denied' = 2),
    properties Map(LowCardinality(String), String) COMMENT 'what the site added; nested objects as dotted names',
    bot_reason LowCardinality(String) COMMENT 'empty in events; in bot_events the layer that told it'
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (site, toDate(occurred_at), visitor_id, event_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- Events of visitors who are programs: set apart, not thrown away. The same shape, so that a wrongly
-- judged visitor can be moved back by one INSERT ... SELECT.
CREATE TABLE IF NOT EXISTS bot_events AS events;

-- What is known of a visitor that could leave for an ad platform: hashes, never the raw text.
CREATE TABLE IF NOT EXISTS identifiers (
    site LowCardinality(String),
    visitor_id UUID,
    user_id String COMMENT 'as in events',
    kind LowCardinality(String) COMMENT 'email_google, email_meta, phone, first_name, last_name (SHA-256, lower-case hex); country, zip (plain)',
    value String,
    consent_ads Enum8('unknown' = 0, 'granted' = 1, 'denied' = 2) COMMENT 'as it stood when this was told',
    occurred_at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(occurred_at)
ORDER BY (site, visitor_id, kind, value)
SETTINGS non_replicated_deduplication_window = 10000;

-- Who must never leave, whatever a segment says; by the same hashes as identifiers.
CREATE TABLE IF NOT EXISTS suppressions (
    site LowCardinality(String),
    kind LowCardinality(String),
    value String,
    reason String,
    suppressed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(suppressed_at)
ORDER BY (site, kind, value);

-- Sites, and later funnels, segments and audiences: every version that was ever applied.
CREATE TABLE IF NOT EXISTS definitions (
    kind LowCardinality(String) COMMENT 'site',
    name String,
    body String COMMENT 'JSON',
    applied_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (kind, name, applied_at);
