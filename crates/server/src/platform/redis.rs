//! Connections to Redis, for what concerns sites. (The cable has its own.)

use std::time::Duration;

use ::cable::fanout::redis::{Address, ConnectError};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

/// Opens a connection that is made when it is needed, and again whenever it breaks.
///
/// # Errors
/// When the address is wrong.
pub fn connect(url: &str) -> Result<ConnectionManager, ConnectError> {
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(1)
        .set_max_delay(Duration::from_millis(200))
        .set_connection_timeout(Some(Duration::from_secs(2)))
        .set_response_timeout(Some(Duration::from_secs(2)));
    let address: Address = url.parse()?;
    Ok(ConnectionManager::new_lazy_with_config(
        address.client()?,
        config,
    )?)
}
