-- Append: the only way into the log. A *unit* is all that one command writes, all of it or nothing; a batch is some
-- units that know nothing of each other. One call is one transaction.
--
-- Positions are dense because only one transaction at a time can take the next ones. There are two ways to be that one:
--
--   at the lock   The caller knows nothing of the log's end and passes no tip. `append` takes the lock of the log alone,
--                 reads the end, numbers and links the events behind it, and keeps the lock until the commit.
--   ahead         The caller knows the last event, its tip, because it wrote that event itself and perhaps still waits
--                 for its commit. `append` shares the lock with its like and inserts at once: the unique index on
--                 positions keeps the places. Before it looks and commits it waits for the batch in front, which has
--                 locked its own last position, negative, since the lock of the log is a number too. So a batch is
--                 written while the one in front reaches the disk. Its caller links the chain.
--
-- A caller at the lock waits for all batches ahead, and while it has the lock or waits for it no other begins: `append`
-- then answers no `base`, and has written nothing.
--
-- `append` writes first and asks afterwards: unique constraints on streams, receipts and claims tell whether the batch
-- fits, and nearly every batch does. A batch that does not fit is an error and leaves nothing behind:
--
--   unique_violation of events_stream_key, command_receipts_pkey or claims_pkey, or RX002: a unit is at fault.
--                 `explain_units` tells which one, and why. The caller sends the others again.
--   unique_violation of events_pkey, or RX001: the log does not end where the caller believed.
--
-- The chain: `chain_link` is the formula; `docs/contracts.md` explains it. `recorded_at` never falls, and the events of a
-- batch share it.

-- The number of the lock of the log: 7012025. `recover` takes it too.

CREATE TYPE new_unit AS (
    owner uuid,
    command_id uuid,
    fingerprint bytea,
    outcome text,
    expires_at timestamptz,
    -- The places of its first and its last event in the batch, from 1.
    first_event int,
    last_event int
);

-- The version at which a unit expects a stream to be: the number of its events.
CREATE TYPE expected_stream AS (
    -- The place of the unit in the batch, from 1.
    unit int,
    aggregate_type text,
    aggregate_id uuid,
    version bigint,
    is_written boolean
);

CREATE TYPE new_event AS (
    aggregate_type text,
    aggregate_id uuid,
    sequence bigint,
    event_type text,
    event_version text,
    payload text,
    metadata text,
    event_id uuid,
    owner_id uuid,
    digest bytea,
    authentication bytea
);

CREATE TYPE claim_change AS (
    -- The place of the unit in the batch, from 1.
    unit int,
    kind text,
    key_hash bytea,
    owner uuid,
    -- Else it is released.
    is_taken boolean
);

CREATE TYPE new_snapshot AS (
    aggregate_type text,
    aggregate_id uuid,
    version bigint,
    schema_tag text,
    payload text,
    event_id uuid,
    authentication bytea
);

