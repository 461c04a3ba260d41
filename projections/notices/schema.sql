-- @tables
CREATE TABLE notices (
    business_id bigint NOT NULL, type text NOT NULL, subject text NOT NULL, kind text, state text,
    done bigint NOT NULL, total bigint, parts_done bigint NOT NULL, parts bigint, position bigint
);
-- @indexes
CREATE UNIQUE INDEX IF NOT EXISTS notices_key ON notices (business_id, type, subject);
CREATE INDEX IF NOT EXISTS notices_position ON notices (business_id, position);
-- @keys
ALTER TABLE notices ADD PRIMARY KEY USING INDEX notices_key;
