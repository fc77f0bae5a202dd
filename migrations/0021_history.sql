-- Who did what, when, because of what: one row per event, for auditors. The filters live here and not on
-- `events`, where every index would slow each append. What an event says stays in the log; a row leads to it
-- by its position. Written by the projection `history` only.
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
    -- The event that led to this one. None when a person began it.
    causation_id uuid,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT history_pkey PRIMARY KEY (position)
);

-- Backs the way up: from an event to the one that led to it.
CREATE INDEX history_event_idx ON history (event_id);

-- Backs the way down: what an event led to.
CREATE INDEX history_causation_idx ON history (causation_id) WHERE causation_id IS NOT NULL;

-- Backs the events of one command.
CREATE INDEX history_command_idx ON history (command_id);

-- Each backs a filter in the order of the log.
CREATE INDEX history_aggregate_idx ON history (aggregate_type, aggregate_id, position);
CREATE INDEX history_event_type_idx ON history (event_type, position);
CREATE INDEX history_owner_idx ON history (owner_id, position) WHERE owner_id IS NOT NULL;
CREATE INDEX history_actor_idx ON history (actor, position);
CREATE INDEX history_correlation_idx ON history (correlation_id, position);

-- Backs a range of time. Times rise with positions, so a summary per block is enough.
CREATE INDEX history_recorded_at_idx ON history USING brin (recorded_at);
