//! Everything that can be read at `/docs`, rendered once.

use serde_json::Value;

use super::{
    document::Document,
    guides::{REFERENCE, SHELVES},
    markdown, reference, search,
    search::Found,
};

/// All pages, in the order in which they are read.
#[derive(Debug)]
pub struct Library {
    documents: Vec<Document>,
}

/// A text before it is rendered.
struct Source {
    slug: String,
    file: String,
    shelf: &'static str,
    text: String,
}

/// The texts in their order.
fn sources(contract: &Value) -> Vec<Source> {
    let mut sources = Vec::new();
    for shelf in SHELVES {
        if shelf.name == REFERENCE {
            let made = reference::pages(contract);
            sources.extend(made.into_iter().map(|(slug, text)| Source {
                slug: slug.to_owned(),
                file: format!("docs/guides/{slug}.md"),
                shelf: shelf.name,
                text,
            }));
        }
        sources.extend(shelf.guides.iter().map(|guide| Source {
            slug: guide.slug.to_owned(),
            file: guide.file.to_owned(),
            shelf: shelf.name,
            text: guide.text.to_owned(),
        }));
    }
    sources
}

impl Library {
    /// The guides, and the reference of this contract (OpenAPI as JSON).
    #[must_use]
    pub fn new(contract: &Value) -> Self {
        let sources = sources(contract);
        let documents = sources
            .iter()
            .map(|source| Document {
                slug: source.slug.clone(),
                shelf: source.shelf,
                markdown: source.text.clone(),
                rendered: markdown::render(&source.text, &|target| {
                    resolved(target, &source.file, &sources)
                }),
            })
            .collect();
        Self { documents }
    }

    /// The page of this address.
    #[must_use]
    pub fn find(&self, slug: &str) -> Option<&Document> {
        self.documents.iter().find(|document| document.slug == slug)
    }

    /// All pages.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// The pages before and after one.
    pub(super) fn beside(&self, slug: &str) -> (Option<&Document>, Option<&Document>) {
        let at = self
            .documents
            .iter()
            .position(|document| document.slug == slug);
        let at = at.unwrap_or(self.documents.len());
        let before = at.checked_sub(1).and_then(|at| self.documents.get(at));
        (before, self.documents.get(at + 1))
    }

    pub(super) fn search(&self, words: &str) -> Vec<Found<'_>> {
        search::search(&self.documents, words)
    }

    /// The list of all pages that programs read (`/llms.txt`).
    #[must_use]
    pub fn for_programs(&self, url: &str) -> String {
        let mut text = String::from(
            "# Axiam\n\n> Self-hosted face sign-in for websites: the site asks, the person's phone scans, the page \
             hears the verdict, the backend redeems it.\n",
        );
        let mut shelf = "";
        for document in &self.documents {
            if document.shelf != shelf {
                shelf = document.shelf;
                text += &format!("\n## {shelf}\n\n");
            }
            let (title, slug, summary) = (document.title(), &document.slug, document.summary());
            text += &format!("- [{title}]({url}/docs/{slug}.md): {summary}\n");
        }
        text += &format!(
            "\n## Contract\n\n- [OpenAPI]({url}/api/openapi.json): every route of the API\n"
        );
        text
    }
}

/// Where a link leads: links between files become links between pages, what lies outside becomes none.
fn resolved(target: &str, file: &str, sources: &[Source]) -> Option<String> {
    if target.starts_with(['#', '/'])
        || target.starts_with("https://")
        || target.starts_with("http://")
    {
        return Some(target.to_owned());
    }
    let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
    let mut place: Vec<&str> = file.split('/').collect();
    place.pop();
    for part in path.split('/') {
        match part {
            ".." => {
                place.pop();
            }
            part => place.push(part),
        }
    }
    let wanted = place.join("/");
    let found = sources.iter().find(|source| source.file == wanted)?;
    Some(match fragment {
        "" => format!("/docs/{}", found.slug),
        fragment => format!("/docs/{}#{fragment}", found.slug),
    })
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Parser, Tag};

    use super::*;

    /// Why things are as they are is for those who have the repository.
    const NO_PAGES: &str = "decisions/";

    #[test]
    fn every_link_of_a_guide_leads_to_a_page() {
        let contract = Value::Null;
        let sources = sources(&contract);
        let mut links = 0;
        for source in &sources {
            for event in Parser::new(&source.text) {
                let Event::Start(Tag::Link { dest_url, .. }) = event else {
                    continue;
                };
                links += 1;
                let leads = resolved(&dest_url, &source.file, &sources).is_some();
                assert!(
                    leads || dest_url.contains(NO_PAGES),
                    "{}: {dest_url}",
                    source.file
                );
            }
        }
        assert!(links > 25, "the reader of links has gone blind: {links}");
    }

    #[test]
    fn links_go_by_where_files_lie() {
        let contract = Value::Null;
        let sources = sources(&contract);
        let from_guide = |target: &str| resolved(target, "docs/guides/php.md", &sources);
        assert_eq!(
            from_guide("widget.md#options").as_deref(),
            Some("/docs/widget#options")
        );
        assert_eq!(from_guide("../cable.md").as_deref(), Some("/docs/cable"));
        assert_eq!(from_guide("#here").as_deref(), Some("#here"));
        assert_eq!(from_guide("gone.md"), None);
        let from_root = resolved("docs/phone.md", "CHANGELOG.md", &sources);
        assert_eq!(from_root.as_deref(), Some("/docs/phone"));
    }
}
