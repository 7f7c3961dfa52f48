//! What all plots share: size, colours, the frame and its axes.

/// Width and height of a plot, in its own units; text of 13 units stays readable when the plot is as
/// narrow as a phone.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 400.0;
/// The part where data is drawn.
pub(super) const LEFT: f64 = 58.0;
pub(super) const RIGHT: f64 = 408.0;
pub(super) const TOP: f64 = 14.0;
pub(super) const BOTTOM: f64 = 342.0;

/// Colours and lines. Both kinds of pairs differ in more than colour: in pattern, shape or place.
const STYLE: &str = "<style>\
.plot{--ink:#1b1f24;--soft:#5b6470;--grid:#d7dce2;--paper:#fff;--one:#0a5fb4;--two:#b3480f;\
font:13px system-ui,sans-serif;width:100%;height:auto;display:block}\
@media (prefers-color-scheme:dark){.plot{--ink:#e8ebef;--soft:#a4adb8;--grid:#3a424c;--paper:#15191e;--one:#6fb3ff;--two:#ff9d66}}\
@media print{.plot{--ink:#000;--soft:#333;--grid:#ccc;--paper:#fff;--one:#0a5fb4;--two:#b3480f}}\
.plot text{fill:var(--ink)}.plot .soft{fill:var(--soft)}.plot .grid{stroke:var(--grid)}\
.plot .frame{fill:none;stroke:var(--soft)}.plot .one{stroke:var(--one)}.plot .two{stroke:var(--two)}\
.plot .line{fill:none;stroke-width:2.2}.plot .dash{stroke-dasharray:6 4}\
.plot .mark{fill:var(--paper);stroke-width:2}.plot .ink{stroke:var(--ink)}.plot .level{stroke:var(--ink);stroke-dasharray:2 3}\
.plot .area-one{fill:var(--one)}.plot .area-two{fill:var(--two)}\
</style>";

/// The frame of a plot around what `inside` draws. `title` and `description` are for those who do not
/// see it; both are plain text without markup.
pub(super) fn svg(id: &str, title: &str, description: &str, inside: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         role=\"img\" aria-labelledby=\"{id}-title {id}-text\"><title id=\"{id}-title\">{title}</title>\
         <desc id=\"{id}-text\">{description}</desc>{STYLE}{inside}</svg>\n"
    )
}

/// A line of text at a point. `anchor` is `start`, `middle` or `end`.
pub(super) fn text(x: f64, y: f64, anchor: &str, class: &str, words: &str) -> String {
    format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{words}</text>"
    )
}

/// The titles of the axes.
pub(super) fn axes(across: &str, up: &str) -> String {
    let (x, y) = (f64::midpoint(LEFT, RIGHT), f64::midpoint(TOP, BOTTOM));
    format!(
        "<rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>{}\
         <text x=\"13\" y=\"{y:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 13 {y:.1})\">{up}</text>",
        RIGHT - LEFT,
        BOTTOM - TOP,
        text(x, BOTTOM + 34.0, "middle", "", across),
    )
}
