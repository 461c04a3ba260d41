-- Returns the rebuild or rollback of a projection that is requested or in progress, null if there is none.
CREATE OR REPLACE FUNCTION projections.running_rebuild(p_projection text) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT id FROM projections.generations
    WHERE projection = p_projection AND kind = 'rebuild' AND state IN ('pending', 'replaying', 'catching_up')
$$;
