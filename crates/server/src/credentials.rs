//! Every kind of credential there is, and how each is listed, replaced, taken back and ends by itself. Whoever adds one
//! says all four here, or it does not compile; a test then has to show them on the running program.

/// How something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// By the command line: what follows `axiam`. Words in capitals stand for what the operator knows.
    Command(&'static str),
    /// By a route of the contract, as `METHOD path` behind the API's path.
    Route(&'static str),
    /// On a page of the dashboard.
    Page(&'static str),
}

/// What can be done about a kind of credential.
#[derive(Debug, Clone, Copy)]
pub struct Care {
    /// What it is, for people.
    pub what: &'static str,
    /// Shows those that are worth something.
    pub list: How,
    /// Puts a new one in the place of another.
    pub rotate: How,
    /// Makes one worthless at once, on every server.
    pub revoke: How,
    /// When it ends by itself.
    pub ends: &'static str,
}

macro_rules! credentials {
    ($($(#[doc = $doc:literal])* $name:ident: $care:expr;)*) => {
        /// A kind of credential.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Credential {
            $($(#[doc = $doc])* $name,)*
        }

        impl Credential {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What can be done about it.
            #[must_use]
            pub const fn care(self) -> Care {
                match self { $(Self::$name => $care),* }
            }
        }
    };
}

credentials! {
    /// By which a backend gets tokens.
    SecretKey: Care {
        what: "a site's secret key",
        list: How::Command("site secrets ID"),
        rotate: How::Command("site rotate-secret ID"),
        revoke: How::Command("site revoke-secret ID NAME"),
        ends: "with the overlap of `rotate-secret`, and after its `--days`",
    };
    /// By which backends and pages call.
    SiteToken: Care {
        what: "a token of a site's backend or widget",
        list: How::Command("site tokens ID"),
        rotate: How::Route("POST /application_auth"),
        revoke: How::Command("site revoke-tokens ID --jti JTI"),
        ends: "after its `expires_in`",
    };
    /// By which tokens are known as ours.
    SigningKey: Care {
        what: "the key that signs tokens",
        list: How::Command("keys list"),
        rotate: How::Command("keys rotate-signing"),
        revoke: How::Command("keys rotate-signing --revoke"),
        ends: "once it is replaced, with the last token that it signed",
    };
    /// By which push services know us, and browsers subscribe.
    PushKey: Care {
        what: "the key that signs to push services",
        list: How::Command("keys list"),
        rotate: How::Command("keys rotate-push"),
        revoke: How::Command("keys rotate-push --revoke"),
        ends: "once it is replaced, with the last phone that subscribed for it",
    };
    /// By which Google knows us as the sender of an app.
    ServiceAccount: Care {
        what: "a service account of Firebase",
        list: How::Command("push account list"),
        rotate: How::Command("push account set FILE"),
        revoke: How::Command("push account remove"),
        ends: "where its key is deleted at Google",
    };
    /// By which a backend listens to its events.
    RedisUser: Care {
        what: "a site's user in Redis",
        list: How::Command("site redis ID"),
        rotate: How::Command("site redis ID --rotate"),
        revoke: How::Command("site redis ID --remove"),
        ends: "after the `--days` of `--rotate`",
    };
    /// By which a site's endpoints know messages as ours.
    WebhookSecret: Care {
        what: "the secret that signs a webhook's messages",
        list: How::Command("site webhook list ID"),
        rotate: How::Command("site webhook rotate-secret ID WEBHOOK"),
        revoke: How::Command("site webhook remove ID WEBHOOK"),
        ends: "with the overlap of `rotate-secret`",
    };
    /// By which a phone is paired.
    EnrolmentCode: Care {
        what: "a code to pair a phone",
        list: How::Command("site codes ID"),
        rotate: How::Route("POST /client/qrcode"),
        revoke: How::Command("site revoke-codes ID CODE"),
        ends: "after `enrolment.lifetime`, and with its use",
    };
    /// By which a person answers: a key in the phone, and a token that is worth nothing without it.
    Device: Care {
        what: "a paired phone",
        list: How::Route("GET /client/{id}"),
        rotate: How::Route("POST /device/register"),
        revoke: How::Route("POST /client/revoke_device"),
        ends: "after `device.token_lifetime`",
    };
    /// By which an account of the dashboard signs in without a password.
    AccountFace: Care {
        what: "an account's own face, by the phone that was paired for the dashboard",
        list: How::Command("account ways --email ADDRESS"),
        rotate: How::Page("/dashboard/account/ways"),
        revoke: How::Command("account drop-way --email ADDRESS face"),
        ends: "with the phone: after `device.token_lifetime`",
    };
    /// By which an account's device or password manager signs it in.
    Passkey: Care {
        what: "an account's passkey",
        list: How::Command("account ways --email ADDRESS"),
        rotate: How::Page("/dashboard/account/ways"),
        revoke: How::Command("account drop-way --email ADDRESS passkeys"),
        ends: "when it is taken away",
    };
    /// By which an account signs in once that has lost everything else.
    RecoveryCode: Care {
        what: "an account's recovery codes",
        list: How::Command("account ways --email ADDRESS"),
        rotate: How::Page("/dashboard/account/ways"),
        revoke: How::Command("account drop-way --email ADDRESS codes"),
        ends: "with its use",
    };
}

/// The kinds as a table in Markdown, as the guide has it.
#[must_use]
pub fn table() -> String {
    let told = |how: How| match how {
        How::Command(command) => format!("`axiam {command}`"),
        How::Route(route) => format!("`{route}`"),
        How::Page(path) => format!("the page `{path}`"),
    };
    let mut text = String::from(
        "| what | list | replace | take back | ends |\n| --- | --- | --- | --- | --- |\n",
    );
    for kind in Credential::ALL {
        let care = kind.care();
        let cells = [
            care.what.to_owned(),
            told(care.list),
            told(care.rotate),
            told(care.revoke),
            care.ends.to_owned(),
        ];
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}
