-- The trace that a piece of work belongs to: the `traceparent` of the event that called for it (W3C Trace Context).
-- The events of the process manager carry it on, so that a request can be followed into what it led to.
ALTER TABLE work ADD COLUMN traceparent text;
