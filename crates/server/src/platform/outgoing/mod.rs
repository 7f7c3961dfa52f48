//! Requests to addresses that others chose: webhooks of sites, push services that phones name. Whoever can
//! name an address must not reach this machine, its network or its cloud's services through it. So every
//! address is checked when it is connected to, where neither a name that resolves to something else each time
//! nor a redirect comes between.

mod address;

use std::{
    error::Error as _,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use thiserror::Error;
use url::{Host, Url};

use crate::platform::{clock::Moment, config};

/// As requests name the program.
const AGENT: &str = concat!("Axiam/", env!("CARGO_PKG_VERSION"));

/// Looks a name up.
type Lookup = Arc<
    dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> + Send + Sync,
>;

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotSent {
    /// The address may not be reached from here, or not in plain text.
    #[error("{0}")]
    Forbidden(String),
    /// Nobody answered, or not in time.
    #[error("{0}")]
    Failed(String),
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// How long the other side wants to be left alone.
    pub retry_after: Option<TimeDelta>,
    /// The beginning of the body, no more than was asked for.
    pub body: Vec<u8>,
}

/// Sends requests out.
pub struct Outgoing {
    allowed: Arc<[IpNet]>,
    timeout: Duration,
    lookup: Lookup,
    /// For https, and for plain text: that one reaches allowed networks alone.
    clients: [OnceLock<Client>; 2],
}

impl Outgoing {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(settings: &config::Outgoing) -> Self {
        Self {
            allowed: settings.allow.as_slice().into(),
            timeout: Duration::from_secs(settings.timeout.into()),
            lookup: Arc::new(|name| Box::pin(look_up(name))),
            clients: Default::default(),
        }
    }

    /// Longer than two requests, one after the other, can last: whoever has not come back by then never will.
    #[must_use]
    pub fn patience(&self) -> TimeDelta {
        let timeout = i64::try_from(self.timeout.as_secs()).unwrap_or(0);
        TimeDelta::seconds(2 * timeout + 5)
    }

    /// Whether it is worth trying: https, or plain text where some networks are allowed; no user or password in
    /// it; and if it names an address rather than a host, one that may be reached.
    ///
    /// # Errors
    /// [`NotSent::Forbidden`] says what is wrong.
    pub fn check(&self, url: &Url) -> Result<(), NotSent> {
        let forbidden = |reason: &str| Err(NotSent::Forbidden(reason.to_owned()));
        let is_plain = match url.scheme() {
            "https" => false,
            "http" if self.allowed.is_empty() => return forbidden("must be an https:// address"),
            "http" => true,
            _ => return forbidden("must be an https:// address"),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return forbidden("must not have a user or a password in it");
        }
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
            Some(Host::Domain(_)) => return Ok(()),
            None => return forbidden("names no host"),
        };
        may_reach(&self.allowed, is_plain, ip).map_err(|near| NotSent::Forbidden(near.to_string()))
    }

    /// Posts a body and reads the answer, of its body at most so many bytes.
    ///
    /// # Errors
    /// When the address may not be reached, or nobody answers there in time.
    pub async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
        most: usize,
        now: Moment,
    ) -> Result<Reply, NotSent> {
        self.post_within(url, headers, body, most, (now, None))
            .await
    }

    /// The same of what is of no use after a moment: whoever has not taken it by then is left.
    ///
    /// # Errors
    /// When the address may not be reached, or nobody answers there in time.
    pub async fn post_within(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
        most: usize,
        (now, until): (Moment, Option<Moment>),
    ) -> Result<Reply, NotSent> {
        // A literal address is connected to without being looked up.
        self.check(url)?;
        let mut request = self.client(url.scheme() == "http")?.post(url.clone());
        if let Some(until) = until {
            let left = (until - now).to_std().unwrap_or_default();
            request = request.timeout(left.min(self.timeout));
        }
        let answer = request.headers(headers).body(body).send().await;
        let answer = answer.map_err(|error| told(&error))?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| wait(value.to_str().ok()?, now));
        let body = beginning(answer, most).await?;
        Ok(Reply {
            status,
            retry_after,
            body,
        })
    }

    fn client(&self, is_plain: bool) -> Result<&Client, NotSent> {
        let slot = &self.clients[usize::from(is_plain)];
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let resolver = Checked {
            allowed: self.allowed.clone(),
            is_plain,
            lookup: self.lookup.clone(),
        };
        let client = Client::builder()
            .user_agent(AGENT)
            // A proxy would do the connecting, and check nothing.
            .no_proxy()
            .redirect(Policy::none())
            .https_only(!is_plain)
            .dns_resolver(Arc::new(resolver))
            // What is connected to was checked for this request, not for one of an hour ago.
            .pool_max_idle_per_host(0)
            .connect_timeout(self.timeout)
            .timeout(self.timeout)
            .build()
            .map_err(|error| NotSent::Failed(error.to_string()))?;
        Ok(slot.get_or_init(|| client))
    }
}

