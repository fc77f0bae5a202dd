-- Erasing a person is an event, and the event destroys the person's key: in the transaction that stores it,
-- whoever stores it, also a recovery that appends it a second time. So there is no moment at which the log says
-- that somebody was erased and their words can be read. The condition is asked of every event that is stored
-- and costs a comparison.
ALTER TABLE data_keys ADD COLUMN erased_by uuid;
COMMENT ON COLUMN data_keys.erased_by IS 'The event that erased the person; null while it is still to be appended.';

-- Backs the receipts of erasure that are kept apart from the log.
CREATE INDEX data_keys_erased_idx ON data_keys (owner) WHERE erased_at IS NOT NULL;

CREATE FUNCTION destroy_data_key() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO data_keys (owner, wrapped, erased_at, erased_by)
    VALUES (NEW.aggregate_id::uuid, NULL, NEW.recorded_at, NEW.event_id)
    ON CONFLICT (owner) DO UPDATE
    SET wrapped = NULL,
        lost_at = NULL,
        erased_at = coalesce(data_keys.erased_at, excluded.erased_at),
        erased_by = coalesce(data_keys.erased_by, excluded.erased_by);
    RETURN NULL;
END;
$$;

CREATE TRIGGER events_erase_persons
AFTER INSERT ON events
FOR EACH ROW
WHEN (NEW.event_type = 'PersonErased' AND NEW.aggregate_type = 'user')
EXECUTE FUNCTION destroy_data_key();

-- A key that was destroyed never comes back. One that a restore lost may: it was never meant to go.
CREATE FUNCTION refuse_erased_key() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the key of % was destroyed and stays so', OLD.owner USING ERRCODE = 'restrict_violation';
END;
$$;

CREATE TRIGGER data_keys_stay_erased
BEFORE UPDATE ON data_keys
FOR EACH ROW
WHEN (OLD.wrapped IS NULL AND OLD.lost_at IS NULL AND NEW.wrapped IS NOT NULL)
EXECUTE FUNCTION refuse_erased_key();

CREATE TRIGGER erased_data_keys_are_not_removed
BEFORE DELETE ON data_keys
FOR EACH ROW
WHEN (OLD.wrapped IS NULL AND OLD.lost_at IS NULL)
EXECUTE FUNCTION refuse_erased_key();
