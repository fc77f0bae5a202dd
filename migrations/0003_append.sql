-- Appends many units of events in one round trip. A unit is all or nothing; units do not depend on each
-- other. Positions are dense because they are numbered under the lock, in the transaction that stores them.
--
-- Answers one row per unit: 'appended' (first, last), 'duplicate' (first, last, stored outcome),
-- 'mismatch' (the command id was used for something else), 'deferred' (shares an aggregate, a command id or
-- a claim with an earlier unit of the batch), 'conflict' (detail names the stream), 'taken' (detail names
-- the kind of claim).
CREATE FUNCTION append_batch(
    unit_owner uuid[],
    unit_command uuid[],
    unit_fingerprint bytea[],
    unit_outcome text[],
    unit_expires timestamptz[],
    expect_unit int[],
    expect_type text[],
    expect_id text[],
    expect_sequence bigint[],
    new_unit int[],
    new_event_id uuid[],
    new_aggregate_type text[],
    new_aggregate_id text[],
    new_sequence bigint[],
    new_event_type text[],
    new_event_version text[],
    new_payload text[],
    new_metadata text[],
    new_owner uuid[],
    new_digest bytea[],
    claim_unit int[],
    claim_kind text[],
    claim_key bytea[],
    claim_owner uuid[],
    claim_taken boolean[],
    snapshot_unit int[],
    snapshot_type text[],
    snapshot_id text[],
    snapshot_version bigint[],
    snapshot_schema text[],
    snapshot_payload text[]
) RETURNS TABLE (unit int, outcome text, first_position bigint, last_position bigint, detail text)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    units int := coalesce(array_length(unit_command, 1), 0);
    outcomes text[] := array_fill('appended'::text, ARRAY[units]);
    details text[] := array_fill(NULL::text, ARRAY[units]);
    firsts bigint[] := array_fill(NULL::bigint, ARRAY[units]);
    lasts bigint[] := array_fill(NULL::bigint, ARRAY[units]);
    chains bytea[] := array_fill(NULL::bytea, ARRAY[coalesce(array_length(new_event_id, 1), 0)]);
    positions bigint[] := array_fill(NULL::bigint, ARRAY[coalesce(array_length(new_event_id, 1), 0)]);
    head bigint;
    head_chain bytea;
    head_at timestamptz;
    stamp bytea;
    clean boolean;
    found record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'append_batch runs under READ COMMITTED only' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(7012025);

    -- From here on every statement sees what the last holder of the lock committed.
    SELECT NOT EXISTS (
        SELECT 1
        FROM unnest(unit_owner, unit_command) AS u (owner, command_id)
        JOIN command_receipts AS r ON r.owner = u.owner AND r.command_id = u.command_id
    ) AND NOT EXISTS (
        SELECT 1
        FROM unnest(expect_type, expect_id, expect_sequence) AS x (aggregate_type, aggregate_id, sequence)
        WHERE x.sequence <> coalesce((
            SELECT e.sequence
            FROM events AS e
            WHERE e.aggregate_type = x.aggregate_type AND e.aggregate_id = x.aggregate_id
            ORDER BY e.sequence DESC
            LIMIT 1
        ), 0)
    ) AND NOT EXISTS (
        SELECT 1
        FROM unnest(claim_kind, claim_key, claim_owner, claim_taken) AS c (kind, key_hash, owner, taken)
        JOIN claims AS held ON held.kind = c.kind AND held.key_hash = c.key_hash
        WHERE c.taken
    ) AND (
        units = 1 OR (
            NOT EXISTS (
                SELECT 1 FROM unnest(expect_type, expect_id) AS x (t, i) GROUP BY t, i HAVING count(*) > 1
            ) AND NOT EXISTS (
                SELECT 1 FROM unnest(unit_owner, unit_command) AS u (o, c) GROUP BY o, c HAVING count(*) > 1
            ) AND NOT EXISTS (
                SELECT 1 FROM unnest(claim_kind, claim_key) AS c (k, h) GROUP BY k, h HAVING count(*) > 1
            )
        )
    ) INTO clean;

    IF NOT clean THEN
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
                    FROM unnest(expect_unit, expect_type, expect_id) AS mine (n, t, i)
                    JOIN unnest(expect_unit, expect_type, expect_id) AS other (n, t, i)
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
                    SELECT x.t || '/' || x.i
                    FROM unnest(expect_unit, expect_type, expect_id, expect_sequence) AS x (n, t, i, s)
                    WHERE x.n = u.n AND x.s <> coalesce((
                        SELECT e.sequence
                        FROM events AS e
                        WHERE e.aggregate_type = x.t AND e.aggregate_id = x.i
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
    END IF;

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

    FOR n IN 1 .. coalesce(array_length(new_event_id, 1), 0) LOOP
        IF outcomes[new_unit[n]] = 'appended' THEN
            head := head + 1;
            head_chain := sha256(head_chain || int8send(head) || stamp || new_digest[n]);
            positions[n] := head;
            chains[n] := head_chain;
            firsts[new_unit[n]] := coalesce(firsts[new_unit[n]], head);
            lasts[new_unit[n]] := head;
        END IF;
    END LOOP;

    INSERT INTO events (
        position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, event_id, owner_id, recorded_at, chain
    )
    SELECT
        e.position, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version,
        e.payload::json, e.metadata::json, e.event_id, e.owner_id, head_at, e.chain
    FROM unnest(
        positions, new_aggregate_type, new_aggregate_id, new_sequence, new_event_type, new_event_version,
        new_payload, new_metadata, new_event_id, new_owner, chains
    ) AS e (
        position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, event_id, owner_id, chain
    )
    WHERE e.position IS NOT NULL;

    INSERT INTO command_receipts (
        owner, command_id, fingerprint, first_position, last_position, outcome, expires_at
    )
    SELECT u.owner, u.command_id, u.fingerprint, u.first_position, u.last_position, u.outcome::json, u.expires_at
    FROM unnest(unit_owner, unit_command, unit_fingerprint, firsts, lasts, unit_outcome, unit_expires, outcomes)
        AS u (owner, command_id, fingerprint, first_position, last_position, outcome, expires_at, result)
    WHERE u.result = 'appended';

    IF array_length(claim_unit, 1) > 0 THEN
        DELETE FROM claims AS held
        USING unnest(claim_unit, claim_kind, claim_key, claim_owner, claim_taken)
            AS c (n, kind, key_hash, owner, taken)
        WHERE held.kind = c.kind
          AND held.key_hash = c.key_hash
          AND held.owner = c.owner
          AND NOT c.taken
          AND outcomes[c.n] = 'appended';
        INSERT INTO claims (kind, key_hash, owner)
        SELECT c.kind, c.key_hash, c.owner
        FROM unnest(claim_unit, claim_kind, claim_key, claim_owner, claim_taken)
            AS c (n, kind, key_hash, owner, taken)
        WHERE c.taken AND outcomes[c.n] = 'appended';
    END IF;

    IF array_length(snapshot_unit, 1) > 0 THEN
        INSERT INTO snapshots AS old (aggregate_type, aggregate_id, version, schema_tag, payload)
        SELECT s.aggregate_type, s.aggregate_id, s.version, s.schema_tag, s.payload::json
        FROM unnest(
            snapshot_unit, snapshot_type, snapshot_id, snapshot_version, snapshot_schema, snapshot_payload
        ) AS s (n, aggregate_type, aggregate_id, version, schema_tag, payload)
        WHERE outcomes[s.n] = 'appended'
        ON CONFLICT ON CONSTRAINT snapshots_pkey DO UPDATE
        SET version = excluded.version,
            schema_tag = excluded.schema_tag,
            payload = excluded.payload
        WHERE old.version < excluded.version OR old.schema_tag <> excluded.schema_tag;
    END IF;

    RETURN QUERY
    SELECT u.n::int, u.result, u.first_position, u.last_position, u.detail
    FROM unnest(outcomes, firsts, lasts, details) WITH ORDINALITY
        AS u (result, first_position, last_position, detail, n);
END;
$$;
