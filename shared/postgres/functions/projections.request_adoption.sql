-- Locks a generation until the commit and begins its adoption. A retired one of the release that serves is requested to
-- catch up and serve again. Returns no row if there is no such generation; else its kind and rules, its state after the
-- call, whether it can be adopted or was before, and the rebuild of its projection that prevents it, if any.
CREATE OR REPLACE FUNCTION projections.request_adoption(p_generation bigint, p_by text)
RETURNS TABLE (projection text, kind text, state text, rules jsonb, adoptable boolean, running bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    existing projections.generations;
    same_release boolean;
BEGIN
    SELECT g.* INTO existing FROM projections.generations g WHERE g.id = p_generation FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    projection := existing.projection;
    kind := existing.kind;
    state := existing.state;
    rules := existing.rules;
    adoptable := (kind, state) IN (('preview', 'ready'), ('preview', 'live'), ('rebuild', 'live'));
    SELECT s.version = existing.version INTO same_release
        FROM projections.live l JOIN projections.generations s USING (schema) WHERE l.projection = existing.projection;
    IF kind = 'rebuild' AND state = 'retired' AND same_release THEN
        IF pg_try_advisory_xact_lock(7307, hashtext(projection)) THEN  -- Lock.REBUILD
            PERFORM projections.abandon_rollback(projection);
        END IF;
        running := projections.running_rebuild(projection);
        IF running IS NULL THEN
            UPDATE projections.generations g SET state = 'catching_up', asked_by = p_by WHERE g.id = p_generation;
            state := 'catching_up';
            adoptable := true;
        END IF;
    END IF;
    RETURN NEXT;
END $$;
