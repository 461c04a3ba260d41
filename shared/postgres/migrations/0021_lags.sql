-- How far each read model was behind the log, every ten seconds of the last hour. Measurements, not rows of a read model.
CREATE TABLE projections.lags (
    projection  text NOT NULL,
    at          timestamptz NOT NULL,
    position    bigint NOT NULL,
    lag         bigint NOT NULL,
    lag_seconds double precision NOT NULL,
    PRIMARY KEY (projection, at)
);
-- Its file creates it again, with more columns.
DROP FUNCTION IF EXISTS projections.standing();
