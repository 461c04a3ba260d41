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
-- What a customer bought on credit and paid back, per day and in total, opening debts and advances included; customer 0:
-- sales without a customer.
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
-- A voided one counts nowhere.
CREATE TABLE cash_expenses (
    business_id bigint NOT NULL,
    id          bigint NOT NULL,
    date        date,
    amount      bigint,
    category    text,
    recurring   text,
    ended_on    date,
    voided      boolean
);
-- Collected baki; voided collections are not here.
CREATE TABLE collections (
    business_id bigint NOT NULL,
    id          bigint NOT NULL,
    date        date NOT NULL,
    amount      bigint NOT NULL,
    customer_id bigint NOT NULL
);
-- What was open with customers before the books began: `debt` or `advance`; voided ones are not here.
CREATE TABLE opening_debts (
    business_id bigint NOT NULL,
    id          bigint NOT NULL,
    kind        text NOT NULL,
    date        date NOT NULL,
    amount      bigint NOT NULL,
    customer_id bigint NOT NULL
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
CREATE UNIQUE INDEX IF NOT EXISTS collections_key ON collections (business_id, id);
CREATE INDEX IF NOT EXISTS collections_by_date ON collections (business_id, date, id);
CREATE INDEX IF NOT EXISTS collections_by_customer ON collections (business_id, customer_id, date, id);
CREATE UNIQUE INDEX IF NOT EXISTS opening_debts_key ON opening_debts (business_id, id);
CREATE INDEX IF NOT EXISTS opening_debts_by_date ON opening_debts (business_id, date, id);
CREATE INDEX IF NOT EXISTS opening_debts_by_customer ON opening_debts (business_id, customer_id, date, id);
CREATE UNIQUE INDEX IF NOT EXISTS cash_settings_key ON cash_settings (business_id);

-- @keys
ALTER TABLE cash_days ADD PRIMARY KEY USING INDEX cash_days_key;
ALTER TABLE baki_days ADD PRIMARY KEY USING INDEX baki_days_key;
ALTER TABLE baki_totals ADD PRIMARY KEY USING INDEX baki_totals_key;
ALTER TABLE baki_merges ADD PRIMARY KEY USING INDEX baki_merges_key;
ALTER TABLE cash_expenses ADD PRIMARY KEY USING INDEX cash_expenses_key;
ALTER TABLE collections ADD PRIMARY KEY USING INDEX collections_key;
ALTER TABLE opening_debts ADD PRIMARY KEY USING INDEX opening_debts_key;
ALTER TABLE cash_settings ADD PRIMARY KEY USING INDEX cash_settings_key;
