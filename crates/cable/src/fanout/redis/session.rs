//! Sessions that can be resumed, as Redis keeps them.

use redis::{Cmd, RedisResult};

use super::shared::{Shared, milliseconds};
use crate::resume::SavedSession;

/// What sessions are sealed for.
const SEALED_FOR: &str = "session";

impl Shared {
    pub(super) async fn find_session(&self, sid: &str) -> RedisResult<Option<SavedSession>> {
        let mut command = redis::cmd("GET");
        command.arg(self.session_key(sid));
        let sealed: Option<Vec<u8>> = command.query_async(&mut self.connection.clone()).await?;
        let plain = sealed.and_then(|sealed| self.options.sealing.open(SEALED_FOR, &sealed));
        Ok(plain.and_then(|plain| serde_json::from_slice(&plain).ok()))
    }

    /// Keeps a session for its time to live; one without subscriptions is not worth it.
    pub(super) fn save(&self, sid: &str, session: &SavedSession) -> Cmd {
        if session.subscriptions.is_empty() {
            return self.forget(sid);
        }
        // Writing a session as JSON cannot fail: its keys are strings.
        let plain = serde_json::to_vec(session).unwrap_or_default();
        let mut command = redis::cmd("SET");
        command
            .arg(self.session_key(sid))
            .arg(self.options.sealing.seal(SEALED_FOR, plain));
        command.arg("PX").arg(self.session_ttl());
        command
    }

    pub(super) fn touch(&self, sid: &str) -> Cmd {
        let mut command = redis::cmd("PEXPIRE");
        command.arg(self.session_key(sid)).arg(self.session_ttl());
        command
    }

    pub(super) fn forget(&self, sid: &str) -> Cmd {
        let mut command = redis::cmd("DEL");
        command.arg(self.session_key(sid));
        command
    }

    /// Whoever knows the name of a session may try to resume it, so that it is concealed.
    fn session_key(&self, sid: &str) -> String {
        self.key("session", &self.options.sealing.conceal(sid))
    }

    fn session_ttl(&self) -> u64 {
        milliseconds(self.options.history.session_ttl)
    }
}
