-- @tables
-- Uploaded ledgers and the counts of their rows.
CREATE TABLE uploads (
    business_id      bigint NOT NULL,
    file_id          uuid NOT NULL,
    file_name        text,
    data_source_name text,
    state            text,
    rows_detected    bigint,
    rows             bigint,
    created          bigint NOT NULL,
    duplicates       bigint NOT NULL,
    rejected         bigint NOT NULL,
    left_out         bigint NOT NULL,
    questions        text,
    error_code       text,
    error_details    text,
    warnings         text,
    created_at       timestamptz,
    completed_at     timestamptz,
    accepted         bigint,
    position         bigint
);

-- @indexes
CREATE UNIQUE INDEX IF NOT EXISTS uploads_key ON uploads (business_id, file_id);
CREATE INDEX IF NOT EXISTS uploads_newest_first ON uploads (business_id, accepted DESC);

-- @keys
ALTER TABLE uploads ADD PRIMARY KEY USING INDEX uploads_key;
