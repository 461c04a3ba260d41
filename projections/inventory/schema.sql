-- @tables
-- Details of products and their stock. Quantities in thousandths, money in paisa; a day is one since 2000-01-01
-- in Asia/Dhaka, a block 32 of them. '' and -1: the owner cleared the value.
CREATE TABLE goods (
    business_id    bigint NOT NULL,
    product_id     bigint NOT NULL,
    sku            text,
    unit           text,
    unit_price     bigint,
    cost           bigint,
    reorder_point  bigint,
    lead_time_days bigint,
    pack_size      bigint,
    min_order      bigint
);
-- Sales and other movements in ledgers, per second; `received` is the part of `moved` that suppliers delivered.
CREATE TABLE stock_flow (
    business_id bigint NOT NULL,
    day         bigint NOT NULL,
    product_id  bigint NOT NULL,
    second      bigint NOT NULL,
    sold        bigint NOT NULL,
    moved       bigint NOT NULL,
    received    bigint NOT NULL
);
-- Entries by hand: sales by their id, others by their negative position. `recorded` is the position of an entry made at
-- the time of the movement, else 0; `told_at` is the time of a voided sale, the only one if a ledger contained the sale.
CREATE TABLE stock_entries (
    business_id bigint NOT NULL,
    entry       bigint NOT NULL,
    product_id  bigint,
    at          bigint,
    recorded    bigint,
    told_at     bigint,
    sold        bigint NOT NULL,
    moved       bigint NOT NULL,
    received    bigint NOT NULL
);
-- Change of stock per block, so that stock since an old count is computed without reading every sale, and the part of
-- it that was sold, so that it is known since when a product sells. Rows change with every batch of their month: the
-- free space and indexes without these columns let PostgreSQL update them in place.
CREATE TABLE stock_blocks (
    business_id bigint NOT NULL,
    block       bigint NOT NULL,
    product_id  bigint NOT NULL,
    change      bigint NOT NULL,
    sold        bigint NOT NULL
) WITH (fillfactor = 50);
-- Counts by time and position of their event; `counts` is 1.
CREATE TABLE stock_counts (
    business_id bigint NOT NULL,
    product_id  bigint NOT NULL,
    at          bigint NOT NULL,
    recorded    bigint NOT NULL,
    counts      bigint NOT NULL,
    quantity    bigint NOT NULL
);
-- What the owner entered, by the position of the event; `number` is that of the event in the product's stream. Voided
-- entries are not here.
CREATE TABLE stock_log (
    business_id bigint NOT NULL,
    id          bigint NOT NULL,
    product_id  bigint NOT NULL,
    number      bigint NOT NULL,
    kind        text NOT NULL,
    quantity    bigint NOT NULL,
    at          bigint NOT NULL
);
-- Derived: current stock, and the reorder point (null if unknown).
CREATE TABLE stock (
    business_id   bigint NOT NULL,
    product_id    bigint NOT NULL,
    on_hand       bigint NOT NULL,
    stock_known   boolean NOT NULL,
    counted_at    bigint,
    reorder_point bigint,
    reorder_auto  boolean NOT NULL,
    is_low        boolean NOT NULL,
    rule          text NOT NULL
);
CREATE TABLE stock_totals (
    business_id bigint NOT NULL,
    products    bigint NOT NULL,
    low         bigint NOT NULL
);

-- @indexes
CREATE UNIQUE INDEX IF NOT EXISTS goods_key ON goods (business_id, product_id);
CREATE UNIQUE INDEX IF NOT EXISTS stock_flow_key ON stock_flow (business_id, day, product_id, second);
CREATE UNIQUE INDEX IF NOT EXISTS stock_entries_key ON stock_entries (business_id, entry);
CREATE INDEX IF NOT EXISTS stock_entries_by_time ON stock_entries (business_id, coalesce(at, told_at));
CREATE INDEX IF NOT EXISTS stock_entries_by_product ON stock_entries (business_id, product_id, coalesce(at, told_at));
CREATE UNIQUE INDEX IF NOT EXISTS stock_blocks_key ON stock_blocks (business_id, block, product_id);
CREATE INDEX IF NOT EXISTS stock_blocks_by_product ON stock_blocks (business_id, product_id, block);
CREATE UNIQUE INDEX IF NOT EXISTS stock_counts_key ON stock_counts (business_id, product_id, at, recorded);
CREATE UNIQUE INDEX IF NOT EXISTS stock_log_key ON stock_log (business_id, id);
CREATE INDEX IF NOT EXISTS stock_log_by_time ON stock_log (business_id, product_id, at, id);
CREATE UNIQUE INDEX IF NOT EXISTS stock_key ON stock (business_id, product_id);
CREATE INDEX IF NOT EXISTS stock_by_quantity ON stock (business_id, on_hand, product_id);
CREATE INDEX IF NOT EXISTS stock_low ON stock (business_id, on_hand, product_id) WHERE is_low;
CREATE UNIQUE INDEX IF NOT EXISTS stock_totals_key ON stock_totals (business_id);

-- @keys
ALTER TABLE goods ADD PRIMARY KEY USING INDEX goods_key;
ALTER TABLE stock_flow ADD PRIMARY KEY USING INDEX stock_flow_key;
ALTER TABLE stock_entries ADD PRIMARY KEY USING INDEX stock_entries_key;
ALTER TABLE stock_blocks ADD PRIMARY KEY USING INDEX stock_blocks_key;
ALTER TABLE stock_counts ADD PRIMARY KEY USING INDEX stock_counts_key;
ALTER TABLE stock_log ADD PRIMARY KEY USING INDEX stock_log_key;
ALTER TABLE stock ADD PRIMARY KEY USING INDEX stock_key;
ALTER TABLE stock_totals ADD PRIMARY KEY USING INDEX stock_totals_key;
