//! Connections: taken, encrypted where that is configured, and dealt out to servers that differ in one thing, how old a connection may get.
//!
//! A client behind a name with several addresses looks for new routers only when a connection ends, so connections end after a while, with a
//! GOAWAY that lets calls under way finish. If all ended at once, all would come back at once: each gets an age between nine and eleven tenths
//! of the configured one. The certificate is looked up for every connection, so a new one needs no restart.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::server::TlsPem;

/// Ages that connections are spread over.
const AGES: usize = 8;
/// Longest handshake: a client that never finishes one must not hold a socket.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// After the system refused a connection, which is mostly for want of file handles.
const PAUSE: Duration = Duration::from_millis(50);

/// Either kind of connection.
pub(super) struct Connection(Either<TcpStream, Box<TlsStream<TcpStream>>>);

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        match &self.0 {
            Either::Left(plain) => plain.connect_info(),
            Either::Right(encrypted) => encrypted.get_ref().0.connect_info(),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, parts)
    }
}

/// The certificate and key in force; none: plain text. A cheap handle.
#[derive(Clone, Default)]
pub struct Certificate(Arc<ArcSwapOption<ServerConfig>>);

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Certificate").field(&self.0.load().is_some()).finish()
    }
}

impl Certificate {
    /// Uses these from the next connection on.
    ///
    /// # Errors
    /// They are not usable, or not one another's; the old ones stay in force.
    pub fn set(&self, pem: &TlsPem) -> Result<(), String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.certificates).collect();
        let chain = chain.map_err(|e| format!("the certificate does not read: {e}"))?;
        let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(|e| format!("the private key does not read: {e}"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|e| e.to_string())?.with_no_client_auth();
        let mut config = builder.with_single_cert(chain, key).map_err(|e| format!("certificate and key are of no use: {e}"))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        self.0.store(Some(Arc::new(config)));
        Ok(())
    }
}

/// Where the connections of one age come out.
pub(super) struct Lane {
    /// Age at which they are told to go; `None`: never.
    pub(super) age: Option<Duration>,
    pub(super) connections: ReceiverStream<io::Result<Connection>>,
}

/// Takes connections until `stop`.
pub(super) fn accept(
    listener: TcpListener,
    certificate: Certificate,
    age: Option<Duration>,
    stop: CancellationToken,
) -> Vec<Lane> {
    let mut senders = Vec::new();
    let mut lanes = Vec::new();
    for place in 0..if age.is_some() { AGES } else { 1 } {
        let (sender, receiver) = mpsc::channel(16);
        senders.push(sender);
        let share = 0.9 + 0.2 * (place as f64 + 0.5) / AGES as f64;
        lanes.push(Lane { age: age.map(|age| age.mul_f64(share)), connections: ReceiverStream::new(receiver) });
    }
    tokio::spawn(async move {
        for lane in (0..senders.len()).cycle() {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((socket, _)) = accepted else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // Without it every answer to a client that keeps its connection waits 40 ms for the acknowledgement of the one before.
            socket.set_nodelay(true).ok();
            let Some(sender) = senders.get(lane).cloned() else { return };
            match certificate.0.load_full() {
                None => hand_over(Either::Left(socket), &sender).await,
                Some(config) => {
                    tokio::spawn(async move {
                        match tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(config).accept(socket)).await {
                            Ok(Ok(encrypted)) => hand_over(Either::Right(Box::new(encrypted)), &sender).await,
                            Ok(Err(error)) => tracing::debug!(error.message = %error, "a TLS handshake failed"),
                            Err(_) => tracing::debug!("a TLS handshake took too long"),
                        }
                    });
                }
            }
        }
    });
    lanes
}

async fn hand_over(connection: Either<TcpStream, Box<TlsStream<TcpStream>>>, to: &mpsc::Sender<io::Result<Connection>>) {
    // Nobody takes it when the server is stopping.
    let _ = to.send(Ok(Connection(connection))).await;
}
