-- Reads the checkpoint of the live generation of each projection for one business, and where that business is parked,
-- if it is.
CREATE OR REPLACE FUNCTION projections.reached(p_business bigint, p_projections text[])
RETURNS TABLE (projection text, reached bigint, parked bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    pointer record;
BEGIN
    FOR pointer IN SELECT l.projection, l.schema FROM projections.live l WHERE l.projection = ANY(p_projections) LOOP
        projection := pointer.projection;
        EXECUTE format('SELECT (SELECT position FROM %1$I.progress WHERE shard = $1 %% 16),
                               (SELECT position FROM %1$I.parked WHERE business_id = $1)', pointer.schema)
        INTO reached, parked USING p_business;
        RETURN NEXT;
    END LOOP;
END $$;
