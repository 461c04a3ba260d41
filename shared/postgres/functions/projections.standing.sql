-- Lists every projection with its checkpoint, lag, live generation and state, for operators. A live generation whose
-- tables were dropped is listed as failed.
CREATE OR REPLACE FUNCTION projections.standing()
RETURNS TABLE (name text, "position" bigint, lag bigint, generation text, generation_id bigint,
               projector_version integer, parked bigint, state text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head bigint := (SELECT coalesce(max(e.notification_id), 0) FROM log.events e);
BEGIN
    FOR name, generation, generation_id, projector_version IN
        SELECT l.projection, g.schema, g.id, g.version FROM projections.live l JOIN projections.generations g
        USING (schema) ORDER BY g.id
    LOOP
        IF to_regnamespace(quote_ident(generation)) IS NULL THEN
            "position" := 0;
            parked := 0;
        ELSE
            EXECUTE format('SELECT (SELECT min(position) FROM %1$I.progress), (SELECT count(*) FROM %1$I.parked)',
                           generation) INTO "position", parked;
        END IF;
        lag := head - "position";
        state := coalesce((SELECT CASE g.state WHEN 'pending' THEN 'replaying' ELSE g.state END
            FROM projections.generations g WHERE g.projection = name AND g.kind = 'rebuild'
                AND g.state IN ('pending', 'replaying', 'catching_up')),
            CASE WHEN to_regnamespace(quote_ident(generation)) IS NULL THEN 'failed' ELSE 'live' END);
        RETURN NEXT;
    END LOOP;
END $$;
