-- The day's random salt, of which the ids of visitors without an id of their own are made. Here only so
-- that all collectors make the same ids; in memory only, so that a deleted salt is in no file, part or
-- log of ClickHouse's. After a restart of ClickHouse the collectors put the day's salt back.
CREATE TABLE IF NOT EXISTS visitor_salts (
    day Date COMMENT 'UTC',
    salt FixedString(32) COMMENT 'deleted when the day is over',
    made_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'of two salts of a day the first holds'
)
ENGINE = Memory;
