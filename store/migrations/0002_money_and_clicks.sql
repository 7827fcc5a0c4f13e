-- What a visit's system is in detail, what an order was worth, and which click on an advertisement led here.
ALTER TABLE events ADD COLUMN IF NOT EXISTS os_version LowCardinality(String) COMMENT 'as far as the browser tells it, empty where unknown' AFTER os,
    ADD COLUMN IF NOT EXISTS value Decimal(18, 4) COMMENT 'what the event is worth in its currency; 0 where it told no currency' AFTER consent_ads,
    ADD COLUMN IF NOT EXISTS currency LowCardinality(String) COMMENT 'ISO 4217, of value; empty where there is no value' AFTER value,
    ADD COLUMN IF NOT EXISTS value_reporting Decimal(18, 4) COMMENT 'value in the site''s currency by the day''s rate; 0 where currency_reporting is empty' AFTER currency,
    ADD COLUMN IF NOT EXISTS currency_reporting LowCardinality(String) COMMENT 'ISO 4217, of value_reporting; empty where there is no value or no rate' AFTER value_reporting,
    ADD COLUMN IF NOT EXISTS click_id_kind LowCardinality(String) COMMENT 'the parameter that named the click: gclid, fbclid, ...; empty without ads consent' AFTER currency_reporting,
    ADD COLUMN IF NOT EXISTS click_id String COMMENT 'as the ad platform gave it; empty without ads consent' AFTER click_id_kind;

ALTER TABLE bot_events ADD COLUMN IF NOT EXISTS os_version LowCardinality(String) COMMENT 'as far as the browser tells it, empty where unknown' AFTER os,
    ADD COLUMN IF NOT EXISTS value Decimal(18, 4) COMMENT 'what the event is worth in its currency; 0 where it told no currency' AFTER consent_ads,
    ADD COLUMN IF NOT EXISTS currency LowCardinality(String) COMMENT 'ISO 4217, of value; empty where there is no value' AFTER value,
    ADD COLUMN IF NOT EXISTS value_reporting Decimal(18, 4) COMMENT 'value in the site''s currency by the day''s rate; 0 where currency_reporting is empty' AFTER currency,
    ADD COLUMN IF NOT EXISTS currency_reporting LowCardinality(String) COMMENT 'ISO 4217, of value_reporting; empty where there is no value or no rate' AFTER value_reporting,
    ADD COLUMN IF NOT EXISTS click_id_kind LowCardinality(String) COMMENT 'the parameter that named the click: gclid, fbclid, ...; empty without ads consent' AFTER currency_reporting,
    ADD COLUMN IF NOT EXISTS click_id String COMMENT 'as the ad platform gave it; empty without ads consent' AFTER click_id_kind;
