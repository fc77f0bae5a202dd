-- An operator can ask for parked events to be tried again; the worker that holds the projection's lease sees
-- the request and does it.
ALTER TABLE parked_events ADD COLUMN retry_requested_at timestamptz;
