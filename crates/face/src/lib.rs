//! Image bytes to faces, templates and comparison scores.
