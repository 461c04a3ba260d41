-- @tables
-- Sales of a business and their sums; units and paisa of sums are net of returns. Money in paisa, quantities in thousandths,
-- times in Asia/Dhaka.
CREATE TABLE transactions (
    business_id    bigint NOT NULL,
    id             bigint NOT NULL,
    sold_at        timestamp NOT NULL,
    product_id     bigint NOT NULL,
    customer_id    bigint,
    quantity       bigint NOT NULL,
    paisa          bigint NOT NULL,
    payment_method text,
    payment_text   text,
    position       bigint NOT NULL,
    source         text -- null: a ledger
);
-- outdated: sales that were removed since price and time were computed; 0 once they are.
CREATE TABLE products (
    business_id  bigint NOT NULL,
    id           bigint NOT NULL,
    name         text,
    sort_name    text,
    priced_at    timestamp,
    unit_price   bigint,
    first_price  bigint,
    sales        bigint NOT NULL,
    units        bigint NOT NULL,
    paisa        bigint NOT NULL,
    returned     bigint NOT NULL,
    last_sale_at timestamp,
    outdated     bigint NOT NULL
) WITH (fillfactor = 50);
-- Names of buyers; sales of a merged customer are shown under the name of the remaining one.
CREATE TABLE buyers (
    business_id bigint NOT NULL,
    id          bigint NOT NULL,
    name        text,
    merged_into bigint
);
-- Sales per day and means of payment ('' = none given), over all products and per product.
CREATE TABLE sales_days (
    business_id    bigint NOT NULL,
    date           date NOT NULL,
    payment_method text NOT NULL,
    sales          bigint NOT NULL,
    units          bigint NOT NULL,
    paisa          bigint NOT NULL,
    returned       bigint NOT NULL
);
CREATE TABLE product_days (
    business_id    bigint NOT NULL,
    product_id     bigint NOT NULL,
    date           date NOT NULL,
    payment_method text NOT NULL,
    sales          bigint NOT NULL,
    units          bigint NOT NULL,
    paisa          bigint NOT NULL,
    returned       bigint NOT NULL
);
CREATE TABLE sales_totals (
    business_id bigint NOT NULL,
    products    bigint NOT NULL,
    sales       bigint NOT NULL,
    paisa       bigint NOT NULL,
    returned    bigint NOT NULL
);
-- Voided sales, which are not among the transactions any more.
CREATE TABLE voids (
    business_id bigint NOT NULL,
    id          bigint NOT NULL,
    product_id  bigint NOT NULL,
    reason      text NOT NULL,
    voided_at   timestamptz NOT NULL,
    position    bigint NOT NULL
);
-- Other lines of ledgers: return, purchase, expense.
CREATE TABLE movements (
    business_id    bigint NOT NULL,
    id             bigint NOT NULL,
    kind           text NOT NULL,
    sold_at        timestamp NOT NULL,
    product_id     bigint,
    customer_id    bigint,
    text           text,
    quantity       bigint NOT NULL,
    paisa          bigint NOT NULL,
    payment_method text,
    payment_text   text,
    position       bigint NOT NULL
);

-- @indexes
CREATE UNIQUE INDEX IF NOT EXISTS transactions_key ON transactions (business_id, id);
CREATE INDEX IF NOT EXISTS transactions_by_date ON transactions (business_id, sold_at, id);
CREATE INDEX IF NOT EXISTS transactions_by_amount ON transactions (business_id, paisa, id);
CREATE INDEX IF NOT EXISTS transactions_by_product ON transactions (business_id, product_id, sold_at, id);
CREATE INDEX IF NOT EXISTS transactions_by_product_amount ON transactions (business_id, product_id, paisa, id);
CREATE INDEX IF NOT EXISTS transactions_by_payment ON transactions (business_id, payment_method, sold_at, id);
CREATE INDEX IF NOT EXISTS transactions_by_customer ON transactions (business_id, customer_id, sold_at, id)
    WHERE customer_id IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS products_key ON products (business_id, id);
CREATE INDEX IF NOT EXISTS products_by_name ON products (business_id, sort_name, id);
CREATE UNIQUE INDEX IF NOT EXISTS buyers_key ON buyers (business_id, id);
CREATE UNIQUE INDEX IF NOT EXISTS voids_key ON voids (business_id, id);
CREATE UNIQUE INDEX IF NOT EXISTS movements_key ON movements (business_id, id);
CREATE INDEX IF NOT EXISTS movements_by_date ON movements (business_id, kind, sold_at, id);
CREATE INDEX IF NOT EXISTS movements_by_amount ON movements (business_id, kind, paisa, id);
CREATE UNIQUE INDEX IF NOT EXISTS sales_days_key ON sales_days (business_id, date, payment_method);
CREATE UNIQUE INDEX IF NOT EXISTS product_days_key ON product_days (business_id, product_id, date, payment_method);
CREATE INDEX IF NOT EXISTS product_days_by_date ON product_days (business_id, date) INCLUDE (product_id, units);
CREATE UNIQUE INDEX IF NOT EXISTS sales_totals_key ON sales_totals (business_id);

-- @keys
ALTER TABLE transactions ADD PRIMARY KEY USING INDEX transactions_key;
ALTER TABLE products ADD PRIMARY KEY USING INDEX products_key;
ALTER TABLE buyers ADD PRIMARY KEY USING INDEX buyers_key;
ALTER TABLE voids ADD PRIMARY KEY USING INDEX voids_key;
ALTER TABLE movements ADD PRIMARY KEY USING INDEX movements_key;
ALTER TABLE sales_days ADD PRIMARY KEY USING INDEX sales_days_key;
ALTER TABLE product_days ADD PRIMARY KEY USING INDEX product_days_key;
ALTER TABLE sales_totals ADD PRIMARY KEY USING INDEX sales_totals_key;
