-- The secret library with its vector index. Nothing of it leaves to users. Written by the projection
-- `templates` only.
--
-- `usage_count` counts the requests for which the template was the best match, `success_count` those of them
-- that ended with a picture. `performance_score` is the success rate with one success and one failure added
-- (Laplace's rule), so that a template that was used once does not outrank one that proved itself; an unused
-- one stands at 0.5.
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE templates (
    id uuid NOT NULL,
    image_key text NOT NULL,
    image_mime text NOT NULL,
    image_size_bytes bigint NOT NULL,
    image_width int NOT NULL,
    image_height int NOT NULL,
    thumbnail_key text NOT NULL,
    thumbnail_mime text NOT NULL,
    -- Lower case. The admin's word, else that of the analysis.
    category text NOT NULL,
    given_category text NOT NULL,
    tags text[] NOT NULL,
    description text NOT NULL,
    status text NOT NULL,
    failure_reason text,
    analysis_attempts int NOT NULL DEFAULT 0,
    style_dna jsonb,
    embedding halfvec(1536),
    embedding_model text,
    -- The vector in short, for a search within a category: whether each coordinate is positive after a fixed
    -- rotation (`projections/src/templates/sketch.rs`). The more bits two sketches share, the nearer the vectors;
    -- 192 bytes instead of 3 KiB, and kept in the index itself.
    sketch bit(1536),
    searchable_text text,
    has_face boolean NOT NULL DEFAULT false,
    has_text boolean NOT NULL DEFAULT false,
    has_logo boolean NOT NULL DEFAULT false,
    energy_level smallint,
    analyzed_by text,
    analysis_version text,
    analyzed_at timestamptz,
    usage_count bigint NOT NULL DEFAULT 0,
    success_count bigint NOT NULL DEFAULT 0,
    success_rate double precision GENERATED ALWAYS AS (
        CASE WHEN usage_count = 0 THEN 0 ELSE success_count::double precision / usage_count END
    ) STORED,
    performance_score double precision GENERATED ALWAYS AS (
        (success_count + 1)::double precision / (usage_count + 2)
    ) STORED,
    last_used_at timestamptz,
    is_active boolean NOT NULL DEFAULT true,
    is_featured boolean NOT NULL DEFAULT false,
    priority int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT templates_pkey PRIMARY KEY (id),
    CONSTRAINT templates_status CHECK (status IN ('pending_analysis', 'analyzing', 'analyzed', 'failed')),
    CONSTRAINT templates_energy CHECK (energy_level BETWEEN 1 AND 10),
    CONSTRAINT templates_analysis CHECK (
        status <> 'analyzed' OR (embedding IS NOT NULL AND embedding_model IS NOT NULL AND sketch IS NOT NULL)
    )
)
-- An index alone answers a query only where the table is known to hold nothing newer: vacuum says so, and every
-- count of a use undoes it for a page.
WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);

-- Backs the search by similarity. Only what may be found is in it.
CREATE INDEX templates_embedding_idx ON templates
USING hnsw (embedding halfvec_cosine_ops) WITH (m = 16, ef_construction = 64)
WHERE is_active AND status = 'analyzed';

-- Backs a search within a category: it reads nothing but this index until few candidates are left. Backs the
-- admins' list by category too.
CREATE INDEX templates_sketch_idx ON templates (category, embedding_model)
INCLUDE (id, sketch, has_face, has_text, energy_level)
WHERE is_active AND status = 'analyzed';

-- Backs the fallback when nothing is similar enough.
CREATE INDEX templates_performance_idx ON templates (performance_score DESC, usage_count DESC) WHERE is_active;

-- Backs a search that wants a face.
CREATE INDEX templates_has_face_idx ON templates (has_face, energy_level) WHERE is_active AND has_face;

-- Backs the admins' list, newest first.
CREATE INDEX templates_created_at_idx ON templates (created_at DESC, id);
