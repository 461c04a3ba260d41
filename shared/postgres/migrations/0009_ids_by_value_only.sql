-- Finds whether a public id exists. What looks for a key cannot take this index: it knows nothing of the value. The one
-- before led the planner to look through all of a shop's products for each name, as long as a table had no statistics.
DROP INDEX log.index_rows_by_value;
CREATE INDEX index_rows_by_value ON log.index_rows (kind, scope, value)
    WHERE kind IN ('product', 'customer') AND value > 0;
