-- Appends many units of events in one round trip, as `append_batch` did, which this replaces. A unit is all or
-- nothing; units do not depend on each other. Positions are dense because they are numbered under the lock, in
-- the transaction that stores them.
--
-- It writes first and asks afterwards: the unique constraints on streams, receipts and claims say whether a
-- batch may be stored as it is, and nearly every batch may. That saves a look-up per stream and receipt. Only
-- when one of them refuses is the batch undone, taken apart unit by unit and stored without those that fail.
--
-- Answers `base` when every unit was appended: the position before the first event; the caller knows the rest.
-- Else one outcome per unit: 'appended' (first, last), 'duplicate' (first, last, stored outcome), 'mismatch'
-- (the command id was used for something else), 'deferred' (shares an aggregate, a command id or a claim with
-- an earlier unit of the batch), 'conflict' (detail names the stream), 'taken' (detail names the kind of claim).
DROP FUNCTION append_batch;

-- Receipts are found by their expiry only when they are cleaned up, and expiry rises with time: block ranges
-- are enough, and cost an append nothing.
DROP INDEX command_receipts_expires_at_idx;
CREATE INDEX command_receipts_expires_at_idx ON command_receipts USING brin (expires_at) WITH (autosummarize = on);

CREATE FUNCTION append_units(
    -- A unit: who commands what, and the offsets of its first and last event within the batch, from 1.
    unit_owner uuid[],
    unit_command uuid[],
    unit_fingerprint bytea[],
    unit_outcome text[],
    unit_expires timestamptz[],
    unit_metadata text[],
    unit_event_owner uuid[],
    unit_first int[],
    unit_last int[],
    -- A stream of a unit, and the version at which it must be.
    stream_unit int[],
    stream_type text[],
    stream_id uuid[],
    stream_version bigint[],
    -- An event: its unit and its stream by number, from 1.
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
    -- Whether a unit expects something of a stream that it does not write: no constraint would notice.
    look_first boolean,
    OUT base bigint,
    OUT outcomes text[],
    OUT firsts bigint[],
    OUT lasts bigint[],
    OUT details text[]
)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    head bigint;
    head_chain bytea;
    head_at timestamptz;
    link bytea;
    stamp bytea;
    digest bytea;
    chains bytea[];
    kept_events int[];
    n int := 0;
    broken text;
    found record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'append_units runs under READ COMMITTED only' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(7012025);

    -- From here on every statement sees what the last holder of the lock committed.
    SELECT e.position, e.chain, e.recorded_at
    INTO head, head_chain, head_at
    FROM events AS e
    ORDER BY e.position DESC
    LIMIT 1;
    IF head IS NULL THEN
        SELECT i.floor_position, i.floor_chain INTO head, head_chain FROM log_identity AS i;
    END IF;
    head_at := greatest(clock_timestamp(), head_at);
    stamp := int8send((extract(epoch FROM head_at) * 1000000)::bigint);

    -- A stream that is shorter than expected breaks no constraint. Streams never shrink, so this is the sign of
    -- a log that was put back to an earlier state.
    IF NOT look_first AND NOT EXISTS (
        SELECT 1
        FROM unnest(stream_type, stream_id, stream_version) AS s (t, i, v)
        WHERE s.v > 0 AND NOT EXISTS (
            SELECT 1
            FROM events AS e
            WHERE e.aggregate_type = s.t AND e.aggregate_id = s.i::text AND e.sequence = s.v
        )
    ) THEN
        BEGIN
            link := head_chain;
            chains := event_digest;
            FOREACH digest IN ARRAY event_digest LOOP
                n := n + 1;
                link := sha256(link || int8send(head + n) || stamp || digest);
                chains[n] := link;
            END LOOP;
            INSERT INTO events (
                position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload, metadata, event_id, owner_id, recorded_at, chain
            )
            SELECT
                head + e.n, stream_type[e.stream], stream_id[e.stream]::text, e.sequence, e.event_type,
                e.event_version, e.payload::json, unit_metadata[e.unit]::json, e.event_id,
                unit_event_owner[e.unit], head_at, e.chain
            FROM unnest(
                event_unit, event_stream, event_sequence, event_ids, event_types, event_versions, event_payload, chains
            ) WITH ORDINALITY AS e (unit, stream, sequence, event_id, event_type, event_version, payload, chain, n);
            INSERT INTO command_receipts (
                owner, command_id, fingerprint, first_position, last_position, outcome, expires_at
            )
            SELECT u.owner, u.command_id, u.fingerprint, head + u.first, head + u.last, u.outcome::json, u.expires_at
            FROM unnest(unit_owner, unit_command, unit_fingerprint, unit_first, unit_last, unit_outcome, unit_expires)
                AS u (owner, command_id, fingerprint, first, last, outcome, expires_at);
            IF array_length(claim_unit, 1) > 0 THEN
                PERFORM append_claims(claim_kind, claim_key, claim_owner, claim_taken);
            END IF;
            IF array_length(snapshot_stream, 1) > 0 THEN
                PERFORM append_snapshots(
                    stream_type, stream_id, snapshot_stream, snapshot_version, snapshot_schema, snapshot_payload
                );
            END IF;
            base := head;
            RETURN;
        EXCEPTION WHEN unique_violation THEN
            GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
            IF broken NOT IN ('events_stream_key', 'command_receipts_pkey', 'claims_pkey') THEN
                RAISE;
            END IF;
        END;
    END IF;

    outcomes := array_fill('appended'::text, ARRAY[array_length(unit_command, 1)]);
    firsts := array_fill(NULL::bigint, ARRAY[array_length(unit_command, 1)]);
    lasts := firsts;
    details := array_fill(NULL::text, ARRAY[array_length(unit_command, 1)]);
    FOR found IN
        SELECT
            u.n,
            r.command_id IS NOT NULL AS received,
            r.fingerprint IS NOT DISTINCT FROM u.fingerprint AS same,
            r.first_position,
            r.last_position,
            r.outcome::text AS stored,
            EXISTS (
                SELECT 1
                FROM unnest(unit_owner, unit_command) WITH ORDINALITY AS o (owner, command_id, n)
                WHERE o.n < u.n AND o.owner = u.owner AND o.command_id = u.command_id
            ) OR EXISTS (
                SELECT 1
                FROM unnest(stream_unit, stream_type, stream_id) AS mine (n, t, i)
                JOIN unnest(stream_unit, stream_type, stream_id) AS other (n, t, i)
                    ON other.t = mine.t AND other.i = mine.i AND other.n < mine.n
                WHERE mine.n = u.n
            ) OR EXISTS (
                SELECT 1
                FROM unnest(claim_unit, claim_kind, claim_key) AS mine (n, k, h)
                JOIN unnest(claim_unit, claim_kind, claim_key) AS other (n, k, h)
                    ON other.k = mine.k AND other.h = mine.h AND other.n < mine.n
                WHERE mine.n = u.n
            ) AS shared,
            (
                SELECT s.t || '/' || s.i::text
                FROM unnest(stream_unit, stream_type, stream_id, stream_version) AS s (n, t, i, v)
                WHERE s.n = u.n AND s.v <> coalesce((
                    SELECT e.sequence
                    FROM events AS e
                    WHERE e.aggregate_type = s.t AND e.aggregate_id = s.i::text
                    ORDER BY e.sequence DESC
                    LIMIT 1
                ), 0)
                LIMIT 1
            ) AS conflict,
            (
                SELECT c.k
                FROM unnest(claim_unit, claim_kind, claim_key, claim_taken) AS c (n, k, h, taken)
                JOIN claims AS held ON held.kind = c.k AND held.key_hash = c.h
                WHERE c.n = u.n AND c.taken
                  -- A unit that releases and takes a claim itself passes it on.
                  AND NOT EXISTS (
                      SELECT 1
                      FROM unnest(claim_unit, claim_kind, claim_key, claim_taken) AS gone (n, k, h, taken)
                      WHERE gone.n = c.n AND gone.k = c.k AND gone.h = c.h AND NOT gone.taken
                  )
                LIMIT 1
            ) AS taken
        FROM unnest(unit_owner, unit_command, unit_fingerprint)
            WITH ORDINALITY AS u (owner, command_id, fingerprint, n)
        LEFT JOIN command_receipts AS r ON r.owner = u.owner AND r.command_id = u.command_id
    LOOP
        IF found.received AND found.same THEN
            outcomes[found.n] := 'duplicate';
            firsts[found.n] := found.first_position;
            lasts[found.n] := found.last_position;
            details[found.n] := found.stored;
        ELSIF found.received THEN
            outcomes[found.n] := 'mismatch';
        ELSIF found.shared THEN
            outcomes[found.n] := 'deferred';
        ELSIF found.conflict IS NOT NULL THEN
            outcomes[found.n] := 'conflict';
            details[found.n] := found.conflict;
        ELSIF found.taken IS NOT NULL THEN
            outcomes[found.n] := 'taken';
            details[found.n] := found.taken;
        END IF;
    END LOOP;

    chains := '{}';
    link := head_chain;
    n := 0;
    FOR i IN 1 .. coalesce(array_length(event_ids, 1), 0) LOOP
        IF outcomes[event_unit[i]] = 'appended' THEN
            n := n + 1;
            link := sha256(link || int8send(head + n) || stamp || event_digest[i]);
            chains[n] := link;
            kept_events[n] := i;
            firsts[event_unit[i]] := coalesce(firsts[event_unit[i]], head + n);
            lasts[event_unit[i]] := head + n;
        END IF;
    END LOOP;
    INSERT INTO events (
        position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, event_id, owner_id, recorded_at, chain
    )
    SELECT
        head + k.n, stream_type[event_stream[k.i]], stream_id[event_stream[k.i]]::text, event_sequence[k.i],
        event_types[k.i], event_versions[k.i], event_payload[k.i]::json, unit_metadata[event_unit[k.i]]::json,
        event_ids[k.i], unit_event_owner[event_unit[k.i]], head_at, k.chain
    FROM unnest(kept_events, chains) WITH ORDINALITY AS k (i, chain, n);
    INSERT INTO command_receipts (
        owner, command_id, fingerprint, first_position, last_position, outcome, expires_at
    )
    SELECT u.owner, u.command_id, u.fingerprint, u.first_position, u.last_position, u.outcome::json, u.expires_at
    FROM unnest(unit_owner, unit_command, unit_fingerprint, firsts, lasts, unit_outcome, unit_expires, outcomes)
        AS u (owner, command_id, fingerprint, first_position, last_position, outcome, expires_at, result)
    WHERE u.result = 'appended';
    PERFORM append_claims(array_agg(c.kind), array_agg(c.key_hash), array_agg(c.owner), array_agg(c.taken))
    FROM unnest(claim_unit, claim_kind, claim_key, claim_owner, claim_taken) AS c (n, kind, key_hash, owner, taken)
    WHERE outcomes[c.n] = 'appended';
    PERFORM append_snapshots(
        stream_type, stream_id, array_agg(s.stream), array_agg(s.version), array_agg(s.schema), array_agg(s.payload)
    )
    FROM unnest(snapshot_stream, snapshot_version, snapshot_schema, snapshot_payload)
        AS s (stream, version, schema, payload)
    WHERE outcomes[stream_unit[s.stream]] = 'appended';
