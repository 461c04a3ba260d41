-- What operators look at.

-- The sources of requests that changed something. Not in the log, which keeps its events for ever: an address is
-- cut short after 90 days and its row goes after 400.
CREATE TABLE credentials.requests (
    request_id text NOT NULL,
    actor      text NOT NULL,
    ip         inet,
    user_agent text,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (request_id, actor)
);
CREATE INDEX requests_by_age ON credentials.requests (at);
-- Finds what people did among what workers wrote.
CREATE INDEX events_of_people ON log.events (notification_id) WHERE (meta ->> 'actor') IS DISTINCT FROM 'worker';

-- Attempts at jobs that failed by their own fault. Volatile as leases are: the log tells when a job was given up, and why.
CREATE TABLE jobs.attempts (
    job_id uuid NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    worker text NOT NULL,
    error  text NOT NULL
);
CREATE INDEX attempts_of_job ON jobs.attempts (job_id, at);
