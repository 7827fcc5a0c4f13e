-- Of those who first came in a month, how many come back, week by week after their own first event?
-- Read it: week 0 is the seven days that begin with the day of a visitor's first event, so it holds the
-- whole cohort. Later weeks of young cohorts are low because they have not happened yet.
-- Columns: cohort, week, visitors, retained
WITH
    seen AS
    (
        SELECT visitor_id, occurred_at
        FROM events FINAL
        WHERE site = {site:String}
    ),
    firsts AS
    (
        SELECT visitor_id, min(occurred_at) AS first_seen
        FROM seen
        GROUP BY visitor_id
    )
SELECT
    toStartOfMonth(first_seen) AS cohort,
    intDiv(dateDiff('day', first_seen, occurred_at), 7) AS week,
    uniqExact(visitor_id) AS visitors,
    round(visitors / first_value(visitors) OVER (PARTITION BY cohort ORDER BY week), 4) AS retained
FROM seen
INNER JOIN firsts USING (visitor_id)
GROUP BY cohort, week
ORDER BY cohort, week
