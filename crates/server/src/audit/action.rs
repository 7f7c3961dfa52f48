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
    /// A client was made known.
    ClientCreated = "client_created";
    /// A code to pair a phone was handed out.
    EnrolmentOffered = "enrolment_offered";
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
    /// A locked client was let in again.
    ClientUnlocked = "client_unlocked";
    /// A client, their face and their phones were erased.
    ClientErased = "client_erased";
    /// A phone was unpaired.
    DeviceRevoked = "device_revoked";
}
