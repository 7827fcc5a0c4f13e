-- What do visitors do next, after each thing they do?
-- Read it: share is the part of this event that is followed by that one in the same session; (end) is the
-- session's last. A large share to (end) in the middle of a way is where it breaks.
-- Columns: event, next_event, times, share
WITH steps AS
(
    SELECT
        if(kind = 'page_view', path, name) AS event,
        leadInFrame(event, 1, '(end)') OVER
        (
            PARTITION BY session_id
            ORDER BY occurred_at, event_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS next_event
    FROM events FINAL
    WHERE site = {site:String}
)
SELECT
    event,
    next_event,
    count() AS times,
    round(times / sum(times) OVER (PARTITION BY event), 4) AS share
FROM steps
GROUP BY event, next_event
ORDER BY times DESC, event, next_event
LIMIT 100
