-- The first public id in an event that carries a stretch of them: sales of a batch, added products, added customers.
-- The rows are at its beginning, so only that is scanned.
CREATE FUNCTION log.first_id(state bytea) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN substring(encode(substring(state FROM 1 FOR 160), 'escape')
        FROM '"(?:sales":\[\[\d+,|products":\[\[|customers":\[\[)(\d+)')::bigint;
-- Finds the event that added a sale, a product or a customer, among all other events of the business.
CREATE INDEX events_by_first_id ON log.events (business_id, topic, log.first_id(state))
    WHERE topic IN ('sales.SalesBatchRecorded', 'sales.ProductsAdded', 'sales.CustomersAdded');
