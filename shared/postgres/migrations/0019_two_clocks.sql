-- Replays to a business date: the books as they were known at a moment, without entries of later dates.
ALTER TABLE projections.replays ADD COLUMN happened_until date;
-- The last position whose rules apply; null: those of `position`.
ALTER TABLE projections.replays ADD COLUMN rules_position bigint;
-- The first business date in the books, known once the replay is ready; null where they have no entries.
ALTER TABLE projections.replays ADD COLUMN books_begin date;

-- Its file creates it again, with both clocks.
DROP FUNCTION IF EXISTS projections.request_replay(uuid, bigint, bigint, timestamptz, text, integer, interval);
