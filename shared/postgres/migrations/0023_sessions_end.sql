-- Commands ask whether the session of their sender is active; the function is created again with a new signature.
DROP FUNCTION log.begin_command(bigint, bigint, text);

-- API processes remember for a minute that a session is active; they are notified at once when one may have ended.
CREATE FUNCTION credentials.tell_of_sessions() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('sessions', OLD.user_id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER ended AFTER UPDATE OF revoked_at, expires_at ON credentials.sessions
    FOR EACH ROW EXECUTE FUNCTION credentials.tell_of_sessions();
CREATE TRIGGER changed AFTER UPDATE OF is_active, is_staff OR DELETE ON credentials.users
    FOR EACH ROW EXECUTE FUNCTION credentials.tell_of_sessions();
