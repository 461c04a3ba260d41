-- @tables
-- Profiles of businesses, and the counts of the first screen.
CREATE TABLE profiles (
    business_id  bigint NOT NULL,
    name         text,
    type         text,
    phone_number text,
    city         text,
    description  text,
    is_demo      boolean,
    created_at   timestamptz
);
CREATE TABLE profile_stats (
    business_id  bigint NOT NULL,
    products     bigint NOT NULL,
    customers    bigint NOT NULL,
    transactions bigint NOT NULL,
    paisa        bigint NOT NULL
);
-- Number of sales of each day that were not voided.
CREATE TABLE profile_days (
    business_id bigint NOT NULL,
    date        date NOT NULL,
    sales       bigint NOT NULL
);
CREATE TABLE data_sources (
    business_id bigint NOT NULL,
    source      text NOT NULL,
    uses        bigint NOT NULL
);
-- Shops that are to be erased.
CREATE TABLE erasures (
    business_id  bigint NOT NULL,
    erased_after timestamptz
);

-- @indexes
CREATE UNIQUE INDEX IF NOT EXISTS profiles_key ON profiles (business_id);
CREATE UNIQUE INDEX IF NOT EXISTS profile_stats_key ON profile_stats (business_id);
CREATE UNIQUE INDEX IF NOT EXISTS profile_days_key ON profile_days (business_id, date);
CREATE UNIQUE INDEX IF NOT EXISTS data_sources_key ON data_sources (business_id, source);
CREATE UNIQUE INDEX IF NOT EXISTS erasures_key ON erasures (business_id);

-- @keys
ALTER TABLE profiles ADD PRIMARY KEY USING INDEX profiles_key;
ALTER TABLE profile_stats ADD PRIMARY KEY USING INDEX profile_stats_key;
ALTER TABLE profile_days ADD PRIMARY KEY USING INDEX profile_days_key;
ALTER TABLE data_sources ADD PRIMARY KEY USING INDEX data_sources_key;
ALTER TABLE erasures ADD PRIMARY KEY USING INDEX erasures_key;
