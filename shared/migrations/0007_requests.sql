-- Where requests that changed something came from. Not in the log, which keeps what it is told for ever: an address is
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
