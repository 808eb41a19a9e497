-- Version 1. A tenant's version moves with every change; the rows of `tools` are the state after it, those of `audit` say how it came about.
CREATE TABLE tool_router.tenants (
  tenant TEXT PRIMARY KEY,
  epoch BIGINT NOT NULL,
  version BIGINT NOT NULL
);

CREATE TABLE tool_router.tools (
  tenant TEXT NOT NULL REFERENCES tool_router.tenants (tenant),
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  position BIGINT NOT NULL,
  model_name TEXT NOT NULL,
  fingerprint BYTEA NOT NULL,
  state BIGINT NOT NULL,
  registered_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  title TEXT,
  description TEXT NOT NULL,
  input_schema TEXT NOT NULL,
  output_schema TEXT,
  annotations TEXT,
  extra TEXT,
  domain TEXT,
  tags TEXT NOT NULL,
  examples TEXT NOT NULL,
  costs BYTEA NOT NULL,
  PRIMARY KEY (tenant, source, name)
);

-- One model name never stands for two tools, whatever the code above does.
CREATE UNIQUE INDEX tools_model_name ON tool_router.tools (tenant, model_name);

-- Vectors are bytes that do not compress: PostgreSQL need not try.
CREATE TABLE tool_router.vectors (
  tenant TEXT NOT NULL,
  model TEXT NOT NULL,
  text_hash BYTEA NOT NULL,
  codes BYTEA NOT NULL,
  PRIMARY KEY (tenant, model, text_hash)
);
ALTER TABLE tool_router.vectors ALTER COLUMN codes SET STORAGE EXTERNAL;

-- Configured sources that an operator paused: a restart must not wake a source that was stopped for a reason.
CREATE TABLE tool_router.paused_sources (
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (tenant, source)
);

-- Which router syncs a source, and until when by the database's clock: routers' own clocks do not matter.
CREATE TABLE tool_router.leases (
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  holder TEXT NOT NULL,
  until TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant, source)
);

-- One row per tool that a change touched. `before` and `after` are fingerprints; without `before` the tool is new, without `after` it is gone,
-- with two equal ones its state changed, to `state`. Routers read from it what they missed; rows that are no longer wanted may be deleted from
-- the oldest version on.
CREATE TABLE tool_router.audit (
  tenant TEXT NOT NULL,
  version BIGINT NOT NULL,
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  at TIMESTAMPTZ NOT NULL DEFAULT now(),
  actor TEXT NOT NULL,
  before BYTEA,
  after BYTEA,
  state BIGINT,
  PRIMARY KEY (tenant, version, source, name)
);
