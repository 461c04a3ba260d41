-- @tables
-- Uploaded ledgers and the counts of their rows; `undo` is JSON of what was taken back and what stays.
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
    undo             text,
    undo_requested_at timestamptz,
    undone_at        timestamptz,
    created_at       timestamptz,
    completed_at     timestamptz,
    accepted         bigint,
    position         bigint
);
-- Pictures of receipts, with the date that the owner gave.
CREATE TABLE receipts (
    business_id  bigint NOT NULL,
    image_id     uuid NOT NULL,
    receipt_date date,
    created_at   timestamptz,
    position     bigint
);

-- @indexes
CREATE UNIQUE INDEX IF NOT EXISTS uploads_key ON uploads (business_id, file_id);
CREATE INDEX IF NOT EXISTS uploads_newest_first ON uploads (business_id, accepted DESC);
CREATE UNIQUE INDEX IF NOT EXISTS receipts_key ON receipts (business_id, image_id);
CREATE INDEX IF NOT EXISTS receipts_newest_first ON receipts (business_id, position DESC);

-- @keys
ALTER TABLE uploads ADD PRIMARY KEY USING INDEX uploads_key;
ALTER TABLE receipts ADD PRIMARY KEY USING INDEX receipts_key;
