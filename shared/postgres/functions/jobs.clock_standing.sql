-- Compares the clock with the log: seconds by which it is behind the newest event's stamp or the last opened day (0 if it is
-- not), and the seconds of a jump that pauses the opening of days (0 if none does).
CREATE OR REPLACE FUNCTION jobs.clock_standing(p_zone text) RETURNS TABLE (behind double precision, jumped double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    clock  timestamptz := log.clock();
    stamp  timestamptz;
    opened date;
BEGIN
    SELECT e.recorded_at INTO stamp FROM log.events e ORDER BY e.notification_id DESC LIMIT 1;
    SELECT (convert_from(e.state, 'UTF8')::jsonb ->> 'date')::date INTO opened FROM log.events e
        WHERE e.originator_id = 'days' ORDER BY e.originator_version DESC LIMIT 1;
    RETURN QUERY SELECT
        greatest(0, coalesce(extract(epoch FROM stamp - clock), 0),
                 coalesce(extract(epoch FROM opened::timestamp AT TIME ZONE p_zone - clock), 0))::double precision,
        coalesce((SELECT c.jumped FROM jobs.clocks c WHERE c.jumped <> 0
                AND c.seen_at BETWEEN now() - interval '1 minute' AND now() + interval '1 minute' ORDER BY abs(c.jumped) DESC LIMIT 1), 0);
END $$;
