-- Reads the first public id of an event that adds several: sales of a batch, products, customers. They are at the
-- beginning of the event, so the rest of it is not scanned.
CREATE OR REPLACE FUNCTION log.first_id(state bytea) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN substring(encode(substring(state FROM 1 FOR 160), 'escape')
        FROM '"(?:sales":\[\[\d+,|products":\[\[|customers":\[\[)(\d+)')::bigint;