-- The chain value of an event, from that of the event before it.
CREATE FUNCTION chain_link(before bytea, at_position bigint, recorded_at timestamptz, digest bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(
        before || int8send(at_position) || int8send((extract(epoch FROM recorded_at) * 1000000)::bigint) || digest
    );
$$;

-- The end of the log: the last event, or the floor below which the log was archived.
CREATE FUNCTION log_end() RETURNS TABLE (last_position bigint, last_chain bytea, last_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(e.position, i.floor_position), coalesce(e.chain, i.floor_chain), e.recorded_at
    FROM log_identity AS i
    LEFT JOIN LATERAL (
        SELECT position, chain, recorded_at FROM events ORDER BY position DESC LIMIT 1
    ) AS e ON true;
$$;

-- Appends a batch and tells the position in front of its first event, and the chain value and time of its last.
CREATE FUNCTION append(
    new_units new_unit[],
    -- Only streams that are expected to have events, or are not written to: a stream that is shorter than expected
    -- breaks no constraint, nor does one that is longer and not written to.
    streams expected_stream[],
    new_events new_event[],
    claim_changes claim_change[],
    new_snapshots new_snapshot[],
    -- The last event in front of the batch, and the time and the chain values of the batch's own events. All are null
    -- where the caller does not know the end of the log.
    tip_position bigint,
    tip_chain bytea,
    linked_at timestamptz,
    links bytea[],
    OUT base bigint,
    OUT last_chain bytea,
    OUT last_at timestamptz
)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    is_ahead boolean := tip_position IS NOT NULL;
    size int := array_length(new_events, 1);
    digest bytea;
    link bytea;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'append runs under READ COMMITTED only' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    -- A lock function gives a value that is never null. It stands in a condition, because PERFORM would start an
    -- executor for it.
    IF is_ahead THEN
        IF NOT pg_try_advisory_xact_lock_shared(7012025) OR pg_advisory_xact_lock(-(tip_position + size)) IS NULL THEN
            RETURN;
        END IF;
        base := tip_position;
        last_at := linked_at;
    ELSIF pg_advisory_xact_lock(7012025) IS NOT NULL THEN
        -- From here on every statement sees what the last holder of the lock committed.
        SELECT * INTO base, link, last_at FROM log_end();
        last_at := greatest(clock_timestamp(), last_at);
        size := 0;
        FOREACH digest IN ARRAY ARRAY(SELECT e.digest FROM unnest(new_events) AS e) LOOP
            size := size + 1;
            link := chain_link(link, base + size, last_at, digest);
            links[size] := link;
        END LOOP;
    END IF;
    last_chain := links[size];

    INSERT INTO events (
        position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, event_id, owner_id, recorded_at, chain, authentication
    )
    SELECT
        base + e.place, e.aggregate_type, e.aggregate_id::text, e.sequence, e.event_type, e.event_version,
        e.payload::json, e.metadata::json, e.event_id, e.owner_id, last_at, links[e.place], e.authentication
    FROM unnest(new_events) WITH ORDINALITY AS e (
        aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, event_id, owner_id, digest, authentication, place
    );
    INSERT INTO command_receipts (
        owner, command_id, fingerprint, first_position, last_position, outcome, expires_at
    )
    SELECT
        u.owner, u.command_id, u.fingerprint, base + u.first_event, base + u.last_event, u.outcome::json, u.expires_at
    FROM unnest(new_units) AS u;

    IF is_ahead THEN
        IF pg_advisory_xact_lock(-tip_position) IS NULL THEN
            RAISE EXCEPTION 'no batch in front is named' USING ERRCODE = 'RX001';
        END IF;
        -- From here on every statement sees what the batch in front committed.
        PERFORM 1
        FROM events AS e
        WHERE e.position = tip_position AND e.chain = tip_chain AND e.recorded_at <= linked_at
          AND abs(extract(epoch FROM clock_timestamp() - linked_at)) < 1;
        IF NOT found THEN
            RAISE EXCEPTION 'the log does not end at % as the caller says', tip_position USING ERRCODE = 'RX001';
        END IF;
    END IF;
    IF array_length(streams, 1) > 0 THEN
        -- A subquery that is limited to one row is never made a hash of the whole log, whatever the planner believes of
        -- the table.
        PERFORM 1
        FROM unnest(streams) AS s
        WHERE (s.version > 0 AND (
            SELECT true
            FROM events AS e
            WHERE e.aggregate_type = s.aggregate_type AND e.aggregate_id = s.aggregate_id::text
              AND e.sequence = s.version
            LIMIT 1
        ) IS NULL) OR (NOT s.is_written AND (
            SELECT true
            FROM events AS e
            WHERE e.aggregate_type = s.aggregate_type AND e.aggregate_id = s.aggregate_id::text
              AND e.sequence = s.version + 1
            LIMIT 1
        ) IS NOT NULL);
        IF found THEN
            RAISE EXCEPTION 'a stream is not at the version that a unit expects' USING ERRCODE = 'RX002';
        END IF;
    END IF;
    IF array_length(claim_changes, 1) > 0 THEN
        DELETE FROM claims AS held
        USING unnest(claim_changes) AS c
        WHERE held.kind = c.kind AND held.key_hash = c.key_hash AND held.owner = c.owner AND NOT c.is_taken;
        INSERT INTO claims (kind, key_hash, owner)
        SELECT c.kind, c.key_hash, c.owner
        FROM unnest(claim_changes) AS c
        WHERE c.is_taken;
    END IF;
    IF array_length(new_snapshots, 1) > 0 THEN
        -- A snapshot is kept only when it is newer than the stored one, or that one has another form.
        INSERT INTO snapshots AS old (
            aggregate_type, aggregate_id, version, schema_tag, payload, event_id, authentication
        )
        SELECT
            s.aggregate_type, s.aggregate_id::text, s.version, s.schema_tag, s.payload::json, s.event_id,
            s.authentication
        FROM unnest(new_snapshots) AS s
        ON CONFLICT ON CONSTRAINT snapshots_pkey DO UPDATE
        SET version = excluded.version,
            schema_tag = excluded.schema_tag,
            payload = excluded.payload,
            event_id = excluded.event_id,
            authentication = excluded.authentication
        WHERE old.version < excluded.version OR old.schema_tag <> excluded.schema_tag;
    END IF;
END;
$$;

-- Appends a unit of a single event at the lock, as plain values: a single writer sends these, and the writers of one
-- busy stream. It takes half the time of `append`, in the same order of steps and with the same errors.
CREATE FUNCTION append_event(
    command_owner uuid,
    command uuid,
    command_fingerprint bytea,
    command_outcome text,
    command_expires timestamptz,
    stream_type text,
    stream_id uuid,
    -- The version at which the stream must be.
    stream_version bigint,
    event uuid,
    event_type text,
    event_version text,
    event_payload text,
    event_metadata text,
    event_digest bytea,
    event_authentication bytea,
    event_owner uuid
) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    last_position bigint;
    last_chain bytea;
    last_at timestamptz;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'append runs under READ COMMITTED only' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF pg_advisory_xact_lock(7012025) IS NOT NULL THEN
        SELECT * INTO last_position, last_chain, last_at FROM log_end();
    END IF;
    last_position := last_position + 1;
    last_at := greatest(clock_timestamp(), last_at);
    INSERT INTO events (
        position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, event_id, owner_id, recorded_at, chain, authentication
    ) VALUES (
        last_position, stream_type, stream_id::text, stream_version + 1, event_type, event_version,
        event_payload::json, event_metadata::json, event, event_owner, last_at,
        chain_link(last_chain, last_position, last_at, event_digest), event_authentication
    );
    INSERT INTO command_receipts (
        owner, command_id, fingerprint, first_position, last_position, outcome, expires_at
    ) VALUES (
        command_owner, command, command_fingerprint, last_position, last_position, command_outcome::json,
        command_expires
    );
    IF stream_version > 0 THEN
        PERFORM 1
        FROM events AS e
        WHERE e.aggregate_type = stream_type AND e.aggregate_id = stream_id::text AND e.sequence = stream_version;
        IF NOT found THEN
            RAISE EXCEPTION 'a stream is not at the version that a unit expects' USING ERRCODE = 'RX002';
        END IF;
    END IF;
    RETURN last_position;
END;
$$;

-- Explains why a batch did not fit: per unit, in their order, `fine`, `duplicate` (with the first positions and the
-- first outcome), `mismatch` (the command id was used for something else), `conflict` (detail names the stream) or
-- `taken` (detail names the kind of claim). It takes no lock: `fine` and `taken` may have changed when the caller hears of
-- them, the others stay true, because a log that only grows neither replaces receipts nor shortens streams.
CREATE FUNCTION explain_units(new_units new_unit[], streams expected_stream[], claim_changes claim_change[])
RETURNS TABLE (verdict text, first_position bigint, last_position bigint, detail text)
LANGUAGE sql STABLE AS $$
    SELECT
        CASE
            WHEN r.fingerprint = u.fingerprint THEN 'duplicate'
            WHEN r.command_id IS NOT NULL THEN 'mismatch'
            WHEN conflict.stream IS NOT NULL THEN 'conflict'
            WHEN taken.kind IS NOT NULL THEN 'taken'
            ELSE 'fine'
        END,
        r.first_position,
        r.last_position,
        CASE WHEN r.command_id IS NOT NULL THEN r.outcome::text ELSE coalesce(conflict.stream, taken.kind) END
    FROM unnest(new_units) WITH ORDINALITY
        AS u (owner, command_id, fingerprint, outcome, expires_at, first_event, last_event, place)
    LEFT JOIN command_receipts AS r ON r.owner = u.owner AND r.command_id = u.command_id
    LEFT JOIN LATERAL (
        SELECT s.aggregate_type || '/' || s.aggregate_id::text AS stream
        FROM unnest(streams) AS s
        WHERE s.unit = u.place AND s.version <> coalesce((
            SELECT e.sequence
            FROM events AS e
            WHERE e.aggregate_type = s.aggregate_type AND e.aggregate_id = s.aggregate_id::text
            ORDER BY e.sequence DESC
            LIMIT 1
        ), 0)
        LIMIT 1
    ) AS conflict ON true
    LEFT JOIN LATERAL (
        SELECT c.kind
        FROM unnest(claim_changes) AS c
        JOIN claims AS held ON held.kind = c.kind AND held.key_hash = c.key_hash
        WHERE c.unit = u.place AND c.is_taken
          -- A unit that releases and takes a claim itself passes it on.
          AND NOT EXISTS (
              SELECT 1
              FROM unnest(claim_changes) AS released
              WHERE released.unit = c.unit AND released.kind = c.kind AND released.key_hash = c.key_hash
                AND NOT released.is_taken AND released.owner = held.owner
          )
        LIMIT 1
    ) AS taken ON true
    ORDER BY u.place;
$$;
