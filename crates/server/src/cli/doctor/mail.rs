//! Whether letters leave.

use super::Finding;
use crate::platform::{
    config::{Settings, SignUp},
    mail::Post,
};

pub(super) async fn look(settings: &Settings) -> Finding {
    let is_closed = settings.accounts.sign_up == SignUp::Closed;
    match Post::new(settings) {
        Post::Server(server) => match server.try_out().await {
            Ok(()) => Finding::Fine(format!(
                "{} answers; letters are from {} (`axiam mail test ADDRESS` sends one)",
                settings.mail.url, settings.mail.from
            )),
            Err(error) => Finding::Wrong(format!("{}: {error}", settings.mail.url)),
        },
        Post::Terminal(_) => Finding::Mind(
            "no mail.url: letters are printed in the terminal and shown at /dev/mail, to this machine alone".into(),
        ),
        Post::Nowhere if is_closed => Finding::Mind(
            "no mail.url: links that set a password are printed by `axiam account`, none is sent".into(),
        ),
        Post::Nowhere => Finding::Wrong(
            "accounts.sign_up lets people in by letters, and no mail.url is set: nobody comes in".into(),
        ),
    }
}
