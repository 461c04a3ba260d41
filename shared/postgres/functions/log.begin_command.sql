-- Begins a command: takes the lock of its business until the commit, then reads the database's clock, whether the
-- session of its sender is active (true without one; false once the business was erased, which nobody works for any more)
-- and, if the command was carried out before, its answer.
CREATE OR REPLACE FUNCTION log.begin_command(p_business bigint, p_lock bigint, p_command text,
    p_family uuid DEFAULT NULL, p_user bigint DEFAULT NULL, p_staff boolean DEFAULT NULL)
RETURNS TABLE (now timestamptz, known boolean, request_hash bytea, result jsonb, "position" bigint, active boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_business IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(p_lock);
    END IF;
    RETURN QUERY SELECT log.clock(), c.command_id IS NOT NULL, c.request_hash, c.result, c.position,
            (p_family IS NULL OR credentials.session_is_active(p_family, p_user, p_staff))
                AND NOT EXISTS (SELECT FROM log.events e
                    WHERE e.originator_id = 'business-' || p_business AND e.topic = 'identity.BusinessErased')
        FROM (SELECT) AS one LEFT JOIN log.commands c
            ON c.scope = coalesce(p_business, 0) AND c.command_id = p_command;
END $$;
