//! Charts, drawn on the server as SVG without a word of style: rectangles with classes. What they show stands in a table
//! beside them, and the numbers that matter in words.

use std::fmt;

use askama::filters::HtmlSafe;

/// A column: all of it, and the part of it that is filled.
#[derive(Debug, Clone)]
pub struct Column {
    /// What the pointer is told. It must not come from outside.
    pub said: String,
    /// The whole.
    pub all: i64,
    /// What of it is filled.
    pub part: i64,
}

/// Columns side by side.
#[derive(Debug, Clone)]
pub struct Columns {
    name: &'static str,
    columns: Vec<Column>,
    highest: i64,
}

impl Columns {
    /// Columns under a name; the highest reaches the top.
    #[must_use]
    pub fn new(name: &'static str, columns: Vec<Column>) -> Self {
        let highest = columns.iter().map(|column| column.all).max().unwrap_or(0);
        Self::up_to(name, columns, highest)
    }

    /// Columns of which the top is so high.
    #[must_use]
    pub fn up_to(name: &'static str, columns: Vec<Column>, highest: i64) -> Self {
        Self {
            name,
            columns,
            highest: highest.max(1),
        }
    }

    /// What the top stands for.
    #[must_use]
    pub fn highest(&self) -> i64 {
        self.highest
    }
}

/// Height of the drawing; it is stretched to whatever room there is.
const HEIGHT: i64 = 100;

/// Width of a column and of the gap after it.
const STEP: usize = 10;

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.columns.len() * STEP;
        write!(
            f,
            "<svg class=\"dash-chart\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">",
            self.name
        )?;
        for (at, column) in self.columns.iter().enumerate() {
            let x = at * STEP + 1;
            // What is there is seen, however little it is.
            let high = |count: i64| {
                let height = count * HEIGHT / self.highest;
                if count > 0 {
                    height.clamp(1, HEIGHT)
                } else {
                    0
                }
            };
            write!(f, "<g><title>{}</title>", column.said)?;
            // All of the column's room answers to the pointer.
            write!(
                f,
                "<rect class=\"room\" x=\"{}\" y=\"0\" width=\"{STEP}\" height=\"{HEIGHT}\"/>",
                at * STEP
            )?;
            for (class, height) in [("all", high(column.all)), ("part", high(column.part))] {
                if height > 0 {
                    let (y, width) = (HEIGHT - height, STEP - 2);
                    write!(
                        f,
                        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
                    )?;
                }
            }
            f.write_str("</g>")?;
        }
        f.write_str("</svg>")
    }
}

/// Names and words in it are the program's own.
impl HtmlSafe for Columns {}

/// A bar that lies: so much of so much.
#[derive(Debug, Clone, Copy)]
pub struct Bar {
    /// How much it is.
    pub part: i64,
    /// How much it could be.
    pub all: i64,
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = (self.part * 100 / self.all.max(1)).clamp(i64::from(self.part > 0), 100);
        write!(
            f,
            "<svg class=\"dash-bar-chart\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect class=\"room\" x=\"0\" y=\"0\" width=\"100\" height=\"8\"/>\
             <rect class=\"part\" x=\"0\" y=\"0\" width=\"{width}\" height=\"8\"/></svg>"
        )
    }
}

impl HtmlSafe for Bar {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_reach_as_high_as_they_count() {
        let column = |all, part| Column {
            said: format!("{part} of {all}"),
            all,
            part,
        };
        let drawn = Columns::new(
            "Attempts",
            vec![column(0, 0), column(1000, 1), column(500, 500)],
        );
        let drawn = drawn.to_string();
        assert!(
            drawn.contains("viewBox=\"0 0 30 100\"") && drawn.contains("<title>1 of 1000</title>")
        );
        assert!(
            drawn.contains("<rect class=\"all\" x=\"11\" y=\"0\" width=\"8\" height=\"100\"/>")
        );
        assert!(
            drawn.contains("<rect class=\"part\" x=\"11\" y=\"99\" width=\"8\" height=\"1\"/>")
        );
        assert!(
            drawn.contains("<rect class=\"part\" x=\"21\" y=\"50\" width=\"8\" height=\"50\"/>")
        );
        assert!(!drawn.contains("style"));
        assert_eq!(Columns::new("None", Vec::new()).highest(), 1);
    }
}
