//! `tool-router serve`: flags over the configuration, and the signal that ends it.

use std::path::PathBuf;

use clap::Args;

use crate::config::{EmbedderOverrides, Overrides, ServerOverrides, StoreOverrides};

/// Flags of `serve`. Everything else is in the configuration file.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Configuration file (TOML); `config.sample.toml` documents every key
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where gRPC listens
    #[arg(long, value_name = "IP:PORT")]
    grpc_address: Option<String>,
    /// Where /livez, /readyz and /metrics listen
    #[arg(long, value_name = "IP:PORT")]
    http_address: Option<String>,
    /// The SQLite file
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// `onnx` or `hashing`
    #[arg(long, value_name = "KIND")]
    embedder: Option<String>,
    /// Serve beyond loopback without TLS or tokens
    #[arg(long)]
    insecure: bool,
}

impl Arguments {
    /// The flags as the top layer of the configuration.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        Overrides {
            server: ServerOverrides {
                grpc_address: self.grpc_address.clone(),
                http_address: self.http_address.clone(),
                insecure: self.insecure.then_some(true),
            },
            store: StoreOverrides { path: self.store.clone() },
            embedder: EmbedderOverrides { kind: self.embedder.clone() },
            ..Overrides::default()
        }
    }
}

/// Resolves on SIGTERM or Ctrl-C.
pub async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            // Without the handler SIGTERM ends the process the hard way, which the store survives.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => (),
        _ = tokio::signal::ctrl_c() => (),
    }
}
