-- Requests a replay of a business as of a moment, for a user who can have one at a time: the one before expires. Returns
-- the moment, at most now, or null where as many replays of other users exist as are allowed.
CREATE OR REPLACE FUNCTION projections.request_replay(
    p_id uuid, p_business bigint, p_user bigint, p_as_of timestamptz, p_zone text, p_most integer, p_life interval)
RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moment timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(7310);  -- Lock.REPLAY_REQUESTS: requests are counted and inserted one at a time
    IF (SELECT count(*) >= p_most FROM projections.replays
        WHERE state IN ('pending', 'ready') AND expires_at > now() AND user_id <> p_user) THEN
        RETURN NULL;
    END IF;
    UPDATE projections.replays SET state = 'expired' WHERE user_id = p_user AND state IN ('pending', 'ready');
    moment := least(p_as_of, clock_timestamp());
    INSERT INTO projections.replays (id, business_id, user_id, as_of, day, position, expires_at)
        VALUES (p_id, p_business, p_user, moment, (moment AT TIME ZONE p_zone)::date, log.position_at(moment),
                clock_timestamp() + p_life);
    RETURN moment;
END $$;
