-- Finds the events that are part of every business's history among all that are of no business, most of which are refused
-- logins. A handful of rows: other appends do not touch it. A query must name the same two topics to be given it.
CREATE INDEX events_of_all ON log.events (notification_id)
    WHERE business_id IS NULL AND topic IN ('clock.DayOpened', 'rules.RuleActivated');
