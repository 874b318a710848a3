-- How far each list of the live runs is: records taken, records left, the number taken last.
-- Runs on MariaDB, MySQL and SQLite.
SELECT r.name                          AS run,
       r.state,
       l.name                          AS list,
       rl.paused,
       rl.taken,
       (SELECT COUNT(*)
        FROM record x
        WHERE x.list_id = rl.list_id AND x.id > rl.high_water) AS remaining,
       last_taken.number               AS last_number
FROM run r
JOIN run_list rl ON rl.run_id = r.id
JOIN call_list l ON l.id = rl.list_id
LEFT JOIN record last_taken ON last_taken.id = rl.high_water
WHERE r.live_campaign_id IS NOT NULL
ORDER BY r.id, rl.position, l.name;
