-- Events that no policy of this release can read: a later one's, or broken. Whoever can turns them into jobs.
CREATE TABLE jobs.unread (
    position bigint PRIMARY KEY,
    topic    text NOT NULL
);
