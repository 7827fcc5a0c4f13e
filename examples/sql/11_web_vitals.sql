-- How fast are pages for those who open them, and how does Google rate that?
-- Read it: three of four loads are as good as p75 or better; that is what Google rates, and below 75 loads it says little.
-- A load is told again where the visitor came back to its tab: the last word counts. Bounds: https://web.dev/articles/vitals
-- Columns: path, metric, loads, p75, rating
WITH
    [('lcp', 2500, 4000), ('inp', 200, 500), ('cls', 0.1, 0.25), ('fcp', 1800, 3000), ('ttfb', 800, 1800)] AS bounds,
    loads AS
    (
        SELECT argMax(properties, occurred_at) AS told
        FROM events FINAL
        WHERE site = {site:String} AND name = 'web_vitals'
        GROUP BY visitor_id, properties['load']
    )
SELECT
    told['path'] AS path,
    bound.1 AS metric,
    count() AS loads,
    arraySort(groupArray(toFloat64OrZero(told[bound.1])))[toUInt64(ceil(0.75 * loads))] AS p75,
    multiIf(p75 <= any(bound.2), 'good', p75 <= any(bound.3), 'needs improvement', 'poor') AS rating
FROM loads
ARRAY JOIN bounds AS bound
WHERE toFloat64OrNull(told[bound.1]) IS NOT NULL
GROUP BY path, bound.1
ORDER BY loads DESC, path, metric
LIMIT 100
