//! The wire contract's codes: number, status, slug and the sentence a page may show.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident = $number:literal, $status:ident, $slug:literal, $sentence:literal;)*) => {
        /// A failure's code; clients parse the number and the slug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $slug] $name,)*
        }

        impl Code {
            /// Every code, in the order of the contract.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The number clients parse.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number),* }
            }

            /// The HTTP status it travels with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),* }
            }

            /// The machine-readable word.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),* }
            }

            /// A plain sentence for the person.
            #[must_use]
            pub const fn user_message(self) -> &'static str {
                match self { $(Self::$name => $sentence),* }
            }
        }
    };
}

codes! {
    AuthenticationFailed = 1001, UNAUTHORIZED, "authentication_failed", "This site could not be recognised. Please try again later.";
    DomainMismatch = 1002, UNAUTHORIZED, "domain_mismatch", "This site could not be recognised. Please try again later.";
    TokenMissing = 1003, UNAUTHORIZED, "token_missing", "Please reload the page and try again.";
    TokenInvalid = 1003, UNAUTHORIZED, "token_invalid", "Please reload the page and try again.";
    TokenExpired = 1004, UNAUTHORIZED, "token_expired", "Please reload the page and try again.";
    TokenRevoked = 1005, UNAUTHORIZED, "token_revoked", "Please reload the page and try again.";
    InvalidParameter = 1006, BAD_REQUEST, "invalid_parameter", "Something in this request is missing or wrong.";
    ClientNotFound = 1007, NOT_FOUND, "client_not_found", "We do not know this account.";
    FaceNotEnrolled = 1008, NOT_FOUND, "face_not_enrolled", "Face sign-on is not set up for this account yet.";
    ClientExists = 1009, CONFLICT, "client_exists", "There is already an account with this e-mail address.";
    ScopeForbidden = 1010, FORBIDDEN, "scope_forbidden", "This is not allowed here.";
    DeviceTokenNotFound = 1012, NOT_FOUND, "device_token_not_found", "No phone is paired with this account yet.";
    AccountLocked = 1016, FORBIDDEN, "account_locked", "Too many failed tries. Please wait a while and try again.";
    AccountLockedPermanently = 1017, FORBIDDEN, "account_locked_permanently", "This account is locked. Please ask the site to unlock it.";
    PushLimitedByIp = 1022, TOO_MANY_REQUESTS, "rate_limited", "Too many requests. Please wait a moment and try again.";
    PushLimitedByClient = 1023, TOO_MANY_REQUESTS, "rate_limited", "Too many requests. Please wait a moment and try again.";
    VerifyLimitedByIp = 1024, TOO_MANY_REQUESTS, "rate_limited", "Too many tries. Please wait a moment and try again.";
    VerifyLimitedBySignOn = 1025, TOO_MANY_REQUESTS, "rate_limited", "Too many tries. Please wait a moment and try again.";
    RateLimited = 1026, TOO_MANY_REQUESTS, "rate_limited", "Too many requests. Please wait a moment and try again.";
    VerificationExpired = 1030, GONE, "verification_expired", "This sign-on has expired. Please start again.";
    VerificationUsed = 1031, CONFLICT, "verification_used", "This sign-on has already been answered.";
    VerificationNotFound = 1032, NOT_FOUND, "verification_not_found", "This sign-on is not known. Please start again.";
    NoFace = 1033, UNPROCESSABLE_ENTITY, "no_face", "We could not see a face. Hold the phone in front of you and try again.";
    SeveralFaces = 1034, UNPROCESSABLE_ENTITY, "several_faces", "We saw more than one face. Make sure that only you are in the picture.";
    PoorImage = 1035, UNPROCESSABLE_ENTITY, "poor_image", "The picture is not clear enough. Please try again.";
    FaceMismatch = 1036, UNAUTHORIZED, "face_mismatch", "We could not recognise you.";
    LivenessFailed = 1037, UNAUTHORIZED, "liveness_failed", "We could not confirm that you are in front of the camera.";
    UnsupportedImage = 1038, UNSUPPORTED_MEDIA_TYPE, "unsupported_image", "This picture cannot be read. Please take another one.";
    ImageTooLarge = 1039, PAYLOAD_TOO_LARGE, "image_too_large", "This picture is too large. Please take a smaller one.";
    SessionTokenInvalid = 1040, UNAUTHORIZED, "session_token_invalid", "This sign-on is no longer valid. Please sign in again.";
    NumberMismatch = 1042, UNAUTHORIZED, "number_mismatch", "That is not the number on the page.";
    SessionTokenOtherSite = 1046, FORBIDDEN, "session_token_other_site", "This sign-on belongs to another site.";
    DeviceProofInvalid = 1050, UNAUTHORIZED, "device_proof_invalid", "This phone could not be recognised. Please pair it again.";
    EnrollmentInvalid = 1051, GONE, "enrollment_invalid", "This code has expired or was used. Please ask for a new one.";
    Internal = 5000, INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side. Please try again.";
    Overloaded = 5003, SERVICE_UNAVAILABLE, "overloaded", "We are very busy right now. Please try again in a moment.";
}
