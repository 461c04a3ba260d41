-- The address of a request is found by the position of the event that it appended: a request id is chosen by the client,
-- and several requests may carry the same one. Of those, the rows that were recorded with their event are kept.
ALTER TABLE credentials.requests RENAME TO requests_by_id;
ALTER TABLE credentials.requests_by_id RENAME CONSTRAINT requests_pkey TO requests_by_id_pkey;
ALTER INDEX credentials.requests_by_age RENAME TO requests_by_id_age;
CREATE TABLE credentials.requests (
    position   bigint PRIMARY KEY,
    ip         inet,
    user_agent text,
    at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX requests_by_age ON credentials.requests (at);
INSERT INTO credentials.requests (position, ip, user_agent, at)
    SELECT e.notification_id, r.ip, r.user_agent, r.at
    FROM credentials.requests_by_id r JOIN log.events e
        ON e.meta ->> 'request_id' = r.request_id AND coalesce(e.meta ->> 'actor', '') = r.actor
    WHERE e.recorded_at BETWEEN r.at - interval '1 minute' AND r.at + interval '1 minute';
DROP TABLE credentials.requests_by_id;
