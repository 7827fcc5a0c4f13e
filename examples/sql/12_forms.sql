-- Which forms are begun and not sent, and at which field do people give up?
-- Read it: a visit counts as sent if the form was sent in it at all; gives_up_at is the most frequent last field of the others.
-- Columns: form, visits, sent, sent_share, gives_up_at
WITH visits AS
(
    SELECT
        coalesce(nullIf(properties['form_id'], ''), nullIf(properties['form_name'], ''), properties['form_action']) AS form,
        countIf(name = 'form_submit') > 0 AS was_sent,
        argMaxIf(properties['last_field'], occurred_at, name = 'form_abandoned') AS last_field
    FROM events FINAL
    WHERE site = {site:String} AND name IN ('form_start', 'form_submit', 'form_abandoned')
    GROUP BY visitor_id, session_id, form
)
SELECT
    form,
    count() AS visits,
    countIf(was_sent) AS sent,
    round(sent / visits, 4) AS sent_share,
    topKIf(1)(last_field, NOT was_sent AND last_field != '')[1] AS gives_up_at
FROM visits
GROUP BY form
ORDER BY visits DESC, form
LIMIT 50
