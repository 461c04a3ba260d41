-- Marks a preview as the one whose rules are in force, and the one before it as completed.
CREATE OR REPLACE FUNCTION projections.complete_adoption(p_generation bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE projections.generations AS g SET state = CASE WHEN g.id = p_generation THEN 'live' ELSE 'completed' END
    FROM projections.generations AS adopted
    WHERE adopted.id = p_generation AND g.projection = adopted.projection AND g.kind = 'preview'
        AND (g.id = p_generation OR g.state = 'live')
$$;
