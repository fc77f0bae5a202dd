-- Faces and logos that users uploaded. `object_key` is the place in the object store, never a public URL.
-- Written by the projection `assets` only.
CREATE TABLE user_assets (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    asset_type text NOT NULL,
    object_key text NOT NULL,
    file_name text NOT NULL,
    file_size bigint NOT NULL,
    mime_type text NOT NULL,
    width int NOT NULL,
    height int NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT user_assets_pkey PRIMARY KEY (id),
    CONSTRAINT user_assets_type CHECK (asset_type IN ('face', 'logo'))
);

-- Backs a person's list of assets, newest first.
CREATE INDEX user_assets_user_idx ON user_assets (user_id, created_at DESC, id) WHERE is_active;
