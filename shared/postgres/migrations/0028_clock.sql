-- What is known of the clock: where the log's stamps step back, what each machine's monotonic clock said, and the clocks of
-- the processes.

-- The positions whose stamp is earlier than that of the position before: between two of them stamps never decrease.
CREATE TABLE log.clock_steps (position bigint PRIMARY KEY);

-- Per start of a machine, the database's clock minus the machine's monotonic clock, in seconds. `jumped` is how far it is
-- from what was last accepted, 0 unless the opening of days is paused.
CREATE TABLE jobs.clocks (
    boot     text PRIMARY KEY,
    ahead    double precision NOT NULL,
    jumped   double precision NOT NULL DEFAULT 0,
    seen_at  timestamptz NOT NULL DEFAULT now()
);

-- Seconds by which the process's own clock was ahead of the database's at its last heartbeat.
ALTER TABLE jobs.processes ADD COLUMN clock_ahead double precision;

-- As before, with the correction of a day. A query must name the same three topics to be given it.
DROP INDEX log.events_of_all;
CREATE INDEX events_of_all ON log.events (notification_id)
    WHERE business_id IS NULL AND topic IN ('clock.DayOpened', 'clock.DayCorrected', 'rules.RuleActivated');
