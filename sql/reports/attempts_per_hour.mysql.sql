-- Attempts, answers and talk of a run by the hour (UTC). Put the run's id in place of :run.
-- MariaDB and MySQL; for SQLite see attempts_per_hour.sqlite.sql.
SELECT FROM_UNIXTIME(FLOOR(attempted_at / 3600) * 3600)                     AS hour_begins,
       COUNT(*)                                                             AS attempts,
       SUM(CASE WHEN outcome = 'TERMINATED' OR talk_ms > 0 THEN 1 ELSE 0 END) AS answered,
       ROUND(SUM(talk_ms) / 1000.0)                                         AS talk_s
FROM call_log
WHERE run_id = :run
GROUP BY FLOOR(attempted_at / 3600)
ORDER BY FLOOR(attempted_at / 3600);
