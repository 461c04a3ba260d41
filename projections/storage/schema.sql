-- @tables
-- Ledgers and receipts that a shop has sent, with their size; `deleted_at` once the owner deleted the file.
CREATE TABLE stored_files (
    business_id bigint NOT NULL,
    file_id     uuid NOT NULL,
    kind        text,
    size        bigint,
    stored_at   timestamptz,
    deleted_at  timestamptz,
    position    bigint
);

-- @indexes
CREATE UNIQUE INDEX IF NOT EXISTS stored_files_key ON stored_files (business_id, file_id);

-- @keys
ALTER TABLE stored_files ADD PRIMARY KEY USING INDEX stored_files_key;
