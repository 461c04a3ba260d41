-- Appends events to the log; the only way to write to it. Claims and releases index rows first, in sorted order, so that
-- no command waits for a row while it holds the order of the log; then takes the lock that makes positions gapless and
-- visible in order; then extends the hash chain, inserts and notifies. Events are stamped by the clock of their own append,
-- also where it is behind the stamp before: that position is kept in log.clock_steps. Returns the position of the last
-- event, null if there was none.
CREATE OR REPLACE FUNCTION log.append(
    p_business bigint, p_streams text[], p_versions bigint[], p_topics text[], p_states bytea[], p_meta jsonb,
    p_claim_kinds text[] DEFAULT '{}', p_claim_scopes bigint[] DEFAULT '{}', p_claim_keys bytea[] DEFAULT '{}',
    p_claim_values bigint[] DEFAULT '{}', p_release_kinds text[] DEFAULT '{}', p_release_scopes bigint[] DEFAULT '{}',
    p_release_keys bytea[] DEFAULT '{}', p_command text DEFAULT NULL, p_request_hash bytea DEFAULT NULL,
    p_result jsonb DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head bigint := 0;
    last bytea := '\x';
    at   timestamptz;
    before timestamptz;
BEGIN
    IF cardinality(p_release_keys) > 0 THEN
        DELETE FROM log.index_rows i USING unnest(p_release_kinds, p_release_scopes, p_release_keys) AS r(kind, scope, key)
        WHERE (i.kind, i.scope, i.key) = (r.kind, r.scope, r.key);
    END IF;
    IF cardinality(p_claim_keys) > 0 THEN
        INSERT INTO log.index_rows (kind, scope, key, value)
        SELECT * FROM unnest(p_claim_kinds, p_claim_scopes, p_claim_keys, p_claim_values) ORDER BY 1, 2, 3;
    END IF;
    IF cardinality(p_streams) > 0 THEN
        PERFORM pg_advisory_xact_lock(7301, 0);
        SELECT e.notification_id, e.hash, e.recorded_at INTO head, last, before
        FROM log.events e ORDER BY e.notification_id DESC LIMIT 1;
        head := coalesce(head, 0);
        last := coalesce(last, '\x');
        at := log.clock();
        IF at < before THEN
            INSERT INTO log.clock_steps VALUES (head + 1);
        END IF;
        FOR i IN 1..cardinality(p_streams) LOOP
            head := head + 1;
            last := sha256(last || convert_to(jsonb_build_array(head, p_streams[i], p_versions[i], p_topics[i],
                p_business, (extract(epoch FROM at) * 1000000)::bigint, p_meta)::text, 'UTF8') || p_states[i]);
            INSERT INTO log.events (notification_id, originator_id, originator_version, topic, state, business_id,
                                    recorded_at, meta, hash)
            VALUES (head, p_streams[i], p_versions[i], p_topics[i], p_states[i], p_business, at, p_meta, last);
        END LOOP;
        PERFORM pg_notify('log', head::text);
    ELSE
        head := NULL;
    END IF;
    IF p_command IS NOT NULL THEN
        INSERT INTO log.commands VALUES (coalesce(p_business, 0), p_command, p_request_hash, p_result, head,
                                         log.clock());
    END IF;
    RETURN head;
END $$;
