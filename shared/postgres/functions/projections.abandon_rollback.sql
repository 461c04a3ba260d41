-- Retires the generation to which a killed command was rolling back. The caller holds Lock.REBUILD.
CREATE OR REPLACE FUNCTION projections.abandon_rollback(p_projection text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE projections.generations SET state = 'retired', changed_at = now()
    WHERE projection = p_projection AND state = 'catching_up' AND asked_by IS NULL AND served_at IS NOT NULL
$$;
