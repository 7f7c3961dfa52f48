//! A code that pairs a phone, offered.

use super::{EnrolmentError, FlowType, store};
use crate::{
    client::Client,
    platform::{clock::seconds, state::State},
};

/// Offers a client a code, in the place of any before: the address that it says. It is shown this once.
///
/// # Errors
/// When the client is gone, or the database fails.
pub async fn offer(
    state: &State,
    client: &Client,
    flow_type: FlowType,
) -> Result<String, EnrolmentError> {
    let now = state.now();
    let until = now + seconds(state.settings.enrolment.lifetime);
    let token = store::offer(state, client, flow_type, now, until).await?;
    Ok(format!(
        "{}/phone/#{}",
        state.settings.public_url(),
        token.reveal()
    ))
}
