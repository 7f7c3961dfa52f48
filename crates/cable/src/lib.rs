//! An Action Cable server as a library.
