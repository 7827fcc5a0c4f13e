-- Where do visits begin, and how many end there?
-- Read it: bounce_rate is the part of the sessions with one page view only. A page with many sessions
-- and a high rate is the one to look at first.
-- Columns: landing_page, sessions, bounces, bounce_rate
WITH visits AS
(
    SELECT
        session_id,
        argMin(path, (occurred_at, event_id)) AS landing_page,
        count() AS page_views
    FROM events FINAL
    WHERE site = {site:String} AND kind = 'page_view'
    GROUP BY session_id
)
SELECT
    landing_page,
    count() AS sessions,
    countIf(page_views = 1) AS bounces,
    round(bounces / sessions, 3) AS bounce_rate
FROM visits
GROUP BY landing_page
ORDER BY sessions DESC, landing_page
LIMIT 50
