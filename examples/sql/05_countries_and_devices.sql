-- Where do visitors come from, and with what?
-- Read it: an empty country or device is one that was not known. A visitor seen in two countries is
-- counted in both.
-- Columns: country, device, visitors, sessions, share_of_sessions
SELECT
    country,
    device,
    uniqExact(visitor_id) AS visitors,
    uniqExact(session_id) AS sessions,
    round(sessions / sum(sessions) OVER (), 4) AS share_of_sessions
FROM events FINAL
WHERE site = {site:String}
GROUP BY country, device
ORDER BY sessions DESC, country, device
LIMIT 100
