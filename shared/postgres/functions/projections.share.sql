-- Keeps a projection's pointer from moving until the transaction ends, and returns the schema it points to. A function, not
-- one query: a query that has waited for a lock still reads what was committed before it began to wait.
CREATE OR REPLACE FUNCTION projections.share(p_projection text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7303, hashtext(p_projection));
    RETURN (SELECT schema FROM projections.live WHERE projection = p_projection);
END $$;
