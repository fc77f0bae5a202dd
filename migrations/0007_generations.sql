-- Requests for thumbnails and how far they are. Money is in millionths of a dollar, times in milliseconds.
-- `selected_template_id` is for admins only. Written by the projection `generations` only.
CREATE TABLE generation_requests (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    conversation_id uuid,
    algorithm_id uuid NOT NULL,
    algorithm text NOT NULL,
    provider text NOT NULL,
    prompt text NOT NULL,
    style_preference text,
    custom_text text,
    face_asset_id uuid,
    logo_asset_id uuid,
    regenerated_from uuid,
    status text NOT NULL,
    progress smallint NOT NULL DEFAULT 0,
    credit_cost bigint NOT NULL,
    cost_micros bigint NOT NULL DEFAULT 0,
    attempts int NOT NULL DEFAULT 0,
    analyzed_by text,
    selected_template_id uuid,
    provider_generation_id text,
    image_key text,
    image_mime text,
    image_size_bytes bigint,
    processing_time_ms bigint,
    failure_reason text,
    retry_possible boolean,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    completed_at timestamptz,
    last_position bigint NOT NULL,
    CONSTRAINT generation_requests_pkey PRIMARY KEY (id),
    CONSTRAINT generation_requests_progress CHECK (progress BETWEEN 0 AND 100),
    CONSTRAINT generation_requests_status CHECK (
        status IN (
            'pending', 'analyzing', 'searching', 'composing', 'generating', 'completed', 'failed', 'cancelled'
        )
    ),
    CONSTRAINT generation_requests_image CHECK ((status = 'completed') = (image_key IS NOT NULL))
);

-- Backs a person's list of requests, newest first.
CREATE INDEX generation_requests_user_idx ON generation_requests (user_id, created_at DESC, id);
