//! `[server]`: addresses, deadlines, shutdown, TLS.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Addresses, deadlines, shutdown.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Where gRPC listens.
    pub grpc_address: SocketAddr,
    /// Where /livez, /readyz and /metrics listen. They hold no secrets and need no token.
    pub http_address: SocketAddr,
    /// Deadline of callers that send none, in ms: 1 or more.
    pub default_deadline_ms: u64,
    /// After SIGTERM: how long to go on taking calls while probes already say no, in ms.
    pub drain_delay_ms: u64,
    /// After that: longest wait for calls under way, in ms.
    pub drain_timeout_ms: u64,
    /// Age at which a connection is told to end, so that clients look for new routers, in s, spread by a tenth each way. 0: never.
    pub max_connection_age_s: u64,
    /// Serve beyond loopback without TLS or tokens.
    pub insecure: bool,
    /// Certificate and key; absent: no TLS.
    pub tls: Option<Tls>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            grpc_address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7431),
            http_address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7432),
            default_deadline_ms: 2_000,
            drain_delay_ms: 0,
            drain_timeout_ms: 25_000,
            max_connection_age_s: 1_800,
            insecure: false,
            tls: None,
        }
    }
}

/// Certificate and key, both PEM files.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain.
    pub certificate_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
}
