-- Deletes all index rows of a business that is erased, and the keys under which its owner registered.
CREATE OR REPLACE FUNCTION log.empty_index(p_business bigint, p_owner bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM log.index_rows WHERE scope = p_business;
    DELETE FROM log.index_rows WHERE kind = 'registration' AND scope = 0 AND value = p_owner;
$$;
