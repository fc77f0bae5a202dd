-- Chats and what was said in them. `last_position` is the position of the last event that changed the chat:
-- it orders chats by their last change without ties. Written by the projection `conversations` only.
CREATE TABLE conversations (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    title text NOT NULL,
    message_count bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    archived_at timestamptz,
    last_position bigint NOT NULL,
    CONSTRAINT conversations_pkey PRIMARY KEY (id)
);

-- Backs a person's list of chats, last changed first.
CREATE INDEX conversations_user_idx ON conversations (user_id, last_position DESC) WHERE archived_at IS NULL;

-- The key is the order within the chat, so it backs paging through the messages too.
CREATE TABLE messages (
    conversation_id uuid NOT NULL,
    position bigint NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    type text NOT NULL,
    content text NOT NULL,
    metadata jsonb NOT NULL,
    timestamp timestamptz NOT NULL,
    CONSTRAINT messages_pkey PRIMARY KEY (conversation_id, position),
    CONSTRAINT messages_role CHECK (role IN ('user', 'assistant', 'system'))
);
