-- The event log, what the write side decides by, the keys, the credentials, the files, the jobs and the pointers.

CREATE SCHEMA log;
CREATE SCHEMA vault;
CREATE SCHEMA credentials;
CREATE SCHEMA files;
CREATE SCHEMA jobs;
CREATE SCHEMA projections;

-- The log. The four columns named originator_*, topic, state and notification_id carry the recorder's own names.
CREATE TABLE log.events (
    notification_id    bigint PRIMARY KEY,
    originator_id      text NOT NULL,
    originator_version bigint NOT NULL,
    topic              text NOT NULL,
    state              bytea NOT NULL,
    business_id        bigint,
    recorded_at        timestamptz NOT NULL,
    meta               jsonb NOT NULL,
    hash               bytea NOT NULL,
    UNIQUE (originator_id, originator_version)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX events_of_business ON log.events (business_id, notification_id);
DO $$ BEGIN
    ALTER TABLE log.events ALTER COLUMN state SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this server has no lz4; events are kept uncompressed';
    ALTER TABLE log.events ALTER COLUMN state SET STORAGE EXTERNAL;
END $$;

-- The same, in the words of this house and readable in SQL.
CREATE VIEW log.history AS
SELECT notification_id AS position, originator_id AS stream, originator_version AS version, topic, business_id,
       recorded_at, meta, convert_from(state, 'UTF8')::jsonb AS data, encode(hash, 'hex') AS hash
FROM log.events;

-- What commands must find at once: e-mails, names, fingerprints. Scope 0 is the whole house, else a business.
CREATE TABLE log.index_rows (
    kind  text NOT NULL,
    scope bigint NOT NULL,
    key   bytea NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (kind, scope, key)
);

-- Commands that were carried out, with their answers.
CREATE TABLE log.commands (
    scope        bigint NOT NULL,
    command_id   text NOT NULL,
    request_hash bytea,
    result       jsonb NOT NULL,
    position     bigint,
    recorded_at  timestamptz NOT NULL,
    PRIMARY KEY (scope, command_id)
);

-- The next public id of each kind.
CREATE TABLE log.counters (
    scope bigint NOT NULL,
    kind  text NOT NULL,
    next  bigint NOT NULL,
    PRIMARY KEY (scope, kind)
);

-- The one way into the log. Index rows first, in sorted order, so that nobody waits for them while holding the
-- order of the log; then the lock that makes positions gapless and visible in order; then chain, insert, NOTIFY.
-- Returns the position of the last event (null if there was none).
CREATE FUNCTION log.append(
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
        SELECT e.notification_id, e.hash, e.recorded_at INTO head, last, at
        FROM log.events e ORDER BY e.notification_id DESC LIMIT 1;
        head := coalesce(head, 0);
        last := coalesce(last, '\x');
        at := greatest(clock_timestamp(), at);
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
                                         clock_timestamp());
    END IF;
    RETURN head;
END $$;

-- How a command begins: alone in its business until the commit, then the database's clock and, if the command was
-- carried out before, its answer.
CREATE FUNCTION log.begin_command(p_business bigint, p_lock bigint, p_command text)
RETURNS TABLE (now timestamptz, known boolean, request_hash bytea, result jsonb, "position" bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_business IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(p_lock);
    END IF;
    RETURN QUERY SELECT clock_timestamp(), c.command_id IS NOT NULL, c.request_hash, c.result, c.position
        FROM (SELECT) AS one LEFT JOIN log.commands c
            ON c.scope = coalesce(p_business, 0) AND c.command_id = p_command;
END $$;

-- Keys of the people and shops whose data is sealed, wrapped by the master key. Deleting a row forgets its subject.
CREATE TABLE vault.keys (
    subject    text PRIMARY KEY,
    wrapped    bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE credentials.users (
    user_id     bigint PRIMARY KEY,
    business_id bigint,
    email_key   bytea NOT NULL UNIQUE,
    language    text NOT NULL,
    is_staff    boolean NOT NULL DEFAULT false,
    is_active   boolean NOT NULL DEFAULT true
);
CREATE TABLE credentials.passwords (
    user_id    bigint PRIMARY KEY,
    hash       text NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE TABLE credentials.sessions (
    family      uuid NOT NULL,
    generation  integer NOT NULL,
    jti_hash    bytea NOT NULL UNIQUE,
    user_id     bigint NOT NULL,
    business_id bigint,
    issued_at   timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,
    revoked_at  timestamptz,
    successor   text,
    PRIMARY KEY (family, generation)
);
CREATE INDEX sessions_of_user ON credentials.sessions (user_id);
CREATE TABLE credentials.refusals (
    at          timestamptz NOT NULL,
    account_key bytea NOT NULL,
    ip          inet,
    reason      text NOT NULL
);
CREATE INDEX refusals_of_account ON credentials.refusals (account_key, at);
CREATE INDEX refusals_of_address ON credentials.refusals (ip, at);
CREATE TABLE credentials.resets (
    user_id    bigint PRIMARY KEY,
    code_hash  bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    attempts   integer NOT NULL DEFAULT 0
);

-- Stored files in sealed parts, and the rejected rows of ledgers, sealed likewise.
CREATE TABLE files.parts (
    file_id     uuid NOT NULL,
    part        integer NOT NULL,
    business_id bigint NOT NULL,
    sealed      bytea NOT NULL,
    stored_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (file_id, part)
);
ALTER TABLE files.parts ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE TABLE files.rejections (
    file_id     uuid NOT NULL,
    through_row integer NOT NULL,
    business_id bigint NOT NULL,
    sealed      bytea NOT NULL,
    PRIMARY KEY (file_id, through_row)
);

-- Work to do. Rows follow from the log; lease, attempts and worker are volatile.
CREATE TABLE jobs.jobs (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL,
    subject     text NOT NULL,
    business_id bigint,
    position    bigint NOT NULL,
    payload     jsonb NOT NULL,
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'running', 'done', 'failed')),
    attempts    integer NOT NULL DEFAULT 0,
    run_after   timestamptz NOT NULL DEFAULT now(),
    leased_by   text,
    leased_until timestamptz,
    error       text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, subject)
);
CREATE INDEX jobs_open ON jobs.jobs (run_after) WHERE state IN ('pending', 'running');
CREATE TABLE jobs.progress (
    policy   text PRIMARY KEY,
    position bigint NOT NULL
);
CREATE TABLE jobs.processes (
    name    text PRIMARY KEY,
    kind    text NOT NULL,
    seen_at timestamptz NOT NULL
);

-- Generations of read models, and the pointer that says which one serves.
CREATE TABLE projections.generations (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    projection  text NOT NULL,
    schema      text NOT NULL UNIQUE,
    version     integer NOT NULL,
    state       text NOT NULL CHECK (state IN ('replaying', 'catching_up', 'live', 'retired', 'failed', 'dropped')),
    upto        bigint NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX one_rebuild_at_a_time ON projections.generations (projection)
    WHERE state IN ('replaying', 'catching_up');
CREATE TABLE projections.live (
    projection text PRIMARY KEY,
    schema     text NOT NULL
);

-- How far the live generation of each projection has come for one business, and where that business is parked, if so.
CREATE FUNCTION projections.reached(p_business bigint, p_projections text[])
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
