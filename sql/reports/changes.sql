-- Who changed what in the configuration, the latest first. Secrets are shown as ***.
-- Runs on MariaDB, MySQL and SQLite. at is epoch seconds.
SELECT at, login, action, entity, entity_id, old_values, new_values
FROM audit
ORDER BY id DESC
LIMIT 200;
