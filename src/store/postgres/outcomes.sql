-- Version 2. One row per tool and minute (since the Unix epoch), to which every router adds: how often selections returned the tool, its reported
-- calls by how they went, tokens of the turns that made them, and their latencies: the sum, and how many lie above the bound before and not
-- above this one. By minute first: rows are written at the end, read by time, and dropped from the start.
CREATE TABLE tool_router.outcome_minutes (
  minute BIGINT NOT NULL,
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  returned BIGINT NOT NULL,
  ok_calls BIGINT NOT NULL,
  error_calls BIGINT NOT NULL,
  timeout_calls BIGINT NOT NULL,
  cancelled_calls BIGINT NOT NULL,
  rejected_calls BIGINT NOT NULL,
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  latency_micros BIGINT NOT NULL,
  to_1_ms BIGINT NOT NULL,
  to_5_ms BIGINT NOT NULL,
  to_10_ms BIGINT NOT NULL,
  to_25_ms BIGINT NOT NULL,
  to_50_ms BIGINT NOT NULL,
  to_100_ms BIGINT NOT NULL,
  to_250_ms BIGINT NOT NULL,
  to_500_ms BIGINT NOT NULL,
  to_1000_ms BIGINT NOT NULL,
  to_2500_ms BIGINT NOT NULL,
  to_5000_ms BIGINT NOT NULL,
  to_10000_ms BIGINT NOT NULL,
  to_30000_ms BIGINT NOT NULL,
  to_60000_ms BIGINT NOT NULL,
  to_300000_ms BIGINT NOT NULL,
  over_300000_ms BIGINT NOT NULL,
  PRIMARY KEY (minute, tenant, source, name)
);

-- The last flush of each router, written with its counts: one that comes again is known.
CREATE TABLE tool_router.outcome_flushes (
  router TEXT PRIMARY KEY,
  number BIGINT NOT NULL,
  minute BIGINT NOT NULL
);
