-- Why a projection stopped, for every process that is asked about it: the worker may run elsewhere. Set by the
-- worker, gone as soon as the checkpoint moves on. `updated_at` now tells when the checkpoint last moved, so
-- that a worker that stands still is told from one that is merely behind.
ALTER TABLE checkpoints
ADD COLUMN stop_reason text,
ADD COLUMN stopped_at timestamptz;

ALTER TABLE checkpoints
ADD CONSTRAINT checkpoints_stop CHECK ((stop_reason IS NULL) = (stopped_at IS NULL));
