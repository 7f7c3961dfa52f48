//! Markdown as our pages show it: no HTML of its own, headings that can be linked to, tables and code that scroll by
//! themselves.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// What became of a text.
#[derive(Debug)]
pub(super) struct Rendered {
    /// The text of its first heading.
    pub(super) title: String,
    /// The first paragraph, without its marks.
    pub(super) summary: String,
    /// HTML as far as the end of the first paragraph.
    pub(super) lead: String,
    /// The HTML of the rest.
    pub(super) body: String,
    /// What stands under each heading; the first stands before any.
    pub(super) sections: Vec<Section>,
}

/// A part of a text, from one heading to the next.
#[derive(Debug, Default, Clone)]
pub(super) struct Section {
    /// What links name it by; empty for the text's beginning.
    pub(super) id: String,
    /// Its heading.
    pub(super) heading: String,
    /// Whether it is one of the parts that a page is divided into first.
    pub(super) is_chapter: bool,
    /// Its words, without marks.
    pub(super) text: String,
}

/// Renders a text; `link` says where a link of it leads on this server, `None` where nowhere.
pub(super) fn render(source: &str, link: &dyn Fn(&str) -> Option<String>) -> Rendered {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut events: Vec<Event<'_>> = Parser::new_ext(source, options)
        .filter(|event| !matches!(event, Event::Html(_) | Event::InlineHtml(_)))
        .collect();
    let sections = divide(&mut events);
    let summary = summary(&events);
    let end_of_lead = events
        .iter()
        .position(|event| matches!(event, Event::End(TagEnd::Paragraph)))
        .map_or(0, |at| at + 1);
    let rest = events.split_off(end_of_lead);
    Rendered {
        title: sections
            .first()
            .map(|it| it.heading.clone())
            .unwrap_or_default(),
        summary,
        lead: to_html(events, link),
        body: to_html(rest, link),
        sections,
    }
}

