-- The log. It is one table in one order: `position` is 1, 2, 3 … without a gap, in the order of the commits.
-- Nothing in it is ever changed or removed; triggers refuse both. The columns are `json` and not `jsonb`,
-- because the chain covers the exact bytes. Three indexes are enough: each further one would slow every append.
CREATE TABLE events (
    position bigint NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    -- The place of the event in the stream of its aggregate, from 1.
    sequence bigint NOT NULL,
    event_type text NOT NULL,
    event_version text NOT NULL,
    payload json NOT NULL,
    metadata json NOT NULL,
    event_id uuid NOT NULL,
    -- The person whom the event belongs to; null for events of the house.
    owner_id uuid,
    recorded_at timestamptz NOT NULL,
    chain bytea NOT NULL,
    -- The value that says that this log wrote the event, under a key that the database does not hold in the clear.
    authentication bytea NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (position),
    CONSTRAINT events_stream_key UNIQUE (aggregate_type, aggregate_id, sequence),
    CONSTRAINT events_payload_size CHECK (octet_length(payload::text) <= 262144)
);

-- Backs the replay of a person's events to a client that reconnects.
CREATE INDEX events_owner_position_idx ON events (owner_id, position);

CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END;
$$;

CREATE TRIGGER events_are_immutable
BEFORE UPDATE OR DELETE ON events
FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER events_are_not_truncated
BEFORE TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The identity of the log, and its first position when the oldest part was archived. The table has one row.
--
-- A log that was restored and cannot be recovered becomes another log: `log_id` changes, so that clients and
-- consumers know that positions mean something else. `origin_id` stays: work that is done once in the life of a
-- log, such as the definition of its first algorithms, is named after it and is not done again.
CREATE TABLE log_identity (
    singleton boolean NOT NULL DEFAULT true,
    log_id uuid NOT NULL,
    origin_id uuid NOT NULL,
    floor_position bigint NOT NULL DEFAULT 0,
    floor_chain bytea NOT NULL DEFAULT '\x0000000000000000000000000000000000000000000000000000000000000000',
    CONSTRAINT log_identity_pkey PRIMARY KEY (singleton),
    CONSTRAINT log_identity_one_row CHECK (singleton)
);

INSERT INTO log_identity (log_id, origin_id)
SELECT fresh.id, fresh.id
FROM (SELECT gen_random_uuid() AS id) AS fresh;
