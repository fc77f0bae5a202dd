-- A data key that was made after a backup is lost with the restore, while the events sealed with it may come
-- back from the stream. Such a person must not be given a new key, or the old words would be an error instead
-- of unreadable: the row stands in as if the person had been erased. `lost_at` tells the two apart, so that a
-- key that turns up later may be put back here, and never for a person who was erased.
ALTER TABLE data_keys ADD COLUMN lost_at timestamptz;

ALTER TABLE data_keys ADD CONSTRAINT data_keys_lost CHECK (lost_at IS NULL OR wrapped IS NULL);
