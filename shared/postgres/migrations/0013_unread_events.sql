-- Events that no policy of this release can read, because a later one wrote them or they are broken. A release that can
-- read them turns them into jobs.
CREATE TABLE jobs.unread (
    position bigint PRIMARY KEY,
    topic    text NOT NULL
);
