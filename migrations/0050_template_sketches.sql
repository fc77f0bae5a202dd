-- A template's vector in short, for a search within a category: whether each coordinate is positive once the
-- vector has been turned by a fixed rotation (`projections/src/templates/sketch.rs`). The more bits two
-- sketches share, the nearer the vectors; 192 bytes instead of 3 KiB, and kept in the index itself.
--
-- Rows of before have none and are compared by their vectors until `routix rebuild templates --changed`.
ALTER TABLE templates ADD COLUMN sketch bit(1536);

-- Backs a search within a category: it reads nothing but this index until few candidates are left.
CREATE INDEX templates_sketch_idx ON templates (category, embedding_model)
INCLUDE (id, sketch, has_face, has_text, energy_level)
WHERE is_active AND status = 'analyzed';

-- Backs the same search for rows without a sketch: there are none, or few for a while.
CREATE INDEX templates_unsketched_idx ON templates (category)
WHERE is_active AND status = 'analyzed' AND sketch IS NULL;

-- The first one serves whatever this one did.
DROP INDEX templates_category_active_idx;

-- An index is enough for an answer only where the table is known to hold nothing newer: vacuum says so, and
-- every count of a use undoes it for a page.
ALTER TABLE templates SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
