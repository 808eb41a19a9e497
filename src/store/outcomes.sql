-- Version 4. One row per tool and minute (since the Unix epoch): how often selections returned it, its reported calls by how they went, tokens
-- of the turns that made them, and their latencies: the sum, and how many lie above the bound before and not above this one. By minute first:
-- rows are written at the end, read by time, and dropped from the start.
CREATE TABLE outcome_minutes (
  minute INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  returned INTEGER NOT NULL,
  ok_calls INTEGER NOT NULL,
  error_calls INTEGER NOT NULL,
  timeout_calls INTEGER NOT NULL,
  cancelled_calls INTEGER NOT NULL,
  rejected_calls INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  latency_micros INTEGER NOT NULL,
  to_1_ms INTEGER NOT NULL,
  to_5_ms INTEGER NOT NULL,
  to_10_ms INTEGER NOT NULL,
  to_25_ms INTEGER NOT NULL,
  to_50_ms INTEGER NOT NULL,
  to_100_ms INTEGER NOT NULL,
  to_250_ms INTEGER NOT NULL,
  to_500_ms INTEGER NOT NULL,
  to_1000_ms INTEGER NOT NULL,
  to_2500_ms INTEGER NOT NULL,
  to_5000_ms INTEGER NOT NULL,
  to_10000_ms INTEGER NOT NULL,
  to_30000_ms INTEGER NOT NULL,
  to_60000_ms INTEGER NOT NULL,
  to_300000_ms INTEGER NOT NULL,
  over_300000_ms INTEGER NOT NULL,
  PRIMARY KEY (minute, tenant, source, name)
) STRICT, WITHOUT ROWID;

-- The last flush of each router, written with its counts: one that comes again is known.
CREATE TABLE outcome_flushes (
  router TEXT PRIMARY KEY,
  number INTEGER NOT NULL,
  minute INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
