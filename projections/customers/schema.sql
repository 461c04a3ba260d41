-- @tables
-- Details of customers; merged ones keep their row.
CREATE TABLE people (
    business_id bigint NOT NULL,
    id          bigint NOT NULL,
    sort_name   text,
    name        text,
    phone       text,
    email       text,
    address     text,
    notes       text
);
CREATE TABLE customer_ids (
    business_id bigint NOT NULL,
    id          bigint NOT NULL,
    merged_into bigint
);
-- A customer's sales and returns per second of the day; a day with sales is a visit. Paisa are net of returns.
CREATE TABLE visits (
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    date        date NOT NULL,
    second      integer NOT NULL,
    sales       bigint NOT NULL,
    paisa       bigint NOT NULL
);
-- Scores of customers who were not merged. A passing day changes columns without indexes, so that updated rows stay on
-- their pages (fillfactor); the rows that it changes are found by a daily scan, which is cheaper than an index.
CREATE TABLE churn (
    business_id    bigint NOT NULL,
    id             bigint NOT NULL,
    sales          bigint NOT NULL,
    visits         bigint NOT NULL,
    paisa          bigint NOT NULL,
    last_at        bigint,
    last_on        date,
    usual_gap      integer,
    warmth         bigint,
    return_rank    smallint,
    recency        smallint NOT NULL,
    frequency      smallint NOT NULL,
    monetary       smallint NOT NULL,
    segment        text NOT NULL,
    risky          boolean NOT NULL,
    declining      boolean NOT NULL,
    flips          date[] NOT NULL,
    level          text NOT NULL,
    scored_from    date NOT NULL,
    rules          text NOT NULL,
    next_change_on date NOT NULL
) WITH (fillfactor = 80);
-- scoring: the rules with which queries compute scores, unless they are the defaults.
CREATE TABLE churn_totals (
    business_id bigint NOT NULL,
    dormant     bigint NOT NULL,
    at_risk     bigint NOT NULL,
    potential   bigint NOT NULL,
    loyal       bigint NOT NULL,
    champion    bigint NOT NULL,
    horizon     date,
    intercept   bigint,
    slope       bigint,
    scoring     text
);

-- @indexes
CREATE UNIQUE INDEX IF NOT EXISTS people_key ON people (business_id, id);
CREATE INDEX IF NOT EXISTS people_by_name ON people (business_id, sort_name, id);
CREATE UNIQUE INDEX IF NOT EXISTS customer_ids_key ON customer_ids (business_id, id);
CREATE UNIQUE INDEX IF NOT EXISTS visits_key ON visits (business_id, customer_id, date, second);
CREATE UNIQUE INDEX IF NOT EXISTS churn_key ON churn (business_id, id);
CREATE INDEX IF NOT EXISTS churn_by_spending ON churn (business_id, risky, paisa, id);
CREATE INDEX IF NOT EXISTS churn_by_last_purchase ON churn (business_id, risky, last_at, id);
CREATE INDEX IF NOT EXISTS churn_by_score ON churn (business_id, risky, declining, scored_from, id);
CREATE UNIQUE INDEX IF NOT EXISTS churn_totals_key ON churn_totals (business_id);

-- @keys
ALTER TABLE people ADD PRIMARY KEY USING INDEX people_key;
ALTER TABLE customer_ids ADD PRIMARY KEY USING INDEX customer_ids_key;
ALTER TABLE visits ADD PRIMARY KEY USING INDEX visits_key;
ALTER TABLE churn ADD PRIMARY KEY USING INDEX churn_key;
ALTER TABLE churn_totals ADD PRIMARY KEY USING INDEX churn_totals_key;
