-- Version 1. A tenant's version moves with every change; the rows are the state after it.
CREATE TABLE tenants (
  tenant TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tools (
  tenant TEXT NOT NULL REFERENCES tenants (tenant),
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  model_name TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  state INTEGER NOT NULL,
  registered_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  title TEXT,
  description TEXT NOT NULL,
  input_schema TEXT NOT NULL,
  output_schema TEXT,
  annotations TEXT,
  extra TEXT,
  domain TEXT,
  tags TEXT NOT NULL,
  examples TEXT NOT NULL,
  costs BLOB NOT NULL,
  PRIMARY KEY (tenant, source, name)
) STRICT;

-- One model name never stands for two tools, whatever the code above does.
CREATE UNIQUE INDEX tools_model_name ON tools (tenant, model_name);

CREATE TABLE vectors (
  tenant TEXT NOT NULL,
  model TEXT NOT NULL,
  text_hash BLOB NOT NULL,
  codes BLOB NOT NULL,
  PRIMARY KEY (tenant, model, text_hash)
) STRICT, WITHOUT ROWID;
