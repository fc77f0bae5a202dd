-- The audit trail has one row per event: actor, time, cause. The filters live here and not on `events`, where every
-- index would slow each append. The words of an event stay in the log; the position of a row leads to them. Only the
-- projection `history` writes here.
CREATE TABLE history (
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    sequence bigint NOT NULL,
    event_type text NOT NULL,
    owner_id uuid,
    -- `user:<id>`, `admin:<id>`, `process:<name>` or `anonymous`.
    actor text NOT NULL,
    command_id uuid,
    correlation_id uuid,
    -- The event that led to this one; null when a person began it.
    causation_id uuid,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT history_pkey PRIMARY KEY (position)
);

-- The history writes half of the bytes that a command costs the disk, and an auditor reads it now and then. So a
-- filter has a b-tree only where nothing cheaper serves: ids of events and correlations carry their time and rise with
-- the positions, a summary per range of blocks leads to them; the log's own indexes find the events of an aggregate or
-- an owner.

-- Backs the way up: from an event to the event that led to it.
CREATE INDEX history_event_idx ON history USING brin (event_id uuid_minmax_multi_ops) WITH (autosummarize = on);

-- Backs the way down: from an event to its consequences.
CREATE INDEX history_causation_idx ON history
USING brin (causation_id uuid_minmax_multi_ops) WITH (autosummarize = on);

-- Backs everything that began with the same request.
CREATE INDEX history_correlation_idx ON history
USING brin (correlation_id uuid_minmax_multi_ops) WITH (autosummarize = on);

-- Backs the events of one command.
CREATE INDEX history_command_idx ON history (command_id);

-- Each backs a filter in the order of the log.
CREATE INDEX history_event_type_idx ON history (event_type, position);
CREATE INDEX history_actor_idx ON history (actor, position);

-- Backs a range of time. Times rise with positions, so a summary per block is enough.
CREATE INDEX history_recorded_at_idx ON history USING brin (recorded_at);
