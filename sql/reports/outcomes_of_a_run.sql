-- How the attempts of a run ended, each extended status apart. Put the run's id in place of :run (run.id, shown in reports).
-- Runs on MariaDB, MySQL and SQLite.
SELECT outcome,
       extended_status,
       COUNT(*)                                                                    AS calls,
       ROUND(100.0 * COUNT(*) / (SELECT COUNT(*) FROM call_log WHERE run_id = :run), 1) AS percent,
       ROUND(SUM(talk_ms) / 1000.0)                                                AS talk_s,
       ROUND(AVG(wait_after_ms) / 1000.0, 1)                                       AS mean_wait_s
FROM call_log
WHERE run_id = :run
GROUP BY outcome, extended_status
ORDER BY calls DESC, outcome, extended_status;
