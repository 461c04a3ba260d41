-- Reads the clock by which events are stamped, days are opened and quotas and dates are judged.
CREATE OR REPLACE FUNCTION log.clock() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN clock_timestamp();
