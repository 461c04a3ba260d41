-- Requests for generations, their progress and results. asked_by: the user who asked over HTTP, so that projectors
-- take it up again after a kill; rules: those that hold in a preview in place of the log's.
ALTER TABLE projections.generations
    ADD COLUMN business_id bigint,
    ADD COLUMN rules       jsonb,
    ADD COLUMN asked_by    text,
    ADD COLUMN progress    jsonb,
    ADD COLUMN result      jsonb,
    DROP CONSTRAINT generations_state_check,
    ADD CONSTRAINT generations_state_check CHECK (state IN (
        'pending', 'replaying', 'catching_up', 'ready', 'live', 'retired', 'completed', 'failed', 'dropping',
        'dropped'));
DROP INDEX projections.one_rebuild_at_a_time;
CREATE UNIQUE INDEX one_rebuild_at_a_time ON projections.generations (projection)
    WHERE state IN ('pending', 'replaying', 'catching_up') AND kind = 'rebuild';
CREATE INDEX generations_at_work ON projections.generations (id)
    WHERE state IN ('pending', 'replaying', 'catching_up') AND asked_by IS NOT NULL;

-- The state of every projection, for operators.
CREATE FUNCTION projections.standing()
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
        EXECUTE format('SELECT (SELECT min(position) FROM %1$I.progress), (SELECT count(*) FROM %1$I.parked)',
                       generation) INTO "position", parked;
        lag := head - "position";
        state := coalesce((SELECT CASE g.state WHEN 'pending' THEN 'replaying' ELSE g.state END
            FROM projections.generations g WHERE g.projection = name AND g.kind = 'rebuild'
                AND g.state IN ('pending', 'replaying', 'catching_up')), 'live');
        RETURN NEXT;
    END LOOP;
END $$;
