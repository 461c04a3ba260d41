-- Begins a command: takes the lock of its business until the commit, then reads the database's clock and, if the command
-- was carried out before, its answer.
CREATE OR REPLACE FUNCTION log.begin_command(p_business bigint, p_lock bigint, p_command text)
RETURNS TABLE (now timestamptz, known boolean, request_hash bytea, result jsonb, "position" bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_business IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(p_lock);
    END IF;
    RETURN QUERY SELECT log.clock(), c.command_id IS NOT NULL, c.request_hash, c.result, c.position
        FROM (SELECT) AS one LEFT JOIN log.commands c
            ON c.scope = coalesce(p_business, 0) AND c.command_id = p_command;
END $$;
