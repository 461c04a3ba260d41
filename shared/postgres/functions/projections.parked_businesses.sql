-- Lists the businesses that are parked in the generations that serve, with the event that could not be applied and why,
-- for operators.
CREATE OR REPLACE FUNCTION projections.parked_businesses()
RETURNS TABLE (projection text, generation text, business_id bigint, "position" bigint, topic text, error text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    serving record;
BEGIN
    FOR serving IN SELECT l.projection, l.schema FROM projections.live l ORDER BY l.projection LOOP
        CONTINUE WHEN to_regnamespace(quote_ident(serving.schema)) IS NULL;
        RETURN QUERY EXECUTE format(
            'SELECT %L::text, %L::text, p.business_id, p.position, p.topic, p.error FROM %I.parked p ORDER BY p.position',
            serving.projection, serving.schema, serving.schema);
    END LOOP;
END $$;
