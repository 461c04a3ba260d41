-- Sales of a business and what they add up to. Money in paisa, quantities in thousandths, times in Asia/Dhaka.
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
    position       bigint NOT NULL
);
CREATE TABLE products (
    business_id  bigint NOT NULL,
    id           bigint NOT NULL,
    name         text,
    sort_name    text,
    priced_at    timestamp,
    unit_price   bigint,
    sales        bigint NOT NULL,
    units        bigint NOT NULL,
    paisa        bigint NOT NULL,
    last_sale_at timestamp
);
CREATE TABLE customers (
    business_id      bigint NOT NULL,
    id               bigint NOT NULL,
    name             text,
    sort_name        text,
    phone            text,
    sales            bigint NOT NULL,
    paisa            bigint NOT NULL,
    last_purchase_at timestamp
);
-- What was sold per day and means of payment ('' = none given), over all products and per product.
CREATE TABLE sales_days (
    business_id    bigint NOT NULL,
    date           date NOT NULL,
    payment_method text NOT NULL,
    sales          bigint NOT NULL,
    units          bigint NOT NULL,
    paisa          bigint NOT NULL
);
CREATE TABLE product_days (
    business_id    bigint NOT NULL,
    product_id     bigint NOT NULL,
    date           date NOT NULL,
    payment_method text NOT NULL,
    sales          bigint NOT NULL,
    units          bigint NOT NULL,
    paisa          bigint NOT NULL
);
-- The days on which a customer came: a visit is a day.
CREATE TABLE customer_days (
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    date        date NOT NULL,
    sales       bigint NOT NULL,
    paisa       bigint NOT NULL
);
CREATE TABLE sales_totals (
    business_id bigint NOT NULL,
    products    bigint NOT NULL,
    customers   bigint NOT NULL,
    sales       bigint NOT NULL,
    paisa       bigint NOT NULL
);

-- after the rows, side by side
CREATE UNIQUE INDEX IF NOT EXISTS transactions_key ON transactions (business_id, id);
CREATE INDEX IF NOT EXISTS transactions_by_date ON transactions (business_id, sold_at, id);
CREATE INDEX IF NOT EXISTS transactions_by_amount ON transactions (business_id, paisa, id);
CREATE INDEX IF NOT EXISTS transactions_by_product ON transactions (business_id, product_id, sold_at, id);
CREATE INDEX IF NOT EXISTS transactions_by_product_amount ON transactions (business_id, product_id, paisa, id);
CREATE INDEX IF NOT EXISTS transactions_by_payment ON transactions (business_id, payment_method, sold_at, id);
CREATE UNIQUE INDEX IF NOT EXISTS products_key ON products (business_id, id);
CREATE INDEX IF NOT EXISTS products_by_name ON products (business_id, sort_name, id);
CREATE UNIQUE INDEX IF NOT EXISTS customers_key ON customers (business_id, id);
CREATE INDEX IF NOT EXISTS customers_by_name ON customers (business_id, sort_name, id);
CREATE INDEX IF NOT EXISTS customers_by_spending ON customers (business_id, paisa, id);
CREATE INDEX IF NOT EXISTS customers_by_last_purchase ON customers (business_id, last_purchase_at, id);
CREATE UNIQUE INDEX IF NOT EXISTS sales_days_key ON sales_days (business_id, date, payment_method);
CREATE UNIQUE INDEX IF NOT EXISTS product_days_key ON product_days (business_id, product_id, date, payment_method);
CREATE INDEX IF NOT EXISTS product_days_by_date ON product_days (business_id, date) INCLUDE (product_id, units);
CREATE UNIQUE INDEX IF NOT EXISTS customer_days_key ON customer_days (business_id, customer_id, date);
CREATE UNIQUE INDEX IF NOT EXISTS sales_totals_key ON sales_totals (business_id);

-- once they stand
ALTER TABLE transactions ADD PRIMARY KEY USING INDEX transactions_key;
ALTER TABLE products ADD PRIMARY KEY USING INDEX products_key;
ALTER TABLE customers ADD PRIMARY KEY USING INDEX customers_key;
ALTER TABLE sales_days ADD PRIMARY KEY USING INDEX sales_days_key;
ALTER TABLE product_days ADD PRIMARY KEY USING INDEX product_days_key;
ALTER TABLE customer_days ADD PRIMARY KEY USING INDEX customer_days_key;
ALTER TABLE sales_totals ADD PRIMARY KEY USING INDEX sales_totals_key;
