-- What do visitors care about now?
-- Read it: every page view weighs half as much for each 30 days of age, told from the site's latest event,
-- and counts for each level of its page's category. `footfall interests` asks the same without SQL.
-- Columns: category, score, visitors, page_views
WITH
    30 * 86400 AS half_life,
    (SELECT max(occurred_at) FROM events WHERE site = {site:String}) AS latest
SELECT
    arrayJoin(arrayDistinct(categories)) AS category,
    round(sum(exp2(-age('second', occurred_at, latest) / half_life)), 3) AS score,
    uniqExact(visitor_id) AS visitors,
    count() AS page_views
FROM events FINAL
WHERE site = {site:String} AND kind = 'page_view'
GROUP BY category
ORDER BY score DESC, category
LIMIT 50
