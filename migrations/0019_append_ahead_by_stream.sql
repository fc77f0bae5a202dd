-- `append_ahead` looks at each stream by itself. The planner took the two conditions of 0018 for a list to be looked up
-- in a hash of all events, and read the whole log for every batch to streams that exist: http-commands fell from 5,900
-- to 800 commands a second. What is limited to one row is never made a hash, whatever the planner believes of the
-- table. What the function is for stands in 0018.
CREATE OR REPLACE FUNCTION append_ahead(
    -- As `append_units` has them.
    unit_owner uuid[],
    unit_command uuid[],
    unit_fingerprint bytea[],
    unit_outcome text[],
    unit_expires timestamptz[],
    unit_metadata text[],
    unit_event_owner uuid[],
    unit_first int[],
    unit_last int[],
    stream_unit int[],
    stream_type text[],
    stream_id uuid[],
    stream_version bigint[],
    event_unit int[],
    event_stream int[],
    event_sequence bigint[],
    event_ids uuid[],
    event_types text[],
    event_versions text[],
    event_payload text[],
    event_digest bytea[],
    claim_unit int[],
    claim_kind text[],
    claim_key bytea[],
    claim_owner uuid[],
    claim_taken boolean[],
    snapshot_stream int[],
    snapshot_version bigint[],
    snapshot_schema text[],
    snapshot_payload text[],
    look_first boolean,
    -- The last event of the batch before, and the links of this one's events.
    tip_position bigint,
    tip_chain bytea,
    linked_at timestamptz,
    linked_chain bytea[]
) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'append_ahead runs under READ COMMITTED only' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF NOT pg_try_advisory_xact_lock_shared(7012025) THEN
        RETURN false;
    END IF;
    IF pg_advisory_xact_lock(-(tip_position + array_length(event_ids, 1))) IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO events (
        position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, event_id, owner_id, recorded_at, chain
    )
    SELECT
        tip_position + n, stream_type[event_stream[n]], stream_id[event_stream[n]]::text, event_sequence[n],
        event_types[n], event_versions[n], event_payload[n]::json, unit_metadata[event_unit[n]]::json,
        event_ids[n], unit_event_owner[event_unit[n]], linked_at, linked_chain[n]
    FROM generate_series(1, array_length(event_ids, 1)) AS n;
    INSERT INTO command_receipts (
        owner, command_id, fingerprint, first_position, last_position, outcome, expires_at
    )
    SELECT
        unit_owner[u], unit_command[u], unit_fingerprint[u], tip_position + unit_first[u],
        tip_position + unit_last[u], unit_outcome[u]::json, unit_expires[u]
    FROM generate_series(1, array_length(unit_command, 1)) AS u;

    -- Never null, and what is inserted may not stay without the look below. PERFORM would start an executor for it.
    IF pg_advisory_xact_lock(-tip_position) IS NULL THEN
        RAISE EXCEPTION 'no batch before is named' USING ERRCODE = 'RX001';
    END IF;
    -- From here on every statement sees what the batch before committed.
    PERFORM 1
    FROM events AS e
    WHERE e.position = tip_position AND e.chain = tip_chain AND e.recorded_at <= linked_at
      AND abs(extract(epoch FROM clock_timestamp() - linked_at)) < 1;
    IF NOT found THEN
        RAISE EXCEPTION 'the log does not end at % as the caller says', tip_position USING ERRCODE = 'RX001';
    END IF;
    -- A stream that is shorter than expected breaks no constraint, nor does one that is longer and not written to.
    IF 0 < ANY (stream_version) OR look_first THEN
        PERFORM 1
        FROM generate_series(1, array_length(stream_version, 1)) AS s
        WHERE (stream_version[s] > 0 AND (
            SELECT true
            FROM events AS e
            WHERE e.aggregate_type = stream_type[s] AND e.aggregate_id = stream_id[s]::text
              AND e.sequence = stream_version[s]
            LIMIT 1
        ) IS NULL) OR (look_first AND s <> ALL (event_stream) AND (
            SELECT true
            FROM events AS e
            WHERE e.aggregate_type = stream_type[s] AND e.aggregate_id = stream_id[s]::text
              AND e.sequence = stream_version[s] + 1
            LIMIT 1
        ) IS NOT NULL);
        IF found THEN
            RAISE EXCEPTION 'a stream has not the version that the caller says' USING ERRCODE = 'RX001';
        END IF;
    END IF;
    IF array_length(claim_unit, 1) > 0 THEN
        PERFORM append_claims(claim_kind, claim_key, claim_owner, claim_taken);
    END IF;
    IF array_length(snapshot_stream, 1) > 0 THEN
        PERFORM append_snapshots(
            stream_type, stream_id, snapshot_stream, snapshot_version, snapshot_schema, snapshot_payload
        );
    END IF;
    RETURN true;
END;
$$;
