-- Whatever is kept once is kept under its hash: a line is a tool or a vector as a backup has it, a block is some lines, a catalogue is some
-- blocks. So a catalogue in which one tool changes costs that tool's lines, one block and the list of blocks.
CREATE TABLE lines (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    body TEXT NOT NULL
);
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE
);
CREATE TABLE block_lines (
    block INTEGER NOT NULL REFERENCES blocks (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    line INTEGER NOT NULL,
    PRIMARY KEY (block, place)
) WITHOUT ROWID;
CREATE TABLE catalogues (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    -- When a record last needed it, ms since the Unix epoch.
    used_ms INTEGER NOT NULL
);
CREATE TABLE catalogue_blocks (
    catalogue INTEGER NOT NULL REFERENCES catalogues (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (catalogue, place)
) WITHOUT ROWID;
-- In the order of their ids: the oldest goes first.
CREATE TABLE records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    trace_id TEXT NOT NULL,
    selection_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL,
    weights INTEGER NOT NULL REFERENCES lines (id),
    catalogue INTEGER REFERENCES catalogues (id)
);
CREATE INDEX records_by_trace ON records (trace_id);
CREATE INDEX records_by_selection ON records (selection_id);
CREATE INDEX records_by_catalogue ON records (catalogue);
CREATE INDEX records_by_weights ON records (weights);