/// An address that must not be reached.
#[derive(Debug, Error)]
#[error("{0} is not an address on the Internet, and not in outgoing.allow")]
struct Near(IpAddr);

fn may_reach(allowed: &[IpNet], is_plain: bool, ip: IpAddr) -> Result<(), Near> {
    let ip = ip.to_canonical();
    let is_allowed = allowed.iter().any(|net| net.contains(&ip));
    if is_allowed || (!is_plain && address::is_public(ip)) {
        Ok(())
    } else {
        Err(Near(ip))
    }
}

async fn look_up(name: String) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}

/// Gives a connection the addresses of a name, if all of them may be reached.
struct Checked {
    allowed: Arc<[IpNet]>,
    is_plain: bool,
    lookup: Lookup,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, is_plain) = (self.allowed.clone(), self.is_plain);
        let found = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await?;
            for ip in &found {
                may_reach(&allowed, is_plain, *ip)?;
            }
            let addresses: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}

/// What an error says, without the address, which may be a secret.
fn told(error: &reqwest::Error) -> NotSent {
    let mut cause = error.source();
    let mut last = None;
    while let Some(inner) = cause {
        if let Some(near) = inner.downcast_ref::<Near>() {
            return NotSent::Forbidden(near.to_string());
        }
        last = Some(inner.to_string());
        cause = inner.source();
    }
    if error.is_timeout() {
        return NotSent::Failed("no answer in time".into());
    }
    NotSent::Failed(last.unwrap_or_else(|| "the request failed".into()))
}

async fn beginning(mut answer: Response, most: usize) -> Result<Vec<u8>, NotSent> {
    let mut body = Vec::new();
    while body.len() < most {
        let Some(part) = answer.chunk().await.map_err(|error| told(&error))? else {
            break;
        };
        let room = most - body.len();
        body.extend_from_slice(&part[..part.len().min(room)]);
    }
    Ok(body)
}

