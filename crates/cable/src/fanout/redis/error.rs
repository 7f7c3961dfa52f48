//! Why a fan-out over Redis cannot begin.

use super::address::AddressError;

/// What went wrong with the first connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be one of a Redis.
    #[error("Redis: {0}")]
    Address(#[from] AddressError),
    /// There is something else: Sentinel or Cluster.
    #[error(
        "Redis: the server there runs as {0}, and this needs a single Redis: give the address of the primary itself"
    )]
    Mode(String),
    /// The user may not do all that is needed.
    #[error(
        "Redis: its user may not do what is needed ({detail}): allow it, for example with the ACL rules \
         ~{prefix}:* &{prefix}:* +@all -@admin -@dangerous +info"
    )]
    Rights {
        /// What Redis says.
        detail: String,
        /// What names of keys begin with.
        prefix: String,
    },
    /// Nobody answers there who speaks RESP3 (Redis 6 and later).
    #[error("Redis: {0}")]
    Redis(#[from] redis::RedisError),
}
