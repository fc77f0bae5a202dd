-- The secrets that claims and fingerprints of commands are hashed with, wrapped by the master key like a data
-- key. They belong to the log and stay what they are for as long as it lives, so that the master key can be
-- changed without hashing every claim anew.
CREATE TABLE log_secrets (
    purpose text NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT log_secrets_pkey PRIMARY KEY (purpose)
);
