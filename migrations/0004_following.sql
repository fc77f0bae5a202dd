-- What everyone needs who follows the log: leases (one holder at a time, by the database's clock),
-- checkpoints (how far a projection has come) and work (what a process manager has still to do).
CREATE TABLE leases (
    name text NOT NULL,
    holder uuid NOT NULL,
    -- Rises with every change of holder: whoever holds an older one may no longer write.
    epoch bigint NOT NULL,
    held_until timestamptz NOT NULL,
    CONSTRAINT leases_pkey PRIMARY KEY (name)
);

CREATE TABLE checkpoints (
    projection text NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT checkpoints_pkey PRIMARY KEY (projection)
);

-- Events that a projection could not apply, with every later event of the same aggregate.
CREATE TABLE parked_events (
    projection text NOT NULL,
    position bigint NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    reason text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT parked_events_pkey PRIMARY KEY (projection, position)
);

-- Backs the question whether an aggregate has parked events already.
CREATE INDEX parked_events_aggregate_idx ON parked_events (projection, aggregate_type, aggregate_id);

-- A row is something to do: a step, a retry or, when it is due later, a timer. Rows of one subject are done
-- one after the other, in the order of the events that caused them.
CREATE TABLE work (
    work_id uuid NOT NULL,
    role text NOT NULL,
    task text NOT NULL,
    subject text NOT NULL,
    position bigint NOT NULL,
    cause uuid NOT NULL,
    correlation_id uuid NOT NULL,
    owner_id uuid,
    due_at timestamptz NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0,
    held_until timestamptz,
    done_at timestamptz,
    last_error text,
    CONSTRAINT work_pkey PRIMARY KEY (work_id)
);

-- Backs the claim of what is due, and the order within a subject.
CREATE INDEX work_open_idx ON work (role, due_at) WHERE done_at IS NULL;
CREATE INDEX work_subject_idx ON work (role, subject, position) WHERE done_at IS NULL;
