//! `tool-router serve`: flags over the configuration, and the signals that end it or have it read again.

use std::path::PathBuf;

use clap::Args;
use tokio::sync::mpsc;

use crate::config::{self, Config, EmbedderOverrides, Overrides, ServerOverrides, StoreOverrides};

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

/// The configuration as it is read again on every SIGHUP. One that is not usable is complained of, and nothing changes.
pub fn reread(file: Option<PathBuf>, overrides: Overrides) -> mpsc::Receiver<Config> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, configs) = mpsc::channel(1);
    match signal(SignalKind::hangup()) {
        Ok(mut hangups) => {
            tokio::spawn(async move {
                while hangups.recv().await.is_some() {
                    match config::load(file.as_deref(), &overrides) {
                        Ok(config) => {
                            if sender.send(config).await.is_err() {
                                return;
                            }
                        }
                        Err(error) => tracing::error!(error.message = %error, "the configuration is kept as it was"),
                    }
                }
            });
        }
        Err(error) => tracing::warn!(error.message = %error, "SIGHUP will not read the configuration again"),
    }
    configs
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
