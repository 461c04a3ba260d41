-- Marks a generation to be dropped, which also cancels its making; a schema that exists is dropped once every reader has
-- left. Returns no row if there is no such generation; else its kind, its state before the call and whether it was
-- marked: the one that serves, and those that owners may be querying, are not.
CREATE OR REPLACE FUNCTION projections.request_drop(p_generation bigint)
RETURNS TABLE (kind text, state text, dropped boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT g.kind, g.state INTO kind, state FROM projections.generations g WHERE g.id = p_generation FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    dropped := (kind, state) <> ('rebuild', 'live') AND kind <> 'travel';
    IF dropped THEN
        UPDATE projections.generations g SET state = CASE
            WHEN g.state IN ('replaying', 'catching_up', 'retired', 'failed') THEN 'dropping' ELSE 'dropped' END
            WHERE g.id = p_generation;
    END IF;
    RETURN NEXT;
END $$;
