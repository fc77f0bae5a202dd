-- The command side keeps these tables beside the log. `append` writes the first three in the transaction of the
-- events: receipts make a repeated command harmless, claims make names unique, snapshots shorten loading. Data
-- keys seal the words of persons.
CREATE TABLE command_receipts (
    owner uuid NOT NULL,
    command_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    outcome json NOT NULL,
    -- Null where nothing but the receipt stands against a second effect, at whatever time. The clean-up passes over
    -- the table slice by slice, so this column has no index: an index by time goes stale where freed space is used again.
    expires_at timestamptz,
    CONSTRAINT command_receipts_pkey PRIMARY KEY (owner, command_id)
);

CREATE TABLE claims (
    kind text NOT NULL,
    key_hash bytea NOT NULL,
    owner uuid NOT NULL,
    CONSTRAINT claims_pkey PRIMARY KEY (kind, key_hash)
);

CREATE TABLE snapshots (
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    version bigint NOT NULL,
    schema_tag text NOT NULL,
    payload json NOT NULL,
    -- The event that made the version.
    event_id uuid NOT NULL,
    -- Like that of an event.
    authentication bytea NOT NULL,
    CONSTRAINT snapshots_pkey PRIMARY KEY (aggregate_type, aggregate_id)
);

-- Each person has a key, wrapped by the master key. Erasing the person destroys `wrapped`.
--
-- A key that was made after a backup is lost with the restore, while the events sealed with it may come back from
-- the stream. Such a person must not be given a new key, or the old words would be an error instead of unreadable:
-- the row stands in as if the person had been erased. `lost_at` tells the two apart, so that a key that turns up
-- later may be put back here, and never for a person who was erased.
CREATE TABLE data_keys (
    owner uuid NOT NULL,
    wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    erased_at timestamptz,
    -- The event that erased the person; null while that event is still to be appended.
    erased_by uuid,
    lost_at timestamptz,
    CONSTRAINT data_keys_pkey PRIMARY KEY (owner),
    CONSTRAINT data_keys_erased CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL)),
    CONSTRAINT data_keys_lost CHECK (lost_at IS NULL OR wrapped IS NULL)
);

-- Backs the receipts of erasure that are kept apart from the log.
CREATE INDEX data_keys_erased_idx ON data_keys (owner) WHERE erased_at IS NOT NULL;

-- Erasing a person is an event, and the event destroys the person's key in the transaction that stores it, also
-- when a recovery appends it a second time. So there is no moment at which the log says that somebody was erased
-- and their words can be read. The condition costs each stored event a comparison.
CREATE FUNCTION destroy_data_key() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO data_keys (owner, wrapped, erased_at, erased_by)
    VALUES (NEW.aggregate_id::uuid, NULL, NEW.recorded_at, NEW.event_id)
    ON CONFLICT (owner) DO UPDATE
    SET wrapped = NULL,
        lost_at = NULL,
        erased_at = coalesce(data_keys.erased_at, excluded.erased_at),
        erased_by = coalesce(data_keys.erased_by, excluded.erased_by);
    RETURN NULL;
END;
$$;

CREATE TRIGGER events_erase_persons
AFTER INSERT ON events
FOR EACH ROW
WHEN (NEW.event_type = 'PersonErased' AND NEW.aggregate_type = 'user')
EXECUTE FUNCTION destroy_data_key();

-- A key that was destroyed never comes back. A key that a restore lost may: it was never meant to go.
CREATE FUNCTION refuse_erased_key() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the key of % was destroyed and stays so', OLD.owner USING ERRCODE = 'restrict_violation';
END;
$$;

CREATE TRIGGER data_keys_stay_erased
BEFORE UPDATE ON data_keys
FOR EACH ROW
WHEN (OLD.wrapped IS NULL AND OLD.lost_at IS NULL AND NEW.wrapped IS NOT NULL)
EXECUTE FUNCTION refuse_erased_key();

CREATE TRIGGER erased_data_keys_are_not_removed
BEFORE DELETE ON data_keys
FOR EACH ROW
WHEN (OLD.wrapped IS NULL AND OLD.lost_at IS NULL)
EXECUTE FUNCTION refuse_erased_key();

-- Claims and fingerprints of commands are hashed with these secrets, which the master key wraps like a data key.
-- They belong to the log and stay the same for as long as it lives, so the master key can be changed without
-- hashing every claim anew.
CREATE TABLE log_secrets (
    purpose text NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT log_secrets_pkey PRIMARY KEY (purpose)
);

-- The objects outside the database, each under its key. The row is written before the object: whatever happens then, the
-- object can be found and deleted.
CREATE TABLE objects (
    key text NOT NULL,
    -- The aggregate that the object belongs to.
    subject uuid NOT NULL,
    -- The person that it is of. Null for what belongs to the house.
    owner_id uuid,
    named_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT objects_pkey PRIMARY KEY (key)
);

CREATE INDEX objects_of_subject ON objects (subject);
CREATE INDEX objects_of_owner ON objects (owner_id) WHERE owner_id IS NOT NULL;
