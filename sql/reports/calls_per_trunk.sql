-- Calls of a run by server and trunk, with the share that was answered. Put the run's id in place of :run.
-- Runs on MariaDB, MySQL and SQLite. Black-listed records were never dialled and have no trunk: they are left out.
SELECT COALESCE(s.description, '?')                                             AS server,
       c.trunk_name                                                             AS trunk,
       COUNT(*)                                                                 AS calls,
       SUM(CASE WHEN c.outcome = 'TERMINATED' OR c.talk_ms > 0 THEN 1 ELSE 0 END) AS answered,
       SUM(CASE WHEN c.outcome = 'RS_ERROR' THEN 1 ELSE 0 END)                  AS errors,
       ROUND(AVG(c.wait_pre_ms))                                                AS mean_wait_pre_ms,
       ROUND(SUM(c.wait_pre_ms + c.wait_after_ms + c.talk_ms) / 1000.0)         AS used_s
FROM call_log c
LEFT JOIN asterisk_server s ON s.id = c.server_id
WHERE c.run_id = :run AND c.trunk_name <> ''
GROUP BY s.description, c.trunk_name
ORDER BY calls DESC, server, trunk;
