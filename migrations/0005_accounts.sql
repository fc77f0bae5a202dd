-- Who has an account, and where they are logged in. Passwords and token hashes stay in the log: no reader
-- needs them. Written by the projection `accounts` only.
CREATE TABLE users (
    id uuid NOT NULL,
    email text NOT NULL,
    username text NOT NULL,
    role text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    subscription_tier text NOT NULL DEFAULT 'free',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    last_login timestamptz,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_role CHECK (role IN ('user', 'admin'))
);

-- Backs the admins' list, newest first.
CREATE INDEX users_created_at_idx ON users (created_at DESC, id);

CREATE TABLE sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_end CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);

-- Backs the list of a person's sessions, newest first.
CREATE INDEX sessions_user_idx ON sessions (user_id, started_at DESC);
