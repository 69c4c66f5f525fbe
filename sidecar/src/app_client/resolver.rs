//! Resolution of the app's host name, apart from the timed requests.
//!
//! The system's resolver may block for half a minute. That says nothing about the app, so it is no part of
//! a probe's time limit.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Lookup in progress.
type Lookup = JoinHandle<io::Result<Vec<SocketAddr>>>;

/// Host of a URL.
#[derive(Debug, Clone)]
enum Host {
    /// Address that needs no lookup.
    Literal(IpAddr),
    Name(String),
}

impl Host {
    fn of(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        match host.trim_matches(['[', ']']).parse() {
            Ok(ip) => Self::Literal(ip),
            Err(_) => Self::Name(host.to_owned()),
        }
    }
}

/// Failure to resolve a host name within the time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host name cannot be resolved")]
pub(super) struct Unresolved;

/// Resolver of the host of one URL. Clones share the lookup in progress, so that there is at most one.
#[derive(Debug, Clone)]
pub(super) struct Resolver {
    host: Host,
    port: u16,
    lookup: Arc<Mutex<Option<Lookup>>>,
}

impl Resolver {
    pub(super) fn new(url: &Url) -> Self {
        Self {
            host: Host::of(url),
            port: url.port_or_known_default().unwrap_or_default(),
            lookup: Arc::default(),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the addresses of the host, at least one. A lookup that exceeds the limit continues, and the
    /// next call waits for it.
    pub(super) async fn resolve(&self, limit: Duration) -> Result<Vec<SocketAddr>, Unresolved> {
        let port = self.port;
        match &self.host {
            Host::Literal(ip) => Ok(vec![SocketAddr::new(*ip, port)]),
            Host::Name(name) => {
                let name = name.clone();
                let lookup = async move {
                    let addresses = tokio::net::lookup_host((name, port)).await?;
                    Ok(ipv4_first(addresses.collect()))
                };
                self.share(lookup, limit).await
            }
        }
    }

    /// Waits for the lookup in progress, or starts this one.
    async fn share(
        &self,
        lookup: impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
        limit: Duration,
    ) -> Result<Vec<SocketAddr>, Unresolved> {
        let mut current = self.lookup.lock().await;
        let task = current.get_or_insert_with(|| tokio::spawn(lookup));
        let result = timeout(limit, task).await.map_err(|_| Unresolved)?;
        *current = None;
        match result {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            _ => Err(Unresolved),
        }
    }
}

/// Returns the addresses in the same order, but those of IPv4 first, because only an IPv4 connection of the
/// doctor can be told from those of clients.
fn ipv4_first(mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);

    fn resolver(url: &str) -> Resolver {
        Resolver::new(&Url::parse(url).unwrap())
    }

    fn address() -> Vec<SocketAddr> {
        vec![SocketAddr::from(([127, 0, 0, 1], 80))]
    }

    #[tokio::test]
    async fn literal_addresses_need_no_lookup() {
        let addresses = resolver("http://127.0.0.1").resolve(LIMIT).await.unwrap();
        assert_eq!(addresses, address());
        let addresses = resolver("http://[::1]:7").resolve(LIMIT).await.unwrap();
        assert_eq!(addresses, ["[::1]:7".parse().unwrap()]);
    }

    #[tokio::test(start_paused = true)]
    async fn hanging_lookup_ends_at_limit_and_is_shared_by_the_next_call() {
        let resolver = resolver("http://app");
        let (send, receive) = oneshot::channel();
        let begin = Instant::now();
        let slow = async { Ok(receive.await.unwrap()) };
        assert_eq!(resolver.share(slow, LIMIT).await, Err(Unresolved));
        assert_eq!(begin.elapsed(), LIMIT);
        send.send(address()).unwrap();
        let second = resolver.share(pending(), LIMIT).await;
        assert_eq!(second, Ok(address()));
        let third = resolver.share(ready(Ok(Vec::new())), LIMIT).await;
        assert_eq!(third, Err(Unresolved), "a new lookup, without an address");
    }

    #[test]
    fn ipv4_addresses_are_tried_first() {
        let [v6, v4]: [SocketAddr; 2] =
            ["[::1]:80", "127.0.0.1:80"].map(|text| text.parse().unwrap());
        assert_eq!(ipv4_first(vec![v6, v4]), [v4, v6]);
    }

    #[tokio::test]
    async fn failed_lookup_is_unresolved() {
        let failure = ready(Err(io::ErrorKind::NotFound.into()));
        let result = resolver("http://app").share(failure, LIMIT).await;
        assert_eq!(result, Err(Unresolved));
    }
}
