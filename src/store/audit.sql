-- Version 3. One row per tool that a change touched. `before` and `after` are fingerprints; without `before` the tool is new, without `after`
-- it is gone, with two equal ones its state changed, to `state`.
CREATE TABLE audit (
  tenant TEXT NOT NULL,
  version INTEGER NOT NULL,
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  at_ms INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  actor TEXT NOT NULL,
  before BLOB,
  after BLOB,
  state INTEGER,
  PRIMARY KEY (tenant, version, source, name)
) STRICT, WITHOUT ROWID;