/// `Retry-After` (RFC 9110): seconds, or a date.
fn wait(value: &str, now: Moment) -> Option<TimeDelta> {
    let value = value.trim();
    if value.bytes().all(|b| b.is_ascii_digit()) {
        return TimeDelta::try_seconds(value.parse().ok()?);
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    Some((until.with_timezone(&Utc) - now).max(TimeDelta::zero()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::platform::clock::{Clock, SystemClock};

    fn outgoing(allow: &[&str]) -> Outgoing {
        Outgoing::new(&config::Outgoing {
            allow: allow.iter().map(|net| net.parse().unwrap()).collect(),
            timeout: 5,
        })
    }

    /// Answers everyone; tells how many came.
    async fn listen() -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let came = Arc::new(AtomicUsize::new(0));
        let counted = came.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut buffer = [0; 4096];
                let _ = socket.read(&mut buffer).await;
                let _ = socket
                    .write_all(
                        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nretry-after: 7\r\n\r\nhello",
                    )
                    .await;
            }
        });
        (address, came)
    }

    async fn post(outgoing: &Outgoing, url: &str) -> Result<Reply, NotSent> {
        let url = Url::parse(url).unwrap();
        let now = SystemClock.now();
        outgoing
            .post(&url, HeaderMap::new(), b"{}".to_vec(), 3, now)
            .await
    }

    #[tokio::test]
    async fn nothing_near_is_connected_to_however_it_is_written() {
        let (address, came) = listen().await;
        let port = address.port();
        let closed = outgoing(&[]);
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "[::ffff:127.0.0.1]",
            "[::1]",
            "localhost",
        ] {
            for scheme in ["http", "https"] {
                let refused = post(&closed, &format!("{scheme}://{host}:{port}/")).await;
                assert!(
                    matches!(refused, Err(NotSent::Forbidden(_))),
                    "{scheme} {host}: {refused:?}"
                );
            }
        }
        let others = outgoing(&["10.0.0.0/8"]);
        for url in [
            format!("http://127.0.0.1:{port}/"),
            format!("http://localhost:{port}/"),
        ] {
            let refused = post(&others, &url).await;
            assert!(matches!(refused, Err(NotSent::Forbidden(_))), "{refused:?}");
        }
        assert_eq!(came.load(Ordering::SeqCst), 0);
        let reply = post(
            &outgoing(&["127.0.0.0/8"]),
            &format!("http://127.0.0.1:{port}/"),
        )
        .await
        .unwrap();
        assert_eq!(
            (reply.status, reply.body.as_slice()),
            (200, b"hel".as_slice())
        );
        assert_eq!(reply.retry_after, Some(TimeDelta::seconds(7)));
    }

    #[tokio::test]
    async fn a_name_is_checked_by_what_is_connected_to() {
        let (address, came) = listen().await;
        let looked = Arc::new(AtomicUsize::new(0));
        let mut turning = outgoing(&["127.0.0.1/32"]);
        let count = looked.clone();
        // Allowed when it is looked up first, and another address the next time.
        turning.lookup = Arc::new(move |name| {
            assert_eq!(name, "hook.example");
            let ip = match count.fetch_add(1, Ordering::SeqCst) {
                0 => vec!["127.0.0.1"],
                1 => vec!["127.0.0.1", "169.254.169.254"],
                _ => vec!["::ffff:127.0.0.2"],
            };
            let ip = ip.into_iter().map(|ip| ip.parse().unwrap()).collect();
            Box::pin(std::future::ready(Ok(ip)))
        });
        let url = format!("http://hook.example:{}/", address.port());
        assert_eq!(post(&turning, &url).await.unwrap().status, 200);
        for again in 0..2 {
            let refused = post(&turning, &url).await;
            assert!(
                matches!(refused, Err(NotSent::Forbidden(_))),
                "{again}: {refused:?}"
            );
        }
        assert_eq!(
            (looked.load(Ordering::SeqCst), came.load(Ordering::SeqCst)),
            (3, 1)
        );
    }

    #[tokio::test]
    async fn plain_text_goes_to_allowed_networks_alone() {
        let some = outgoing(&["127.0.0.0/8"]);
        let refused = |url: &str| some.check(&Url::parse(url).unwrap()).is_err();
        assert!(!refused("https://1.1.1.1/") && refused("http://1.1.1.1/"));
        assert!(refused("https://ann:secret@shop.example/") && refused("ftp://shop.example/"));
        assert!(refused("https://10.0.0.1/") && !refused("https://127.0.0.1/"));
    }

    #[test]
    fn how_long_to_wait_is_read_in_both_forms() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(wait("120", now), Some(TimeDelta::seconds(120)));
        assert_eq!(
            wait("Thu, 01 Jan 2026 00:01:00 GMT", now),
            Some(TimeDelta::seconds(60))
        );
        assert_eq!(
            wait("Wed, 31 Dec 2025 00:00:00 GMT", now),
            Some(TimeDelta::zero())
        );
        for odd in ["soon", "-5", "99999999999999999999", "1.5"] {
            assert_eq!(wait(odd, now), None, "{odd}");
        }
    }
}
