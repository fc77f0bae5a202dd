-- The history writes half of what a command costs the disk: nine b-trees for rows that an auditor asks for now
-- and then. Ids of events and correlations carry their time and rise with the positions, so a summary per range
-- of blocks leads to them; what belongs to an aggregate or an owner is found by the log's own indexes.
DROP INDEX history_event_idx;
DROP INDEX history_causation_idx;
DROP INDEX history_correlation_idx;
DROP INDEX history_aggregate_idx;
DROP INDEX history_owner_idx;

-- Backs the way up: from an event to the one that led to it.
CREATE INDEX history_event_idx ON history USING brin (event_id uuid_minmax_multi_ops) WITH (autosummarize = on);

-- Backs the way down: what an event led to.
CREATE INDEX history_causation_idx ON history USING brin (causation_id uuid_minmax_multi_ops)
WITH (autosummarize = on);

-- Backs what began with one request.
CREATE INDEX history_correlation_idx ON history USING brin (correlation_id uuid_minmax_multi_ops)
WITH (autosummarize = on);
