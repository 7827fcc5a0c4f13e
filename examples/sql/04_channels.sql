-- Which channels bring visits, and which bring buyers?
-- Read it: a session counts for the channel it began with. Put your own goal where 'purchase' stands.
-- Columns: channel, sessions, visitors, converting_sessions, conversion_rate
WITH visits AS
(
    SELECT
        session_id,
        any(visitor_id) AS visitor_id,
        argMin(channel, (occurred_at, event_id)) AS channel,
        countIf(name = 'purchase') > 0 AS converted
    FROM events FINAL
    WHERE site = {site:String}
    GROUP BY session_id
)
SELECT
    channel,
    count() AS sessions,
    uniqExact(visitor_id) AS visitors,
    countIf(converted) AS converting_sessions,
    round(converting_sessions / sessions, 4) AS conversion_rate
FROM visits
GROUP BY channel
ORDER BY sessions DESC, channel
