//! What stands between two ends of a connection: it counts connections, and is at fault when a test wants it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weather {
    /// They arrive.
    Fair,
    /// They arrive late, each way.
    Slow(Duration),
    /// They do not arrive, and nobody is told: a cable that was pulled.
    Silent,
    /// Connections are closed and refused.
    Cut,
}

/// A proxy on a port of its own. It ends with the test's runtime.
pub(crate) struct Proxy {
    port: u16,
    weather: watch::Sender<Weather>,
    /// Counts up when all who are connected are left to themselves.
    stranded: watch::Sender<usize>,
    taken: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) async fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (weather, now) = watch::channel(Weather::Fair);
        let (stranded, strands) = watch::channel(0);
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let (now, mut strands) = (now.clone(), strands.clone());
                strands.mark_unchanged();
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    if *now.borrow() == Weather::Cut {
                        return;
                    }
                    let Ok(target) = TcpStream::connect(target).await else { return };
                    caller.set_nodelay(true).ok();
                    target.set_nodelay(true).ok();
                    let ((from_caller, to_caller), (from_target, to_target)) = (caller.into_split(), target.into_split());
                    let both = async {
                        tokio::select! {
                            () = carry(from_caller, to_target, now.clone()) => (),
                            () = carry(from_target, to_caller, now) => (),
                        }
                    };
                    tokio::pin!(both);
                    tokio::select! {
                        () = &mut both => (),
                        // Both sockets stay open, and nothing is read from either.
                        _ = strands.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Self { port, weather, stranded, taken }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Connections so far.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// The database's address with this proxy in it.
    pub(crate) fn url(&self, url: &str) -> String {
        let (before, database) = url.rsplit_once('/').unwrap();
        let (scheme_and_user, _) = before.rsplit_once(':').unwrap();
        format!("{scheme_and_user}:{}/{database}", self.port)
    }

    /// Leaves everyone who is connected in silence for good, and is fair to all who come.
    pub(crate) fn strand(&self) {
        self.stranded.send_modify(|times| *times += 1);
        self.set(Weather::Fair);
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut now: watch::Receiver<Weather>) {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let read = tokio::select! {
            read = from.read(&mut bytes) => read.unwrap_or(0),
            _ = now.wait_for(|weather| *weather == Weather::Cut) => 0,
        };
        if read == 0 {
            return;
        }
        let weather = *now.borrow();
        match weather {
            Weather::Fair => (),
            Weather::Slow(delay) => tokio::time::sleep(delay).await,
            Weather::Silent | Weather::Cut => {
                let again = now.wait_for(|weather| *weather != Weather::Silent).await.map(|weather| *weather);
                if again.is_err() || again.is_ok_and(|weather| weather == Weather::Cut) {
                    return;
                }
            }
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
