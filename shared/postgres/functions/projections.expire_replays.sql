-- Ends all replays of a business, so that none shows what was erased since the position it stopped at; the schemas are
-- dropped by the processes that keep generations.
CREATE OR REPLACE FUNCTION projections.expire_replays(p_business bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE projections.replays SET state = 'expired' WHERE business_id = p_business AND state IN ('pending', 'ready');
$$;
