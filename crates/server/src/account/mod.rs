//! Accounts: who may open the dashboard, how they prove it, and what they may do on which site.

mod address;
mod apps;
mod ceremony;
mod courier;
mod door;
mod erase;
mod face;
mod flow;
mod link;
mod membership;
mod model;
pub mod pages;
mod passkeys;
mod recovery;
mod second;
mod sign_in;
mod store;
mod wish;

pub use address::{ask_to_move, move_to, set_address};
pub use apps::{Added, add_app, owns_enough};
pub use ceremony::{RelyingParty, Unproven};
pub use courier::LetterCourier;
pub use door::{LetIn, ask_to_confirm, confirm, let_in};
pub use erase::{erase_by_operator, erase_own};
pub use face::{
    FaceWay, client_at_door, door, drop_face, face_way, is_linked, set_up_face, sign_in_by_face,
    unlink_face,
};
pub use flow::{
    Sessions, change_password, end_all_sessions, end_sessions, join, set_up, signed_out,
};
pub use link::{LIFE, forget as forget_links, join_address, offer};
pub use membership::{By, Member, give_role, members, owned_alone, role_on, sites_of, take_role};
pub use model::{Account, AccountError, PasskeyError, Password, Role};
pub use passkeys::{
    Answer, Passkey, Registration, add_passkey, may_make_passkey, passkey_challenge, passkeys,
    remove_passkey, sign_in_by_passkey, take_passkeys_back,
};
pub use recovery::{codes_left, drop_codes, make_codes, sign_in_by_code, take_codes_back};
pub use second::{Second, asked as second_asked};
pub use sign_in::sign_in;
pub use store::{all, any, create, find, find_by_email, names_of_actors};
pub use wish::{Asked, ask};
