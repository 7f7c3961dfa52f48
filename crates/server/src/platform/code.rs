//! The wire contract's codes: number, status, slug and the sentence a page may show.

macro_rules! codes {
    ($($name:ident = $number:literal, $status:literal, $slug:literal, $sentence:literal;)*) => {
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
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// The name that stands in `error`, for programs.
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

impl Code {
    /// Whether it says that a photo cannot be used, whoever is in it.
    #[must_use]
    pub const fn is_of_photo(self) -> bool {
        matches!(
            self,
            Self::NoFace
                | Self::SeveralFaces
                | Self::PoorImage
                | Self::UnsupportedImage
                | Self::ImageTooLarge
        )
    }
}

codes! {
    AuthenticationFailed = 1001, 401, "authentication_failed", "This site could not be recognised. Please try again later.";
    DomainMismatch = 1002, 401, "domain_mismatch", "This site could not be recognised. Please try again later.";
    TokenMissing = 1003, 401, "token_missing", "Please reload the page and try again.";
    TokenInvalid = 1003, 401, "token_invalid", "Please reload the page and try again.";
    TokenExpired = 1004, 401, "token_expired", "Please reload the page and try again.";
    TokenRevoked = 1005, 401, "token_revoked", "Please reload the page and try again.";
    InvalidParameter = 1006, 400, "invalid_parameter", "Something in this request is missing or wrong.";
    ClientNotFound = 1007, 404, "client_not_found", "We do not know this account.";
    FaceNotEnrolled = 1008, 404, "face_not_enrolled", "Face sign-on is not set up for this account yet.";
    ClientExists = 1009, 409, "client_exists", "There is already an account with this e-mail address.";
    ScopeForbidden = 1010, 403, "scope_forbidden", "This is not allowed here.";
    DeviceTokenNotFound = 1012, 404, "device_token_not_found", "No phone is paired with this account yet.";
    AccountLocked = 1016, 403, "account_locked", "Too many failed tries. Please wait a while and try again.";
    AccountLockedPermanently = 1017, 403, "account_locked_permanently", "This account is locked. Please ask the site to unlock it.";
    PushLimitedByIp = 1022, 429, "rate_limited", "Too many requests. Please wait a moment and try again.";
    PushLimitedByClient = 1023, 429, "rate_limited", "Too many requests. Please wait a moment and try again.";
    VerifyLimitedByIp = 1024, 429, "rate_limited", "Too many tries. Please wait a moment and try again.";
    VerifyLimitedBySignOn = 1025, 429, "rate_limited", "Too many tries. Please wait a moment and try again.";
    RateLimited = 1026, 429, "rate_limited", "Too many requests. Please wait a moment and try again.";
    VerificationExpired = 1030, 410, "verification_expired", "This sign-on has expired. Please start again.";
    VerificationUsed = 1031, 409, "verification_used", "This sign-on has already been answered.";
    VerificationNotFound = 1032, 404, "verification_not_found", "This sign-on is not known. Please start again.";
    NoFace = 1033, 422, "no_face", "We could not see a face. Hold the phone in front of you and try again.";
    SeveralFaces = 1034, 422, "several_faces", "We saw more than one face. Make sure that only you are in the picture.";
    PoorImage = 1035, 422, "poor_image", "The picture is not clear enough. Please try again.";
    FaceMismatch = 1036, 401, "face_mismatch", "We could not recognise you.";
    LivenessFailed = 1037, 401, "liveness_failed", "We could not confirm that you are in front of the camera.";
    UnsupportedImage = 1038, 415, "unsupported_image", "This picture cannot be read. Please take another one.";
    ImageTooLarge = 1039, 413, "image_too_large", "This picture is too large. Please take a smaller one.";
    SessionTokenInvalid = 1040, 401, "session_token_invalid", "This sign-on is no longer valid. Please sign in again.";
    NumberMismatch = 1042, 401, "number_mismatch", "That is not the number on the page.";
    SessionTokenOtherSite = 1046, 403, "session_token_other_site", "This sign-on belongs to another site.";
    DeviceProofInvalid = 1050, 401, "device_proof_invalid", "This phone could not be recognised. Please pair it again.";
    EnrollmentInvalid = 1051, 410, "enrollment_invalid", "This code has expired or was used. Please ask for a new one.";
    Internal = 5000, 500, "internal", "Something went wrong on our side. Please try again.";
    Overloaded = 5003, 503, "overloaded", "We are very busy right now. Please try again in a moment.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_belong_to_one_status_each() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            if seen.insert((code.number(), code.status())) {
                let others = Code::ALL.iter().filter(|c| c.number() == code.number());
                assert!(others.clone().all(|c| c.status() == code.status()));
            }
            assert!(code.user_message().ends_with('.'));
        }
    }
}
