-- Tells listeners, once it is committed, which generation changed; the trigger of `projections.generations`.
CREATE OR REPLACE FUNCTION projections.announce_generation() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('generations', NEW.id::text);
    RETURN NULL;
END $$;
