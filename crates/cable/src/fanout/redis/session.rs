//! Sessions that can be resumed, as Redis keeps them.

use redis::{Cmd, RedisResult};

use super::shared::{Shared, milliseconds};
use crate::resume::SavedSession;

impl Shared {
    pub(super) async fn find_session(&self, sid: &str) -> RedisResult<Option<SavedSession>> {
        let mut command = redis::cmd("GET");
        command.arg(self.key("session", sid));
        let text: Option<String> = command.query_async(&mut self.connection.clone()).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Keeps a session for its time to live; one without subscriptions is not worth it.
    pub(super) fn save(&self, sid: &str, session: &SavedSession) -> Cmd {
        if session.subscriptions.is_empty() {
            return self.forget(sid);
        }
        // Writing a session as JSON cannot fail: its keys are strings.
        let text = serde_json::to_string(session).unwrap_or_default();
        let mut command = redis::cmd("SET");
        command.arg(self.key("session", sid)).arg(text);
        command.arg("PX").arg(self.session_ttl());
        command
    }

    pub(super) fn touch(&self, sid: &str) -> Cmd {
        let mut command = redis::cmd("PEXPIRE");
        command
            .arg(self.key("session", sid))
            .arg(self.session_ttl());
        command
    }

    pub(super) fn forget(&self, sid: &str) -> Cmd {
        let mut command = redis::cmd("DEL");
        command.arg(self.key("session", sid));
        command
    }

    fn session_ttl(&self) -> u64 {
        milliseconds(self.options.history.session_ttl)
    }
}
