//! How JavaScript calls the engine: functions over one buffer that both see.
//!
//! JavaScript asks for [`guide_room`], writes bytes there, and calls [`guide_load`] or [`guide_look`]; what was seen lies as
//! numbers at [`guide_seen`]. All of it is on one thread, a worker's. A browser finds functions by their names, and to
//! promise that a name is taken once is what Rust calls unsafe; nothing else here is.

#![allow(unsafe_code, reason = "`no_mangle` is an unsafe attribute")]

use std::cell::RefCell;

use sight::{Action, Image};

use crate::{Eye, Seen};

/// What a browser does not call by name: steps by their number, in this order.
pub const ACTIONS: [Action; 7] = [
    Action::LookStraight,
    Action::TurnLeft,
    Action::TurnRight,
    Action::LookUp,
    Action::Blink,
    Action::OpenMouth,
    Action::ComeCloser,
];
/// Confidence, middle (two), height, turn, opening of the eyes, then how far each of [`ACTIONS`] was done.
pub const NUMBERS: usize = 6 + ACTIONS.len();
/// Longest side of a picture, in pixels.
const LONGEST: usize = 1024;

thread_local! {
    static EYE: RefCell<Option<Eye>> = const { RefCell::new(None) };
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static SEEN: RefCell<[f32; NUMBERS]> = const { RefCell::new([0.0; NUMBERS]) };
}

/// Makes room for so many bytes; where it begins.
#[unsafe(no_mangle)]
pub extern "C" fn guide_room(length: usize) -> *mut u8 {
    ROOM.with_borrow_mut(|room| {
        room.clear();
        room.resize(length.min(4 * LONGEST * LONGEST), 0);
        room.as_mut_ptr()
    })
}

/// Where the numbers of the last look lie.
#[unsafe(no_mangle)]
pub extern "C" fn guide_seen() -> *const f32 {
    SEEN.with_borrow(|seen| seen.as_ptr())
}

/// Takes what is in the room for the network's file: 1 if it is.
#[unsafe(no_mangle)]
pub extern "C" fn guide_load() -> i32 {
    let loaded = ROOM.with_borrow_mut(|room| Eye::load(&std::mem::take(room)));
    let is_loaded = i32::from(loaded.is_ok());
    EYE.set(loaded.ok());
    is_loaded
}

/// Begins with another capture.
#[unsafe(no_mangle)]
pub extern "C" fn guide_begin() {
    EYE.with_borrow_mut(|eye| {
        if let Some(eye) = eye {
            eye.begin();
        }
    });
}

/// Looks at the picture in the room, of red, green, blue and one more byte a pixel: 1 if a face is seen, 0 if not, -1 if it
/// cannot be looked at.
#[unsafe(no_mangle)]
pub extern "C" fn guide_look(width: usize, height: usize) -> i32 {
    let picture = ROOM.with_borrow(|room| picture(room, width, height));
    let seen = EYE.with_borrow_mut(|eye| {
        let eye = eye.as_mut()?;
        let seen = eye.look(&picture?).ok()?;
        Some(seen.map_or([0.0; NUMBERS], |seen| numbers(eye, &seen)))
    });
    match seen {
        Some(numbers) => {
            SEEN.set(numbers);
            i32::from(numbers[0] > 0.0)
        }
        None => -1,
    }
}

/// The last look was straight ahead, and stands for how the person usually looks.
#[unsafe(no_mangle)]
pub extern "C" fn guide_keep_straight() {
    EYE.with_borrow_mut(|eye| {
        if let Some(eye) = eye {
            eye.keep_straight();
        }
    });
}

fn picture(bytes: &[u8], width: usize, height: usize) -> Option<Image> {
    let sides = 1..=LONGEST;
    if !sides.contains(&width) || !sides.contains(&height) {
        return None;
    }
    let pixels = bytes.get(..4 * width * height)?.as_chunks::<4>().0;
    let colours = pixels.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]);
    Image::new(width, height, colours.collect())
}

fn numbers(eye: &Eye, seen: &Seen) -> [f32; NUMBERS] {
    let mut numbers = [0.0; NUMBERS];
    let [x, y] = seen.middle;
    numbers[..6].copy_from_slice(&[
        seen.confidence,
        x,
        y,
        seen.height,
        seen.pose.yaw,
        seen.pose.eyes,
    ]);
    for (number, action) in numbers[6..].iter_mut().zip(ACTIONS) {
        *number = eye.way(action);
    }
    numbers
}
