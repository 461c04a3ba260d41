-- What a generation was made for: to serve (`rebuild`), or to be compared with the one that serves (`verify`).
ALTER TABLE projections.generations ADD COLUMN kind text NOT NULL DEFAULT 'rebuild';
DROP INDEX projections.one_rebuild_at_a_time;
CREATE UNIQUE INDEX one_rebuild_at_a_time ON projections.generations (projection)
    WHERE state IN ('replaying', 'catching_up') AND kind = 'rebuild';
