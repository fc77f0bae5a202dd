-- The "Routix versions" that can be chosen. Written by the projection `algorithms` only.
CREATE TABLE generation_algorithms (
    id uuid NOT NULL,
    slug text NOT NULL,
    display_name text NOT NULL,
    provider text NOT NULL,
    config jsonb NOT NULL,
    credit_cost bigint NOT NULL,
    cost_micros bigint NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT generation_algorithms_pkey PRIMARY KEY (id),
    -- Backs the lookup by slug.
    CONSTRAINT generation_algorithms_slug_key UNIQUE (slug)
);

-- There is one default at most.
CREATE UNIQUE INDEX generation_algorithms_default_key ON generation_algorithms (is_default) WHERE is_default;
