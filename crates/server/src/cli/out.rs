//! What commands say on standard output. A pipe that nobody reads any more, or a full disk, is no
//! reason to stop, and none to panic, as the standard library's macros would.

use std::{
    fmt::Arguments,
    io::{Write, stderr, stdout},
};

use serde_json::Value;

use crate::platform::clock::Moment;

/// Prints a line to standard output; a reader that has gone is no error.
macro_rules! say {
    () => { $crate::cli::out::text(format_args!("\n")) };
    ($($text:tt)*) => {
        $crate::cli::out::text(format_args!("{}\n", format_args!($($text)*)))
    };
}

/// Writes as `say!`, without ending the line.
macro_rules! say_on {
    ($($text:tt)*) => { $crate::cli::out::text(format_args!($($text)*)) };
}

/// Writes a line to standard error.
macro_rules! note {
    ($($text:tt)*) => {
        $crate::cli::out::aside(format_args!("{}\n", format_args!($($text)*)))
    };
}

/// A moment as lists have it: to the minute, UTC.
pub(super) fn minute(at: Moment) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}

/// Lists things: as JSON for programs, else a line for each, or the one that says what there is to do where there is nothing.
pub(super) fn list<T>(
    things: &[T],
    as_json: bool,
    none: &str,
    in_json: impl Fn(&T) -> Value,
    line: impl Fn(&T) -> String,
) {
    if as_json {
        let rows: Vec<Value> = things.iter().map(in_json).collect();
        say!("{:#}", Value::from(rows));
        return;
    }
    if things.is_empty() && !none.is_empty() {
        say!("{none}");
    }
    for thing in things {
        say!("{}", line(thing));
    }
}

/// Writes to standard error, if it is there.
pub(super) fn aside(text: Arguments<'_>) {
    let _ = stderr().lock().write_fmt(text);
}

/// Writes to standard output, if it is there.
pub(super) fn text(text: Arguments<'_>) {
    let mut out = stdout().lock();
    // Whoever read it has gone; there is nobody to tell.
    let _ = out.write_fmt(text).and_then(|()| out.flush());
}
