-- A known text sealed under the master key: another SECRET_KEY than that of this database is found at the start.
CREATE TABLE vault.canary (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    sealed bytea NOT NULL
);
