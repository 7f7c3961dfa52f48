//! Which files are guides, and in which order they are read.

/// A file of the repository that is shown as a page.
pub(super) struct Guide {
    /// Its address below `/docs/`.
    pub(super) slug: &'static str,
    /// Where it lies in the repository; links between guides go by it.
    pub(super) file: &'static str,
    /// Its Markdown.
    pub(super) text: &'static str,
}

/// What the navigation shows under one heading.
pub(super) struct Shelf {
    /// The heading.
    pub(super) name: &'static str,
    /// The guides under it, in their order.
    pub(super) guides: &'static [Guide],
}

macro_rules! guide {
    ($slug:literal) => {
        guide!($slug, concat!("docs/guides/", $slug, ".md"))
    };
    ($slug:literal, $file:expr) => {
        Guide {
            slug: $slug,
            file: $file,
            text: include_str!(concat!("../../../../", $file)),
        }
    };
}

/// The shelf that begins with the API's reference, which is made from the contract.
pub(super) const REFERENCE: &str = "API reference";

/// The shelves, in their order.
pub(super) const SHELVES: &[Shelf] = &[
    Shelf {
        name: "Getting started",
        guides: &[
            guide!("php"),
            guide!("node"),
            guide!("ruby"),
            guide!("python"),
        ],
    },
    Shelf {
        name: "In your site",
        guides: &[
            guide!("widget"),
            guide!("enrolment"),
            guide!("cable", "docs/cable.md"),
            guide!("verification-tokens"),
            guide!("cross-device"),
            guide!("heic"),
            guide!("several-sites"),
            guide!("webhooks"),
            guide!("testing"),
            guide!("liveness", "docs/liveness.md"),
            guide!("moving"),
        ],
    },
    Shelf {
        name: REFERENCE,
        guides: &[guide!("codes")],
    },
    Shelf {
        name: "Running it",
        guides: &[
            guide!("dashboard"),
            guide!("production"),
            guide!("compliance"),
            guide!("security", "SECURITY.md"),
            guide!("threats", "docs/threats.md"),
            guide!("requirements", "docs/requirements.md"),
            guide!("credentials", "docs/credentials.md"),
            guide!("phone", "docs/phone.md"),
            guide!("erasure", "docs/erasure.md"),
            guide!("audit", "docs/audit.md"),
            guide!("retention", "docs/retention.md"),
            guide!("operations", "docs/operations.md"),
            guide!("packs", "docs/packs.md"),
            guide!("changelog", "CHANGELOG.md"),
        ],
    },
];