/// Gives every heading an id that no other has, and collects what stands under it.
fn divide(events: &mut [Event<'_>]) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut open: Option<(usize, bool)> = None;
    for at in 0..events.len() {
        match &events[at] {
            Event::Start(Tag::Heading { level, .. }) => {
                open = Some((at, *level as usize == 2));
                sections.push(Section::default());
            }
            Event::End(TagEnd::Heading(_)) => {
                let Some((begun, is_chapter)) = open.take() else {
                    continue;
                };
                let number = sections.len() - 1;
                let id = if number == 0 {
                    String::new()
                } else {
                    free_id(&sections[number].heading, &sections[..number])
                };
                if let Event::Start(Tag::Heading { id: place, .. }) = &mut events[begun] {
                    *place = (!id.is_empty()).then(|| CowStr::from(id.clone()));
                }
                sections[number].id = id;
                sections[number].is_chapter = is_chapter;
            }
            event => {
                let Some(section) = sections.last_mut() else {
                    continue;
                };
                let into = if open.is_some() {
                    &mut section.heading
                } else {
                    &mut section.text
                };
                match event {
                    Event::Text(text) | Event::Code(text) => into.push_str(text),
                    Event::SoftBreak | Event::HardBreak => into.push(' '),
                    Event::End(_) if open.is_none() => into.push(' '),
                    _ => {}
                }
            }
        }
    }
    sections
}

/// What a heading is linked by: its words as far as the first ` · `, with a number where others have it already.
fn free_id(heading: &str, taken: &[Section]) -> String {
    let name = heading.split(" · ").next().unwrap_or_default();
    let mut id = String::new();
    for sign in name.chars() {
        if sign.is_alphanumeric() || sign == '_' {
            id.extend(sign.to_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    let id = id.trim_end_matches('-').to_owned();
    let is_taken = |id: &str| taken.iter().any(|section| section.id == id);
    (1..)
        .map(|count| {
            if count == 1 {
                id.clone()
            } else {
                format!("{id}-{count}")
            }
        })
        .find(|id| !is_taken(id))
        .unwrap_or(id)
}

fn summary(events: &[Event<'_>]) -> String {
    let mut text = String::new();
    let paragraph = events
        .iter()
        .skip_while(|event| !matches!(event, Event::Start(Tag::Paragraph)))
        .take_while(|event| !matches!(event, Event::End(TagEnd::Paragraph)));
    for event in paragraph {
        match event {
            Event::Text(part) | Event::Code(part) => text.push_str(part),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    text
}

fn to_html(events: Vec<Event<'_>>, link: &dyn Fn(&str) -> Option<String>) -> String {
    let mut open_links = Vec::new();
    let shown = events.into_iter().flat_map(|event| match event {
        Event::Start(Tag::Table(columns)) => vec![
            Event::Html(
                r#"<div class="table" tabindex="0" role="group" aria-label="Table">"#.into(),
            ),
            Event::Start(Tag::Table(columns)),
        ],
        Event::End(TagEnd::Table) => vec![event, Event::Html("</div>".into())],
        Event::Start(Tag::CodeBlock(kind)) => vec![Event::Html(code_begins(&kind).into())],
        Event::End(TagEnd::CodeBlock) => vec![Event::Html("</code></pre>\n".into())],
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => {
            let target = link(&dest_url);
            open_links.push(target.is_some());
            target.map_or_else(Vec::new, |target| {
                let dest_url = target.into();
                vec![Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    title,
                    id,
                })]
            })
        }
        Event::End(TagEnd::Link) if open_links.pop() == Some(false) => Vec::new(),
        event => vec![event],
    });
    let mut out = String::new();
    html::push_html(&mut out, shown);
    out
}

/// A block of code: what its fence says after the language is the file's name.
fn code_begins(kind: &CodeBlockKind<'_>) -> String {
    let info = match kind {
        CodeBlockKind::Fenced(info) => info.as_ref(),
        CodeBlockKind::Indented => "",
    };
    let file = info.split_once(' ').map(|(_, file)| escaped(file.trim()));
    match file.filter(|file| !file.is_empty()) {
        Some(file) => format!(
            "<p class=\"file\"><code>{file}</code></p>\n<pre tabindex=\"0\" aria-label=\"{file}\"><code>"
        ),
        None => "<pre tabindex=\"0\" aria-label=\"Code\"><code>".to_owned(),
    }
}

/// A text as HTML, for attributes too.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(source: &str) -> Rendered {
        render(source, &|target| {
            (!target.contains("gone")).then(|| target.to_owned())
        })
    }

    #[test]
    fn a_text_is_divided_at_its_headings() {
        let text = plain(
            "# A `title`\n\nFirst *words*\nhere.\n\n## One\n\nx\n\n### One\n\ny\n\n## 1007 · not_found\n\nz",
        );
        assert_eq!(
            (text.title.as_str(), text.summary.as_str()),
            ("A title", "First words here.")
        );
        let ids: Vec<_> = text
            .sections
            .iter()
            .map(|it| (it.id.as_str(), it.is_chapter))
            .collect();
        assert_eq!(
            ids,
            [("", false), ("one", true), ("one-2", false), ("1007", true)]
        );
        assert!(text.lead.contains("<h1>") && text.lead.ends_with("</p>\n"));
        assert!(text.body.contains("<h2 id=\"1007\">") && text.body.contains("<h3 id=\"one-2\">"));
        assert_eq!(text.sections[3].text.trim(), "z");
    }

    #[test]
    fn nothing_of_a_text_becomes_html_by_itself() {
        let text = plain(
            "# T\n\na <script>b</script> c\n\n<img src=x>\n\n```sh\necho '<b>'\n```\n\n```php a\"<b>.php\nx\n```",
        );
        for tag in ["<script", "<img", "<b>"] {
            assert!(
                !text.lead.contains(tag) && !text.body.contains(tag),
                "{tag}"
            );
        }
        assert!(
            text.body.contains("echo '&lt;b&gt;'") && text.body.contains("a&quot;&lt;b&gt;.php")
        );
    }

    #[test]
    fn a_link_that_leads_nowhere_is_its_words() {
        let text = plain("# T\n\nlead\n\n[there](a.md) and [not](gone.md)");
        assert!(text.body.contains("<a href=\"a.md\">there</a> and not"));
    }
}
