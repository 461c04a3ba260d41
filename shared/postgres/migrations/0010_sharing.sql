-- Keeps a projection's pointer from moving until the transaction ends, and returns the schema it points to. In one round
-- trip, and not in one query: a query that waits for a lock goes on to see what was before it.
CREATE FUNCTION projections.share(p_projection text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7303, hashtext(p_projection));
    RETURN (SELECT schema FROM projections.live WHERE projection = p_projection);
END $$;
