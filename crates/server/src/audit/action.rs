//! The kinds of lines.

macro_rules! actions {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal;)*) => {
        /// A security decision, by the name it has in the log.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action {
            $($(#[doc = $doc])* $name,)*
        }

        impl Action {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As the log has it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
        }
    };
}

actions! {
    /// The log of a site begins; it says how many lines of before it took over.
    LogBegun = "log_begun";
    /// What the chain should have gone on from was missing or changed.
    LogBroken = "log_broken";
    /// A server started; it says which version.
    ServerStarted = "server_started";
    /// A key of the installation was put in an older one's place.
    KeyReplaced = "key_replaced";
    /// An account was made.
    AccountCreated = "account_created";
    /// A link was offered that sets an account's password.
    AccountLinkOffered = "account_link_offered";
    /// An account's password was set; its other sessions ended.
    PasswordSet = "password_set";
    /// Someone showed that they read the mail of their account's address.
    AddressConfirmed = "address_confirmed";
    /// An account was given another address.
    AddressChanged = "address_changed";
    /// An account was erased, with all that was its own.
    AccountErased = "account_erased";
    /// An account was given recovery codes, in the place of any before, or they were taken back.
    RecoveryCodesMade = "recovery_codes_made";
    /// A passkey was added to an account.
    PasskeyAdded = "passkey_added";
    /// Passkeys of an account were taken away.
    PasskeyRemoved = "passkey_removed";
    /// An account was linked to a client of the dashboard's site, so that a phone of theirs signs in.
    AccountFaceLinked = "account_face_linked";
    /// An account's face and its phones were taken away.
    AccountFaceUnlinked = "account_face_unlinked";
    /// Someone signed in to the dashboard.
    AccountSignedIn = "account_signed_in";
    /// Someone was not let in to the dashboard: no such account, or a wrong password.
    AccountRefused = "account_refused";
    /// Someone signed out of the dashboard.
    AccountSignedOut = "account_signed_out";
    /// Sessions of an account with the dashboard were ended by itself.
    AccountSessionsEnded = "account_sessions_ended";
    /// An account was given a role on a site.
    RoleGiven = "role_given";
    /// An account's role on a site was taken away.
    RoleTaken = "role_taken";
    /// Records of a site were taken out of the dashboard as a file; it says which.
    DataExported = "data_exported";
    /// A service account was brought by which native apps are woken.
    PushAccountSet = "push_account_set";
    /// A service account by which native apps are woken was taken away.
    PushAccountRemoved = "push_account_removed";
    /// A site was registered.
    SiteCreated = "site_created";
    /// A site was given another name; it says from what to what.
    SiteRenamed = "site_renamed";
    /// A site was switched on or off.
    SiteSwitched = "site_switched";
    /// A site was given another secret key.
    SecretRotated = "secret_rotated";
    /// One of a site's secret keys was taken back.
    SecretRevoked = "secret_revoked";
    /// All tokens that a site was given until then were revoked, or the one that it names.
    TokensRevoked = "tokens_revoked";
    /// A site's settings were changed; it says from what to what.
    SettingsChanged = "settings_changed";
    /// Test identities were let give their verdicts on a site, or on it no more.
    TestModeSwitched = "test_mode_switched";
    /// A site was given a user in Redis, or that user another password.
    RedisUserGiven = "redis_user_given";
    /// A site's user in Redis was taken away.
    RedisUserRemoved = "redis_user_removed";
    /// A site was given a webhook.
    WebhookAdded = "webhook_added";
    /// A site's webhook was given another secret.
    WebhookSecretRotated = "webhook_secret_rotated";
    /// A site's webhook was switched on or off.
    WebhookSwitched = "webhook_switched";
    /// A site's webhook was taken away.
    WebhookRemoved = "webhook_removed";
    /// A site's keys were shown and a token was given out for them.
    TokenIssued = "token_issued";
    /// Keys were shown that are wrong, of another domain, or of a site that is switched off.
    TokenRefused = "token_refused";
    /// A widget's token, or an account's session, was used where it may not be.
    AccessRefused = "access_refused";
    /// A limit was reached; further refusals within the window are not recorded.
    LimitReached = "limit_reached";
    /// A client was made known.
    ClientCreated = "client_created";
    /// A code to pair a phone was handed out.
    EnrolmentOffered = "enrolment_offered";
    /// A code to pair a phone was taken back.
    EnrolmentRevoked = "enrolment_revoked";
    /// A phone was not paired: its code was used, or is too old.
    PairingRefused = "pairing_refused";
    /// A phone was paired.
    DeviceRegistered = "device_registered";
    /// A person agreed to the use of their face.
    ConsentGiven = "consent_given";
    /// A face was enrolled, or took an older one's place.
    FaceEnrolled = "face_enrolled";
    /// A scan was taken as a further reference.
    FaceAdapted = "face_adapted";
    /// References were moved under a new transform; those of before are worth nothing any more.
    FaceReissued = "face_reissued";
    /// A face was not enrolled, because it is not the one that is there.
    EnrolmentFailed = "enrolment_failed";
    /// A sign-on was not asked for: no phone, no face, locked, or reported.
    SignOnRefused = "sign_on_refused";
    /// A sign-on was asked for.
    SignOnRequested = "sign_on_requested";
    /// A phone was given a challenge to answer with photos.
    ChallengeGiven = "challenge_given";
    /// A try at a sign-on failed: liveness, match or number.
    TryFailed = "try_failed";
    /// The person was recognised.
    SignOnVerified = "sign_on_verified";
    /// No try was left.
    SignOnFailed = "sign_on_failed";
    /// The person said no.
    SignOnDenied = "sign_on_denied";
    /// The person said no, and that it was not them who asked.
    SignOnReported = "sign_on_reported";
    /// The site took the sign-on back.
    SignOnCancelled = "sign_on_cancelled";
    /// Nobody answered in time.
    SignOnExpired = "sign_on_expired";
    /// The site's backend redeemed the session token.
    SessionRedeemed = "session_redeemed";
    /// A session token was brought that proves nothing, or not this.
    RedemptionRefused = "redemption_refused";
    /// So many failures in a row lock a client out.
    ClientLocked = "client_locked";
    /// A locked client was let in again.
    ClientUnlocked = "client_unlocked";
    /// A client, their face and their phones were erased.
    ClientErased = "client_erased";
    /// A phone that is not trusted was locked for a time, after failures on it.
    DeviceLocked = "device_locked";
    /// A phone was accepted as the client's.
    DeviceConfirmed = "device_confirmed";
    /// A phone's proof was refused: used before, or not over what was sent.
    ProofRefused = "proof_refused";
    /// A phone said where it can be pushed to from now on.
    PushAddressChanged = "push_address_changed";
    /// A phone was unpaired.
    DeviceRevoked = "device_revoked";
}
