-- Requests a replay of a business as known at a moment and, if a date is given, without entries of later business dates,
-- for a user who can have one at a time: the one before expires. Returns the moment, at most now, and when the business
-- was opened. Without a request, the moment is null where as many replays of other users exist as are allowed, and is
-- before `opened` where there was no shop yet.
CREATE OR REPLACE FUNCTION projections.request_replay(
    p_id uuid, p_business bigint, p_user bigint, p_known_at timestamptz, p_until date, p_zone text, p_most integer,
    p_life interval, OUT moment timestamptz, OUT opened timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7310);  -- Lock.REPLAY_REQUESTS: requests are counted and inserted one at a time
    IF (SELECT count(*) >= p_most FROM projections.replays
        WHERE state IN ('pending', 'ready') AND expires_at > now() AND user_id <> p_user) THEN
        RETURN;
    END IF;
    moment := least(p_known_at, clock_timestamp());
    SELECT e.recorded_at INTO opened FROM log.events e WHERE e.business_id = p_business
        ORDER BY e.notification_id LIMIT 1;
    IF moment < opened THEN
        RETURN;
    END IF;
    UPDATE projections.replays SET state = 'expired' WHERE user_id = p_user AND state IN ('pending', 'ready');
    known := log.position_at(moment);
    INSERT INTO projections.replays
            (id, business_id, user_id, as_of, happened_until, day, position, rules_position, expires_at)
        VALUES (p_id, p_business, p_user, moment, p_until, coalesce(p_until, (moment AT TIME ZONE p_zone)::date), known,
                CASE WHEN p_until IS NULL THEN known
                    ELSE least(known, log.position_at((p_until + 1)::timestamp AT TIME ZONE p_zone)) END,
                clock_timestamp() + p_life);
END $$;
