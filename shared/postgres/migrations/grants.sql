-- Who may do what. Applied after every migration; harmless when applied again.

GRANT USAGE ON SCHEMA log TO smartmarket_writer, smartmarket_projector;
GRANT SELECT ON ALL TABLES IN SCHEMA log TO smartmarket_writer, smartmarket_projector;
GRANT INSERT, UPDATE ON log.counters TO smartmarket_writer;
GRANT USAGE ON SCHEMA audit TO smartmarket_writer, smartmarket_reader;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA audit TO smartmarket_writer;
GRANT UPDATE ON audit.verifications TO smartmarket_writer;
GRANT SELECT ON audit.verifications TO smartmarket_reader;
REVOKE ALL ON FUNCTION log.append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.append TO smartmarket_writer;
REVOKE ALL ON FUNCTION log.empty_index FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.empty_index TO smartmarket_writer;

GRANT USAGE ON SCHEMA vault, credentials, files, jobs TO smartmarket_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA vault, credentials, files, jobs TO smartmarket_writer;

GRANT USAGE ON SCHEMA vault, jobs TO smartmarket_projector;
GRANT SELECT ON vault.keys TO smartmarket_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs.processes TO smartmarket_projector;
GRANT USAGE ON SCHEMA projections TO smartmarket_projector, smartmarket_reader, smartmarket_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA projections TO smartmarket_projector;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA projections TO smartmarket_projector;
GRANT SELECT ON projections.live TO smartmarket_reader, smartmarket_writer;
REVOKE ALL ON FUNCTION projections.reached FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projections.reached TO smartmarket_reader, smartmarket_writer;
GRANT USAGE ON SCHEMA jobs TO smartmarket_reader;
GRANT SELECT ON jobs.processes TO smartmarket_reader;
-- The write side requests generations and replays through functions of the projections, which own the tables.
REVOKE INSERT, UPDATE ON projections.generations FROM smartmarket_writer;
REVOKE ALL ON projections.replays FROM smartmarket_writer;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA projections FROM smartmarket_writer;
GRANT SELECT ON projections.replays TO smartmarket_reader;
ALTER TABLE projections.replays ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS tenant ON projections.replays;
CREATE POLICY tenant ON projections.replays TO smartmarket_reader
    USING (business_id = nullif(current_setting('app.business_id', true), '')::bigint);
DROP POLICY IF EXISTS house ON projections.replays;
CREATE POLICY house ON projections.replays TO smartmarket_projector USING (true) WITH CHECK (true);
GRANT SELECT ON projections.generations, projections.lags TO smartmarket_writer;
REVOKE ALL ON FUNCTION projections.request_generation, projections.request_adoption, projections.complete_adoption,
    projections.request_drop, projections.request_replay, projections.abandon_rollback,
    projections.expire_replays FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projections.request_generation, projections.request_adoption, projections.complete_adoption,
    projections.request_drop, projections.request_replay, projections.expire_replays TO smartmarket_writer;
REVOKE ALL ON FUNCTION projections.standing, projections.parked_businesses FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projections.parked_businesses TO smartmarket_writer;
GRANT EXECUTE ON FUNCTION projections.standing TO smartmarket_writer, smartmarket_projector;
REVOKE ALL ON FUNCTION jobs.clock_standing FROM PUBLIC;
GRANT EXECUTE ON FUNCTION jobs.clock_standing TO smartmarket_reader, smartmarket_writer;
REVOKE ALL ON FUNCTION projections.sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projections.sessions TO smartmarket_projector;
