-- Lists the other sessions of this database, and whether each is one of an application that has done something in the last
-- second: with the rights of the owner, since a role sees no activity but that of its own login.
CREATE OR REPLACE FUNCTION projections.sessions(p_application text) RETURNS TABLE (pid integer, active boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.pid, coalesce(a.application_name = p_application AND a.state_change > clock_timestamp() - interval '1 s', false)
    FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
$$;
