-- Requests a generation for the projectors to make. A rebuild that a killed command left is requested instead of another
-- one. Returns its id; or no id, and the rebuild of the projection that is in progress.
CREATE OR REPLACE FUNCTION projections.request_generation(
    p_projection text, p_kind text, p_business bigint, p_rules jsonb, p_by text)
RETURNS TABLE (generation bigint, running bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Lock.REBUILD: not while a process rebuilds the projection.
    IF p_kind = 'rebuild' AND pg_try_advisory_xact_lock(7307, hashtext(p_projection)) THEN
        PERFORM projections.abandon_rollback(p_projection);
        UPDATE projections.generations SET asked_by = p_by
            WHERE projection = p_projection AND kind = 'rebuild' AND state IN ('replaying', 'catching_up')
                AND asked_by IS NULL AND served_at IS NULL RETURNING id INTO generation;
    END IF;
    IF generation IS NULL THEN
        INSERT INTO projections.generations
            (id, projection, schema, version, state, kind, business_id, rules, asked_by)
            OVERRIDING SYSTEM VALUE
            SELECT n, p_projection, p_projection || '_g' || n, 0, 'pending', p_kind, p_business, p_rules, p_by
            FROM nextval('projections.generations_id_seq') AS n
            ON CONFLICT (projection) WHERE state IN ('pending', 'replaying', 'catching_up') AND kind = 'rebuild'
            DO NOTHING RETURNING id INTO generation;
    END IF;
    IF generation IS NULL THEN
        running := projections.running_rebuild(p_projection);
    END IF;
    RETURN NEXT;
END $$;
