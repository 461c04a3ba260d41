-- Who waits goes first: 0 a person looks at the screen, 1 follows from what somebody did, 2 can wait for the night.
ALTER TABLE jobs.jobs ADD COLUMN priority smallint NOT NULL DEFAULT 0;
DROP INDEX jobs.jobs_open;
CREATE INDEX jobs_open ON jobs.jobs (priority, run_after) WHERE state IN ('pending', 'running');
