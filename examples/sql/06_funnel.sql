-- How many go from a product to a purchase within a day, and where do they stop?
-- Read it: visitors did this step and all before it, in order. Put your own events where the names stand;
-- a declared step is named funnel/step, for example checkout/shipping.
-- `footfall funnel` asks the same without SQL.
-- Columns: step, name, visitors, of_previous, of_first
WITH
    ['product_view', 'add_to_cart', 'purchase'] AS names,
    furthest AS
    (
        SELECT
            visitor_id,
            windowFunnel(86400000, 'strict_once')(
                toUInt64(toUnixTimestamp64Milli(occurred_at)),
                name = 'product_view',
                name = 'add_to_cart',
                name = 'purchase'
            ) AS level
        FROM events FINAL
        WHERE site = {site:String} AND has(names, name)
        GROUP BY visitor_id
    )
SELECT
    step,
    names[step] AS name,
    countIf(level >= step) AS visitors,
    round(visitors / lagInFrame(visitors, 1, visitors) OVER steps, 4) AS of_previous,
    round(visitors / first_value(visitors) OVER steps, 4) AS of_first
FROM furthest
ARRAY JOIN arrayEnumerate(names) AS step
GROUP BY step
WINDOW steps AS (ORDER BY step ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
ORDER BY step
