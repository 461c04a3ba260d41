-- Tells API processes that sessions of an account may have ended: a session, or the account, has changed.
CREATE OR REPLACE FUNCTION credentials.tell_of_sessions() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('sessions', OLD.user_id::text);
    RETURN NULL;
END $$;
