-- Finds whether a public id exists; names and phones are found by key.
CREATE INDEX index_rows_by_value ON log.index_rows (kind, scope, value) WHERE kind IN ('product', 'customer');
