-- A shop as it was known on an earlier day: its own generations, up to a position, for half an hour.
CREATE TABLE projections.replays (
    id          uuid PRIMARY KEY,
    business_id bigint NOT NULL,
    user_id     bigint NOT NULL,
    as_of       timestamptz NOT NULL,
    day         date NOT NULL,
    position    bigint NOT NULL,
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'failed', 'expired')),
    schemas     text[] NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX replays_at_work ON projections.replays (created_at) WHERE state IN ('pending', 'ready');

-- The last position recorded at or before an instant, 0 before the first; positions have no gaps and times never go back.
CREATE FUNCTION log.position_at(p_at timestamptz) RETURNS bigint
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
