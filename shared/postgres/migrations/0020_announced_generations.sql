-- Listeners hear of every change of a generation, except those of owners' replays: its id, on the channel `generations`.
CREATE FUNCTION projections.announce_generation() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('generations', NEW.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER INSERT OR UPDATE ON projections.generations
    FOR EACH ROW WHEN (NEW.kind <> 'travel') EXECUTE FUNCTION projections.announce_generation();
