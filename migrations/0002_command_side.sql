-- What the command side keeps beside the log, all written by `append_batch`: receipts make a repeated
-- command harmless, claims make names unique, snapshots shorten loading. Data keys seal personal data.
CREATE TABLE command_receipts (
    owner uuid NOT NULL,
    command_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    outcome json NOT NULL,
    -- Null for process managers: their receipts are kept for ever.
    expires_at timestamptz,
    CONSTRAINT command_receipts_pkey PRIMARY KEY (owner, command_id)
);

-- Backs the clean-up of receipts that have expired.
CREATE INDEX command_receipts_expires_at_idx ON command_receipts (expires_at) WHERE expires_at IS NOT NULL;

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
    CONSTRAINT snapshots_pkey PRIMARY KEY (aggregate_type, aggregate_id)
);

-- One key per person, wrapped by the master key. Erasing a person destroys `wrapped`.
CREATE TABLE data_keys (
    owner uuid NOT NULL,
    wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    erased_at timestamptz,
    CONSTRAINT data_keys_pkey PRIMARY KEY (owner),
    CONSTRAINT data_keys_erased CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL))
);
