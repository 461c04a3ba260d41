-- @tables
-- Cash flows of a business. Money in paisa, dates in Asia/Dhaka.
-- Per day: sales paid at once and on credit (less voids and returns on credit), refunds, purchases,
-- expenses of ledgers, collected baki; sale_count counts sales that were not voided.
CREATE TABLE cash_days (
    business_id bigint NOT NULL,
    date        date NOT NULL,
    takings     bigint NOT NULL,
    lent        bigint NOT NULL,
    refunds     bigint NOT NULL,
    purchases   bigint NOT NULL,
    expenses    bigint NOT NULL,
    collections bigint NOT NULL,
    sale_count  bigint NOT NULL
);
-- What a customer bought on credit and paid back, per day and in total; customer 0: sales without a customer.
CREATE TABLE baki_days (
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    date        date NOT NULL,
    lent        bigint NOT NULL,
    paid        bigint NOT NULL
);
CREATE TABLE baki_totals (
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    lent        bigint NOT NULL,
    paid        bigint NOT NULL
);
-- Customers who were merged into another one.
CREATE TABLE baki_merges (
    business_id bigint NOT NULL,
    id          bigint NOT NULL,
    customer_id bigint
);
-- Expenses entered by hand; a recurring one is due before `ended_on` only, any other one with `ended_on` was removed.
CREATE TABLE cash_expenses (
    business_id bigint NOT NULL,
    id          bigint NOT NULL,
    date        date,
    amount      bigint,
    category    text,
    recurring   text,
    ended_on    date
);
CREATE TABLE cash_settings (
    business_id        bigint NOT NULL,
    opening_balance    bigint,
    opening_date       date,
    critical_threshold bigint
);

-- @indexes
CREATE UNIQUE INDEX IF NOT EXISTS cash_days_key ON cash_days (business_id, date);
CREATE UNIQUE INDEX IF NOT EXISTS baki_days_key ON baki_days (business_id, date, customer_id);
CREATE UNIQUE INDEX IF NOT EXISTS baki_totals_key ON baki_totals (business_id, customer_id);
CREATE UNIQUE INDEX IF NOT EXISTS baki_merges_key ON baki_merges (business_id, id);
CREATE UNIQUE INDEX IF NOT EXISTS cash_expenses_key ON cash_expenses (business_id, id);
CREATE INDEX IF NOT EXISTS cash_expenses_by_date ON cash_expenses (business_id, date, id);
CREATE UNIQUE INDEX IF NOT EXISTS cash_settings_key ON cash_settings (business_id);

-- @keys
ALTER TABLE cash_days ADD PRIMARY KEY USING INDEX cash_days_key;
ALTER TABLE baki_days ADD PRIMARY KEY USING INDEX baki_days_key;
ALTER TABLE baki_totals ADD PRIMARY KEY USING INDEX baki_totals_key;
ALTER TABLE baki_merges ADD PRIMARY KEY USING INDEX baki_merges_key;
ALTER TABLE cash_expenses ADD PRIMARY KEY USING INDEX cash_expenses_key;
ALTER TABLE cash_settings ADD PRIMARY KEY USING INDEX cash_settings_key;
