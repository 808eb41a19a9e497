-- Version 2. Configured sources that an operator paused: a restart must not wake a source that was stopped for a reason.
CREATE TABLE paused_sources (
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (tenant, source)
) STRICT, WITHOUT ROWID;
