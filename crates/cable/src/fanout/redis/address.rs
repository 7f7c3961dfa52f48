//! Where a Redis is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use redis::{Client, ConnectionAddr, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo};

/// The port of a Redis whose address names none.
const DEFAULT_PORT: u16 = 6379;

/// Where a Redis is: `redis://[[user]:password@]host[:port][/database]`, `rediss://…` for TLS, or
/// `unix:///path`. User and password may be percent-encoded, or be written as they are, with any
/// character.
#[derive(Clone)]
pub struct Address {
    place: ConnectionAddr,
    user: String,
    password: String,
    database: i64,
}

/// Why a text is no address. The text itself may hold a password and is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Another scheme, or none.
    #[error("give a redis://, rediss:// or unix:// address")]
    Scheme,
    /// An address of Redis Sentinel.
    #[error(
        "Redis Sentinel is not asked for the primary: give the redis:// address of the primary, or a name that follows it"
    )]
    Sentinel,
    /// An address of Redis Cluster, or several hosts.
    #[error("Redis Cluster is not supported: give the address of one Redis")]
    Cluster,
    /// The address names no host to connect to.
    #[error("the address names no host")]
    Host,
    /// Something other than a number from 1 to 65535 behind the host.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// Something other than a number behind the slash.
    #[error("the database must be a number")]
    Database,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let tls = match scheme {
            "redis" => false,
            "rediss" => true,
            "unix" | "redis+unix" => {
                return Ok(Self {
                    place: ConnectionAddr::Unix(PathBuf::from(rest)),
                    user: String::new(),
                    password: String::new(),
                    database: 0,
                });
            }
            other if other.contains("sentinel") => return Err(AddressError::Sentinel),
            other if other.contains("cluster") => return Err(AddressError::Cluster),
            _ => return Err(AddressError::Scheme),
        };
        // The last one: a password may hold the same character, a host cannot.
        let (login, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (user, password) = login.split_once(':').unwrap_or(("", login));
        let (place, database) = place.split_once('/').unwrap_or((place, ""));
        if place.contains(',') {
            return Err(AddressError::Cluster);
        }
        let (host, port) = host_and_port(place)?;
        Ok(Self {
            place: if tls {
                ConnectionAddr::TcpTls {
                    host,
                    port,
                    insecure: false,
                    tls_params: None,
                }
            } else {
                ConnectionAddr::Tcp(host, port)
            },
            user: decoded(user),
            password: decoded(password),
            database: match database.trim_end_matches('/') {
                "" => 0,
                number => number.parse().map_err(|_| AddressError::Database)?,
            },
        })
    }
}

fn host_and_port(place: &str) -> Result<(String, u16), AddressError> {
    let (host, port) = match place.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (
            host,
            Some(port.strip_prefix(':').ok_or(AddressError::Port)?),
        ),
        None => match place.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    if host.is_empty() {
        return Err(AddressError::Host);
    }
    let port = match port {
        None => DEFAULT_PORT,
        Some(port) => match port.parse() {
            Ok(0) | Err(_) => return Err(AddressError::Port),
            Ok(port) => port,
        },
    };
    Ok((host.to_owned(), port))
}

/// Without percent-encoding, where a text is encoded as a whole; else as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        let byte = match (first, others) {
            (b'%', [high, low, ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
                    return text.to_owned();
                };
                rest = &others[2..];
                (high * 16 + low) as u8
            }
            (b'%', _) => return text.to_owned(),
            _ => {
                rest = others;
                first
            }
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

impl Address {
    /// Host and port; `None` for a Unix socket.
    pub fn host_and_port(&self) -> Option<(&str, u16)> {
        match &self.place {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                Some((host, *port))
            }
            _ => None,
        }
    }

    /// The same Redis for somebody else, who asks for no database in particular.
    #[must_use]
    pub fn as_user(self, user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            database: 0,
            ..self
        }
    }

    /// A client for it. For RESP3, in which announcements and answers share a connection, and
    /// without Nagle's algorithm, which would let small commands wait.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn client(&self) -> redis::RedisResult<Client> {
        let mut login = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_db(self.database);
        if !self.user.is_empty() {
            login = login.set_username(&self.user);
        }
        if !self.password.is_empty() {
            login = login.set_password(&self.password);
        }
        let info = self.place.clone().into_connection_info()?;
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        Client::open(info.set_redis_settings(login).set_tcp_settings(tcp))
    }
}

/// Without user and password.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, String, String, i64), AddressError> {
        let address: Address = text.parse()?;
        let place = format!("{address:?}");
        Ok((place, address.user, address.password, address.database))
    }

    #[test]
    fn somebody_else_asks_at_the_same_place() {
        let own: Address = "rediss://:own@redis.example:7000/3".parse().unwrap();
        let other = own.clone().as_user("app_1", "rp_1");
        assert_eq!(format!("{other:?}"), format!("{own:?}"));
        let login = (other.user.as_str(), other.password.as_str(), other.database);
        assert_eq!(login, ("app_1", "rp_1", 0));
    }

    #[test]
    fn passwords_may_have_any_character() {
        let login = |password: &str, text: &str| {
            let (place, user, found, database) = read(text).unwrap();
            assert_eq!(
                (place.as_str(), database),
                ("redis.example:6380", 2),
                "{text}"
            );
            assert_eq!((user.as_str(), found.as_str()), ("ann", password), "{text}");
        };
        for password in ["a:b@c/d#e?f%g&h i", "50%", "ä€", "%zz", "\"'\\"] {
            login(
                password,
                &format!("redis://ann:{password}@redis.example:6380/2"),
            );
        }
        login(
            "p@ss/word#1",
            "redis://ann:p%40ss%2Fword%231@redis.example:6380/2",
        );
        assert_eq!(read("redis://:secret@h").unwrap().2, "secret");
        assert_eq!(read("redis://secret@h").unwrap().2, "secret");
    }

    #[test]
    fn addresses_are_read() {
        assert_eq!(read("redis://localhost").unwrap().0, "localhost:6379");
        assert_eq!(read("rediss://r.example/").unwrap().0, "r.example:6379");
        assert_eq!(read("redis://[::1]:7000/1").unwrap().3, 1);
        assert_eq!(
            "redis://[::1]:7000"
                .parse::<Address>()
                .unwrap()
                .host_and_port(),
            Some(("::1", 7000))
        );
        assert_eq!(read("unix:///run/redis.sock").unwrap().0, "/run/redis.sock");
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_reason() {
        for (text, error) in [
            ("localhost:6379", AddressError::Scheme),
            ("http://localhost", AddressError::Scheme),
            ("redis-sentinel://a:26379/mymaster", AddressError::Sentinel),
            ("redis+cluster://a", AddressError::Cluster),
            ("redis://a:1,b:2", AddressError::Cluster),
            ("redis://", AddressError::Host),
            ("redis://a:port", AddressError::Port),
            ("redis://a:0", AddressError::Port),
            ("redis://a/first", AddressError::Database),
        ] {
            assert_eq!(read(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let address: Address = "redis://ann:s3cret@h".parse().unwrap();
        assert!(!format!("{address:?}").contains("s3cret"));
    }
}
