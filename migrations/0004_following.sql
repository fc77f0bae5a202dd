-- Followers of the log need these tables: leases (one holder at a time, by the clock of the database), running parts
-- (the processes that there are), checkpoints
-- (the last position that a projection applied), parked events, and work (the open tasks of process managers).
CREATE TABLE leases (
    name text NOT NULL,
    holder uuid NOT NULL,
    -- Rises with every change of holder: the holder of an older epoch may no longer write.
    epoch bigint NOT NULL,
    held_until timestamptz NOT NULL,
    CONSTRAINT leases_pkey PRIMARY KEY (name)
);

-- The parts of the background work that a process runs. The process renews its rows and takes them back when it ends; those
-- of one that died end by themselves. Nothing is decided by them: they tell an operator what nobody runs.
CREATE TABLE running_parts (
    part text NOT NULL,
    process uuid NOT NULL,
    seen_until timestamptz NOT NULL,
    CONSTRAINT running_parts_pkey PRIMARY KEY (part, process)
);

CREATE TABLE checkpoints (
    projection text NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0,
    -- The time of the last move. A worker that stands still is told by it from a worker that is behind.
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- The reason for which the projection stopped. Its worker sets it, and any process can read it; it goes away as
    -- soon as the checkpoint moves on.
    stop_reason text,
    stopped_at timestamptz,
    CONSTRAINT checkpoints_pkey PRIMARY KEY (projection),
    CONSTRAINT checkpoints_stop CHECK ((stop_reason IS NULL) = (stopped_at IS NULL))
);

-- Events that a projection could not apply, with every later event of the same aggregate.
CREATE TABLE parked_events (
    projection text NOT NULL,
    position bigint NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    reason text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    -- An operator asked for another attempt; the worker that holds the projection's lease makes it.
    retry_requested_at timestamptz,
    CONSTRAINT parked_events_pkey PRIMARY KEY (projection, position)
);

-- Backs the question whether an aggregate has parked events already.
CREATE INDEX parked_events_aggregate_idx ON parked_events (projection, aggregate_type, aggregate_id);

-- A row is a task: a step, a retry or, when it is due later, a timer. It is removed some time after it is done. The tasks of one subject are done one after
-- the other, in the order of the events that caused them.
CREATE TABLE work (
    work_id uuid NOT NULL,
    role text NOT NULL,
    task text NOT NULL,
    subject text NOT NULL,
    position bigint NOT NULL,
    cause uuid NOT NULL,
    correlation_id uuid NOT NULL,
    owner_id uuid,
    -- The time of the event. Receipts have an end, so what is guarded by nothing else is not done long after its cause.
    caused_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0,
    held_until timestamptz,
    done_at timestamptz,
    last_error text,
    -- The row failed as often as its role allows. Nobody claims it until an admin asks for another try, and the rows
    -- behind it go on without it.
    parked_at timestamptz,
    -- The `traceparent` (W3C Trace Context) of the event that called for the task. The events of the process manager
    -- carry it on, so that a request can be followed into its consequences.
    traceparent text,
    -- The language in the metadata of that event: the process manager answers in it and hands it on likewise.
    language text,
    CONSTRAINT work_pkey PRIMARY KEY (work_id),
    CONSTRAINT work_parked CHECK (parked_at IS NULL OR done_at IS NULL)
);

-- Backs the claim of what is due, and the order within a subject. Parked rows are in neither, so many of them make no
-- claim slower.
CREATE INDEX work_open_idx ON work (role, due_at) WHERE done_at IS NULL AND parked_at IS NULL;
CREATE INDEX work_subject_idx ON work (role, subject, position) WHERE done_at IS NULL AND parked_at IS NULL;

-- Backs the list of parked rows and their number.
CREATE INDEX work_parked_idx ON work (position, work_id) WHERE parked_at IS NOT NULL;
