-- Attempts, answers and talk of a run by the hour (UTC). Put the run's id in place of :run.
-- SQLite; for MariaDB and MySQL see attempts_per_hour.mysql.sql.
SELECT datetime(CAST(attempted_at / 3600 AS INTEGER) * 3600, 'unixepoch')   AS hour_begins,
       COUNT(*)                                                             AS attempts,
       SUM(CASE WHEN outcome = 'TERMINATED' OR talk_ms > 0 THEN 1 ELSE 0 END) AS answered,
       ROUND(SUM(talk_ms) / 1000.0)                                         AS talk_s
FROM call_log
WHERE run_id = :run
GROUP BY CAST(attempted_at / 3600 AS INTEGER)
ORDER BY CAST(attempted_at / 3600 AS INTEGER);