END;
$$;

-- Releases and takes claims, in this order.
CREATE FUNCTION append_claims(claim_kind text[], claim_key bytea[], claim_owner uuid[], claim_taken boolean[])
RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    DELETE FROM claims AS held
    USING unnest(claim_kind, claim_key, claim_owner, claim_taken) AS c (kind, key_hash, owner, taken)
    WHERE held.kind = c.kind AND held.key_hash = c.key_hash AND held.owner = c.owner AND NOT c.taken;
    INSERT INTO claims (kind, key_hash, owner)
    SELECT c.kind, c.key_hash, c.owner
    FROM unnest(claim_kind, claim_key, claim_owner, claim_taken) AS c (kind, key_hash, owner, taken)
    WHERE c.taken;
END;
$$;

-- Keeps snapshots, each only when it is newer than the one there is, or that one has another form.
CREATE FUNCTION append_snapshots(
    stream_type text[],
    stream_id uuid[],
    snapshot_stream int[],
    snapshot_version bigint[],
    snapshot_schema text[],
    snapshot_payload text[]
) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO snapshots AS old (aggregate_type, aggregate_id, version, schema_tag, payload)
    SELECT stream_type[s.stream], stream_id[s.stream]::text, s.version, s.schema, s.payload::json
    FROM unnest(snapshot_stream, snapshot_version, snapshot_schema, snapshot_payload)
        AS s (stream, version, schema, payload)
    ON CONFLICT ON CONSTRAINT snapshots_pkey DO UPDATE
    SET version = excluded.version,
        schema_tag = excluded.schema_tag,
        payload = excluded.payload
    WHERE old.version < excluded.version OR old.schema_tag <> excluded.schema_tag;
END;
$$;
