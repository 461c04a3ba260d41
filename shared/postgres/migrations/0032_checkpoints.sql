CREATE SCHEMA audit;

-- Complete subtrees of the Merkle tree over the hashes of the log, from 256 leaves up; they follow from log.events.
CREATE TABLE audit.tree (
    shard  smallint NOT NULL,
    level  smallint NOT NULL,
    number bigint   NOT NULL,
    hash   bytea    NOT NULL,
    PRIMARY KEY (shard, level, number)
);

-- Signed checkpoints, so that proofs can be served; the copies outside the database are what the log is verified against.
CREATE TABLE audit.checkpoints (
    shard     smallint    NOT NULL,
    size      bigint      NOT NULL,
    root      bytea       NOT NULL,
    head      bytea       NOT NULL,
    at        timestamptz NOT NULL,
    key_id    text        NOT NULL,
    signature bytea       NOT NULL,
    PRIMARY KEY (shard, size)
);

-- The last verification of each shard, and what it found.
CREATE TABLE audit.verifications (
    shard    smallint PRIMARY KEY,
    at       timestamptz NOT NULL,
    size     bigint      NOT NULL,
    findings jsonb       NOT NULL
);
