-- Balances and every change of them. `amount` is the change of the available balance, so each
-- `balance_after` is the one before it plus `amount`. Transactions are never changed; TRUNCATE stays allowed,
-- because a rebuild starts with empty tables. Written by the projection `credits` only.
CREATE TABLE credit_balances (
    user_id uuid NOT NULL,
    available bigint NOT NULL,
    held bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT credit_balances_pkey PRIMARY KEY (user_id),
    CONSTRAINT credit_balances_available CHECK (available >= 0),
    CONSTRAINT credit_balances_held CHECK (held >= 0)
);

CREATE TABLE credit_transactions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    generation_request_id uuid,
    transaction_type text NOT NULL,
    amount bigint NOT NULL,
    balance_after bigint NOT NULL,
    description text NOT NULL,
    created_at timestamptz NOT NULL,
    position bigint NOT NULL,
    CONSTRAINT credit_transactions_pkey PRIMARY KEY (id),
    CONSTRAINT credit_transactions_type CHECK (
        transaction_type IN ('grant', 'hold', 'settle', 'release', 'refund', 'adjust', 'expire')
    )
);

-- Backs a person's list of transactions, newest first.
CREATE INDEX credit_transactions_user_idx ON credit_transactions (user_id, position DESC);

CREATE TRIGGER credit_transactions_are_immutable
BEFORE UPDATE OR DELETE ON credit_transactions
FOR EACH ROW EXECUTE FUNCTION refuse_change();
