-- Links that log in once, without a password; made only in development, for the demo shop.
CREATE TABLE credentials.login_links (
    code_hash  bytea PRIMARY KEY,
    user_id    bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
