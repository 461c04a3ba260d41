-- Lists every projection with its checkpoint, lag, live generation and state, for operators. `lag_seconds` is the age of the
-- oldest event that is not applied, 0 without one; it is `stalled` where that is more than half a minute and the checkpoint
-- has not moved in the last minute, by `projections.lags`. A live generation whose tables were dropped is listed as failed.
CREATE OR REPLACE FUNCTION projections.standing()
RETURNS TABLE (name text, "position" bigint, lag bigint, generation text, generation_id bigint,
               projector_version integer, parked bigint, state text, lag_seconds double precision, stalled boolean)
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
        lag_seconds := coalesce((SELECT greatest(extract(epoch FROM clock_timestamp() - e.recorded_at), 0)
            FROM log.events e WHERE e.notification_id = "position" + 1), 0);
        stalled := lag_seconds > 30 AND NOT EXISTS (SELECT FROM projections.lags l WHERE l.projection = standing.name
            AND l.at > clock_timestamp() - interval '1 minute' AND l.position < standing."position");
        RETURN NEXT;
    END LOOP;
END $$;
