-- A batch of one unit with one event to one stream, as plain values: what a single writer sends, and the writers
-- of one busy stream. It takes half the time of `append_units`, which reads some thirty arrays for it. A stream, a
-- receipt or a position that is not as expected changes nothing and gives null: `append_units` is then asked, and
-- says what it is. So a conflict costs two calls; it is rare where a process knows the state of its streams.
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
    event_owner uuid
) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    head bigint;
    head_chain bytea;
    head_at timestamptz;
    link bytea;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'append_event runs under READ COMMITTED only' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    -- The lock of `append_units`, never null. PERFORM would start an executor for it.
    IF pg_advisory_xact_lock(7012025) IS NULL THEN
        RETURN NULL;
    END IF;

    -- From here on every statement sees what the last holder of the lock committed.
    SELECT e.position, e.chain, e.recorded_at
    INTO head, head_chain, head_at
    FROM events AS e
    ORDER BY e.position DESC
    LIMIT 1;
    IF head IS NULL THEN
        SELECT i.floor_position, i.floor_chain INTO head, head_chain FROM log_identity AS i;
    END IF;
    -- A stream that is shorter than expected breaks no constraint: the sign of a log that was put back.
    IF stream_version > 0 THEN
        PERFORM 1
        FROM events AS e
        WHERE e.aggregate_type = stream_type AND e.aggregate_id = stream_id::text AND e.sequence = stream_version;
        IF NOT found THEN
            RETURN NULL;
        END IF;
    END IF;

    head := head + 1;
    head_at := greatest(clock_timestamp(), head_at);
    link := sha256(
        head_chain || int8send(head) || int8send((extract(epoch FROM head_at) * 1000000)::bigint) || event_digest
    );
    INSERT INTO events (
        position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, event_id, owner_id, recorded_at, chain
    ) VALUES (
        head, stream_type, stream_id::text, stream_version + 1, event_type, event_version,
        event_payload::json, event_metadata::json, event, event_owner, head_at, link
    );
    INSERT INTO command_receipts (
        owner, command_id, fingerprint, first_position, last_position, outcome, expires_at
    ) VALUES (
        command_owner, command, command_fingerprint, head, head, command_outcome::json, command_expires
    );
    RETURN head;
EXCEPTION WHEN unique_violation THEN
    RETURN NULL;
END;
$$;
