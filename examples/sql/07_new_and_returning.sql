-- How many of a week's visitors are new?
-- Read it: new_visitors had no event before that week. The first week has new ones only, because
-- nothing is known before it. Weeks begin on Monday.
-- Columns: week, visitors, new_visitors, returning_visitors
WITH
    visits AS
    (
        SELECT DISTINCT visitor_id, toMonday(occurred_at) AS week
        FROM events FINAL
        WHERE site = {site:String}
    ),
    firsts AS
    (
        SELECT visitor_id, min(week) AS first_week
        FROM visits
        GROUP BY visitor_id
    )
SELECT
    week,
    count() AS visitors,
    countIf(week = first_week) AS new_visitors,
    visitors - new_visitors AS returning_visitors
FROM visits
INNER JOIN firsts USING (visitor_id)
GROUP BY week
ORDER BY week
