-- Devices and networks from which accounts were logged in, as keyed hashes: strangers' failures do not slow these down.
CREATE TABLE credentials.origins (
    account_key bytea NOT NULL,
    origin      bytea NOT NULL,
    seen_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_key, origin)
);
-- The known device that failed; null for others, which count by address.
ALTER TABLE credentials.refusals ADD COLUMN device bytea;
-- Wrong codes are refusals like wrong passwords: they slow down the client that guesses and leave the code valid.
ALTER TABLE credentials.resets DROP COLUMN attempts;
