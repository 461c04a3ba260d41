-- Finds the last position recorded at or before a moment, 0 before the first event. Where the clock was put back, events
-- stamped in between count as recorded before the first event after it. By bisection of the stretches between steps of
-- the clock, the newest first: positions have no gaps, and stamps never decrease within a stretch.
CREATE OR REPLACE FUNCTION log.position_at(p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first bigint;
    known bigint;
    later bigint;
    middle bigint;
BEGIN
    SELECT coalesce(max(e.notification_id), 0) + 1 INTO later FROM log.events e;
    FOR first IN SELECT position FROM log.clock_steps UNION SELECT 1 ORDER BY 1 DESC LOOP
        IF (SELECT e.recorded_at <= p_at FROM log.events e WHERE e.notification_id = first) THEN
            known := first;
            WHILE later - known > 1 LOOP
                middle := (known + later) / 2;
                IF (SELECT e.recorded_at <= p_at FROM log.events e WHERE e.notification_id = middle) THEN
                    known := middle;
                ELSE
                    later := middle;
                END IF;
            END LOOP;
            RETURN known;
        END IF;
        later := first;
    END LOOP;
    RETURN 0;
END $$;
