-- Records of live runs that wait for their next try, the next ones first, with how the last try ended.
-- Runs on MariaDB, MySQL and SQLite. due_at is epoch seconds: FROM_UNIXTIME(due_at), datetime(due_at, 'unixepoch').
SELECT r.name        AS run,
       l.name        AS list,
       x.number,
       o.attempt     AS next_attempt,
       o.due_at,
       last_try.outcome AS last_outcome,
       last_try.extended_status
FROM open_retry o
JOIN run r ON r.id = o.run_id
JOIN record x ON x.id = o.record_id
JOIN call_list l ON l.id = x.list_id
LEFT JOIN call_log last_try
       ON last_try.record_id = o.record_id AND last_try.run_id = o.run_id AND last_try.attempt = o.attempt - 1
WHERE r.live_campaign_id IS NOT NULL
ORDER BY o.due_at, x.id;
