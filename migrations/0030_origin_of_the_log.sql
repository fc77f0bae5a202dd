-- A log that was restored and cannot be recovered becomes another log: `log_id` changes, so that clients and
-- consumers know that positions mean something else. `origin_id` stays: what is done once in the life of a
-- log, as defining its first algorithms, is named after it and must not be done again.
ALTER TABLE log_identity ADD COLUMN origin_id uuid;

UPDATE log_identity SET origin_id = log_id;

ALTER TABLE log_identity ALTER COLUMN origin_id SET NOT NULL;
