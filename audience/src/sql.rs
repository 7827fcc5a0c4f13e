//! The SQL of this crate. Everything from outside is a bound parameter; the rule's own text comes from
//! `segment`, which binds too.

use segment::RuleSql;

/// Bound: `site`, `kinds` and `values` (of one length), `reason`, `suppressed_at`.
pub(crate) const SUPPRESS: &str = "\
INSERT INTO suppressions (site, kind, value, reason, suppressed_at)
SELECT {site:String}, pair.1, pair.2, {reason:String}, fromUnixTimestamp64Milli({suppressed_at:Int64})
FROM (SELECT arrayJoin(arrayZip({kinds:Array(String)}, {values:Array(String)})) AS pair)";

/// The user ids that are known by these identifiers, as hashes of the kind `user`, for the collector's door. Bound:
/// as [`SUPPRESS`].
pub(crate) const SUPPRESS_USERS: &str = "\
INSERT INTO suppressions (site, kind, value, reason, suppressed_at)
SELECT DISTINCT site, 'user', lower(hex(SHA256(user_id))), {reason:String}, fromUnixTimestamp64Milli({suppressed_at:Int64})
FROM identifiers
WHERE site = {site:String} AND user_id != ''
    AND (toString(kind), value) IN (SELECT arrayJoin(arrayZip({kinds:Array(String)}, {values:Array(String)})))";

/// One row for every person of whom the rule matches a visitor. Bound: `site`, `kinds`,
/// `told_max`, and what the rule binds.
///
/// From the inside out. `seen`: a site's events and identifiers, as one list. `browsers`: each visitor's
/// last known user id, last known ads consent (at the same millisecond a no wins), and what was told
/// there. `facts`: a browser belongs to its user; what was told belongs to the user it was told of,
/// which on a shared browser may be another. Last, one row a person: by user id, else by visitor.
///
/// Suppressions are looked up before what was told is cut to the newest `told_max` of each of `kinds`.
pub(crate) fn people(rule: &RuleSql) -> String {
    let RuleSql { events, visitors } = rule;
    format!(
        "\
WITH
    seen AS (
        SELECT visitor_id, user_id, occurred_at, toInt8(consent_ads) AS answer, '' AS kind, '' AS value
        FROM events WHERE site = {{site:String}}
        UNION ALL
        SELECT visitor_id, user_id, occurred_at, toInt8(consent_ads), toString(kind), value
        FROM identifiers WHERE site = {{site:String}}
    ),
    browsers AS (
        SELECT
            visitor_id,
            argMaxIf(user_id, (occurred_at, user_id), user_id != '') AS user,
            argMaxIf(answer, (occurred_at, answer), answer != 0) AS last_answer,
            groupUniqArrayIf((user_id, kind, value, occurred_at), kind != '') AS told
        FROM seen GROUP BY visitor_id
    ),
    facts AS (
        SELECT
            last_answer,
            visitor_id IN (
                SELECT visitor_id FROM events FINAL
                WHERE site = {{site:String}} AND {events}
                GROUP BY visitor_id HAVING {visitors}
            ) AS matched,
            arrayJoin(arrayConcat(
                [(user, '', '', toDateTime64(0, 3, 'UTC'))],
                arrayMap(it -> (if(it.1 = '', user, it.1), it.2, it.3, it.4), told)
            )) AS fact,
            fact.1 AS person,
            if(person = '', visitor_id, toUUID('00000000-0000-0000-0000-000000000000')) AS nobody,
            fact.2 AS kind,
            fact.3 AS value,
            fact.4 AS told_at,
            kind = '' AS is_browser
        FROM browsers
    ),
    persons AS (
        SELECT
            countIf(is_browser AND matched) AS visitors,
            groupUniqArrayIf(last_answer, is_browser AND matched) AS answers_matched,
            groupUniqArrayIf(last_answer, is_browser AND NOT matched) AS answers_elsewhere,
            countIf((kind, value) IN (
                SELECT toString(kind), value FROM suppressions WHERE site = {{site:String}}
            )) > 0 AS suppressed,
            arrayReverseSort(groupUniqArrayIf((told_at, kind, value), NOT is_browser)) AS newest
        FROM facts
        GROUP BY person, nobody
        HAVING visitors > 0
    )
SELECT
    visitors, answers_matched, answers_elsewhere, suppressed,
    arrayMap(it -> (it.2, it.3), arrayFlatten(arrayMap(
        wanted -> arraySlice(arrayFilter(it -> it.2 = wanted, newest), 1, {{told_max:UInt32}}),
        {{kinds:Array(String)}}
    ))) AS told
FROM persons"
    )
}
