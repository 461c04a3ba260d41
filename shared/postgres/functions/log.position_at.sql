-- Finds the last position recorded at or before a moment, 0 before the first event, by bisection: positions have no gaps
-- and times never decrease.
CREATE OR REPLACE FUNCTION log.position_at(p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known bigint := 0;
    later bigint;
    middle bigint;
BEGIN
    SELECT coalesce(max(e.notification_id), 0) + 1 INTO later FROM log.events e;
    WHILE later - known > 1 LOOP
        middle := (known + later) / 2;
        IF (SELECT e.recorded_at <= p_at FROM log.events e WHERE e.notification_id = middle) THEN
            known := middle;
        ELSE
            later := middle;
        END IF;
    END LOOP;
    RETURN known;
END $$;
