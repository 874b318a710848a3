-- Every number once: the last column is 0 for each run, whatever happened. taken = closed + open attempts + open retries.
-- Runs on MariaDB, MySQL and SQLite. (open_retries and the count of attempts change together, in one transaction.)
SELECT r.id,
       r.name,
       r.state,
       r.taken,
       r.closed,
       (SELECT COUNT(*) FROM attempt a WHERE a.run_id = r.id)    AS open_attempts,
       (SELECT COUNT(*) FROM open_retry o WHERE o.run_id = r.id) AS open_retries,
       r.taken - r.closed - (SELECT COUNT(*) FROM attempt a WHERE a.run_id = r.id)
                          - (SELECT COUNT(*) FROM open_retry o WHERE o.run_id = r.id) AS unaccounted
FROM run r
ORDER BY r.id;
