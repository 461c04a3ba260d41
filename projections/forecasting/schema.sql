-- @tables
-- The latest demand forecast shown to the owner, per product and horizon. Quantities in thousandths,
-- days in Asia/Dhaka. status: ready, insufficient_data (it has `have` transactions and needs `need`), or null where every
-- attempt failed. `expected` has the demand of each day after made_on; `quantiles`, per day, those at `levels`
-- (thousandths) of the demand up to it; days and report are JSON of the event's rows.
CREATE TABLE forecasts (
    business_id  bigint NOT NULL,
    product_id   bigint NOT NULL,
    horizon      bigint NOT NULL,
    status       text,
    asked_on     date,
    have         bigint,
    need         bigint,
    forecast_id  bigint,
    made_on      date,
    data_as_of   date,
    tier         text,
    model        text,
    champion     text,
    expected     bigint[],
    levels       bigint[],
    quantiles    bigint[],
    days         text,
    report       text,
    data_version bigint,
    failed_on    date,
    failure      text
);
-- The latest forecast of takings on each day after made_on, in paisa.
CREATE TABLE revenue_forecasts (
    business_id  bigint NOT NULL,
    made_on      date,
    data_as_of   date,
    model        text,
    takings      bigint[],
    lower        bigint[],
    upper        bigint[],
    data_version bigint
);
-- What the models predicted for past weeks, which the next forecast reuses: demand of a product in thousandths, and as
-- product 0 the takings of the shop in paisa. `foretold` is JSON: model -> amounts per day.
CREATE TABLE forecast_windows (
    business_id bigint NOT NULL,
    product_id  bigint NOT NULL,
    cutoff      date NOT NULL,
    known       double precision,
    foretold    text
);
-- Requested runs: products requested, with a forecast, failed and too short; complete when all parts are. `state` is pending,
-- completed where there was nothing to do, or failed after the last attempt at a part.
CREATE TABLE forecast_runs (
    business_id  bigint NOT NULL,
    run_id       text NOT NULL,
    by           text,
    horizon      bigint,
    requested_on date,
    products     bigint,
    made         bigint NOT NULL,
    failed       bigint NOT NULL,
    short        bigint NOT NULL,
    parts_done   bigint NOT NULL,
    parts        bigint,
    state        text
);
-- The run that a product was last requested in, and the last one that had a result for it.
CREATE TABLE requested_forecasts (
    business_id bigint NOT NULL,
    product_id  bigint NOT NULL,
    horizon     bigint NOT NULL,
    run_id      text,
    done_run    text
);

-- @indexes
CREATE UNIQUE INDEX IF NOT EXISTS forecasts_key ON forecasts (business_id, product_id, horizon);
CREATE UNIQUE INDEX IF NOT EXISTS revenue_forecasts_key ON revenue_forecasts (business_id);
CREATE UNIQUE INDEX IF NOT EXISTS forecast_windows_key ON forecast_windows (business_id, product_id, cutoff);
CREATE UNIQUE INDEX IF NOT EXISTS forecast_runs_key ON forecast_runs (business_id, run_id);
CREATE UNIQUE INDEX IF NOT EXISTS requested_forecasts_key ON requested_forecasts (business_id, product_id, horizon);

-- @keys
ALTER TABLE forecasts ADD PRIMARY KEY USING INDEX forecasts_key;
ALTER TABLE revenue_forecasts ADD PRIMARY KEY USING INDEX revenue_forecasts_key;
ALTER TABLE forecast_windows ADD PRIMARY KEY USING INDEX forecast_windows_key;
ALTER TABLE forecast_runs ADD PRIMARY KEY USING INDEX forecast_runs_key;
ALTER TABLE requested_forecasts ADD PRIMARY KEY USING INDEX requested_forecasts_key;
