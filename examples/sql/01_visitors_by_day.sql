-- How many came, day by day?
-- Read it: visitors are browsers, sessions are visits (a pause of 30 minutes begins a new one).
-- The visitors of several days do not add up: who comes on two days is one visitor on each.
-- Days are UTC; for another zone write toDate(occurred_at, 'Europe/Zagreb').
-- Columns: day, visitors, sessions, page_views
SELECT
    toDate(occurred_at) AS day,
    uniqExact(visitor_id) AS visitors,
    uniqExact(session_id) AS sessions,
    countIf(kind = 'page_view') AS page_views
FROM events FINAL
WHERE site = {site:String}
  -- AND occurred_at >= now() - INTERVAL 30 DAY
GROUP BY day
ORDER BY day
