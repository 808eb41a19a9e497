//! The real server, driven over real sockets. One binary: linking it takes longer than running it.
//!
//! `support/` starts routers; every other file is one behaviour. Tests use the hashing embedder unless they are about the model, so they
//! run anywhere and give the same answers everywhere.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod access;
mod bad_input;
mod cap;
mod chain;
mod command_line;
mod compare;
mod confidence;
mod continuity;
mod crash;
mod dialogues;
mod diet;
mod directory;
mod drills;
mod engines;
mod faults;
mod fit;
mod formats;
mod front;
mod growth;
mod histories;
mod layering;
mod lifecycle;
mod look_alikes;
mod mcp_servers;
mod model;
mod operations;
mod operations_view;
mod outage;
mod outcomes;
mod packing;
mod public_sets;
mod rank_tools;
mod ranking;
mod real_servers;
mod registration;
mod replay;
mod replicas;
mod report;
mod rerank;
mod selection;
mod sources;
mod store_command;
mod support;
mod tenants;
mod texts;
mod tokenizers;
mod traces;
mod watch;
