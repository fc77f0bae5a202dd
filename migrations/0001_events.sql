-- The log. One table, one order: `position` is 1, 2, 3 … without a gap, in commit order. Nothing in it is
-- ever changed or removed, so triggers refuse it. `json`, not `jsonb`, keeps the exact bytes that the chain
-- covers. Three indexes and no more: every further one would slow each append.
CREATE TABLE events (
    position bigint NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    sequence bigint NOT NULL,
    event_type text NOT NULL,
    event_version text NOT NULL,
    payload json NOT NULL,
    metadata json NOT NULL,
    event_id uuid NOT NULL,
    owner_id uuid,
    recorded_at timestamptz NOT NULL,
    chain bytea NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (position),
    CONSTRAINT events_stream_key UNIQUE (aggregate_type, aggregate_id, sequence),
    CONSTRAINT events_payload_size CHECK (octet_length(payload::text) <= 262144)
);

-- Backs the replay of a person's events to a reconnecting client.
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

-- Which log this is, and where it begins when its oldest part was archived. One row.
CREATE TABLE log_identity (
    singleton boolean NOT NULL DEFAULT true,
    log_id uuid NOT NULL DEFAULT gen_random_uuid(),
    floor_position bigint NOT NULL DEFAULT 0,
    floor_chain bytea NOT NULL DEFAULT '\x0000000000000000000000000000000000000000000000000000000000000000',
    CONSTRAINT log_identity_pkey PRIMARY KEY (singleton),
    CONSTRAINT log_identity_one_row CHECK (singleton)
);

INSERT INTO log_identity DEFAULT VALUES;
