-- @tables
CREATE TABLE notes (business_id bigint NOT NULL, id bigint NOT NULL, text text NOT NULL);
-- @indexes
CREATE UNIQUE INDEX IF NOT EXISTS notes_key ON notes (business_id, id);
-- @keys
ALTER TABLE notes ADD PRIMARY KEY USING INDEX notes_key;
