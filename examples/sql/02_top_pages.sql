-- Which pages are viewed most?
-- Read it: views_per_visitor far above 1 is a page people come back to, such as a catalog or a cart.
-- Columns: path, title, page_views, visitors, views_per_visitor
SELECT
    path,
    argMax(title, occurred_at) AS title,
    count() AS page_views,
    uniqExact(visitor_id) AS visitors,
    round(page_views / visitors, 2) AS views_per_visitor
FROM events FINAL
WHERE site = {site:String} AND kind = 'page_view'
GROUP BY path
ORDER BY page_views DESC, path
LIMIT 50
