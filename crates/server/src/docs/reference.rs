//! The API's reference as Markdown, made from its contract.

mod curl;
mod fields;
mod operation;

use serde_json::Value;

use self::operation::{Operation, operations};
use crate::platform::code::Code;

/// The tags of the contract, each a page: slug, tag, title, and what the page is of.
const PAGES: [(&str, &str, &str, &str); 4] = [
    (
        "api-tokens",
        "site",
        "API: tokens",
        "Your backend signs itself in with its keys and gets the token that every other route takes.",
    ),
    (
        "api-clients",
        "client",
        "API: clients",
        "The people your site knows: make them known, pair their phones, ask them to sign on, unlock and erase them.",
    ),
    (
        "api-sign-ons",
        "login",
        "API: sign-ons",
        "Your backend's half of a sign-on: find the person, ask their phone, hear how it went, redeem the proof.",
    ),
    (
        "api-phones",
        "phone",
        "API: phones",
        "What a phone calls. Each request is signed by the key that was paired; your site's backend calls none of it.",
    ),
];

/// What is said before the list of all routes.
const OVERVIEW: &str = include_str!("../../../../docs/guides/api.md");

/// The page whose sections explain the codes.
const CODES: &str = "codes.md";

/// The pages of the reference: slug and Markdown.
pub(super) fn pages(contract: &Value) -> Vec<(&'static str, String)> {
    let mut pages = vec![("api", overview(contract))];
    for (slug, tag, title, what) in PAGES {
        let mut text = format!("# {title}\n\n{what}\n\n{}", before(tag));
        for operation in operations(contract, tag) {
            text += &described(contract, &operation);
        }
        pages.push((slug, text));
    }
    pages
}

fn before(tag: &str) -> &'static str {
    match tag {
        "phone" => {
            "Each request carries `DPoP: <proof>` and, once paired, `Authorization: DPoP <device_token>`. The lines \
             below have no proof of yours, so they show the shape and are answered 1050; `axiam phone` is a phone that \
             has one, and [the phone app](../phone.md) another.\n\n"
        }
        _ => "The lines below run as they stand once [their variables](api.md#try-it) are set.\n\n",
    }
}

fn described(contract: &Value, operation: &Operation<'_>) -> String {
    let mut text = format!("## {}\n\n{}.", operation.name(), operation.summary());
    if let Some(more) = operation.told["description"].as_str() {
        text += &format!("\n\n{more}");
    }
    text += &format!(
        "\n\n{}\n\n```sh\n{}\n```\n\n",
        operation.token(),
        curl::line(contract, operation)
    );
    let sent = fields::sent(contract, operation);
    if !sent.is_empty() {
        text += &format!("| sent | type | |\n| --- | --- | --- |\n{sent}\n");
    }
    let answered = fields::answered(contract, operation);
    if !answered.is_empty() {
        text += &format!("| in `data` | type | |\n| --- | --- | --- |\n{answered}\n");
    }
    text + &failures(operation)
}

/// The answers that are none of success, each code a link to what it means.
fn failures(operation: &Operation<'_>) -> String {
    let mut rows = String::new();
    for (status, answer) in operation.told["responses"]
        .as_object()
        .into_iter()
        .flatten()
    {
        if let Some(told) = answer["description"]
            .as_str()
            .filter(|_| !status.starts_with('2'))
        {
            rows += &format!("| {status} | {} |\n", with_links(told));
        }
    }
    if rows.is_empty() {
        rows
    } else {
        format!("| status | codes |\n| --- | --- |\n{rows}\n")
    }
}

/// A text whose codes are links.
fn with_links(told: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for sign in told.chars().chain(['\n']) {
        if sign.is_ascii_digit() {
            digits.push(sign);
            continue;
        }
        let known = Code::ALL
            .iter()
            .find(|code| code.number().to_string() == digits);
        out += &known.map_or_else(
            || digits.clone(),
            |code| format!("[{digits}]({CODES}#{digits}) `{}`", code.slug()),
        );
        digits.clear();
        out.push(sign);
    }
    out.trim_end().to_owned()
}

fn overview(contract: &Value) -> String {
    let mut text = format!("{OVERVIEW}\n## All routes\n\n| route | |\n| --- | --- |\n");
    for (slug, tag, _, _) in PAGES {
        for operation in operations(contract, tag) {
            let (name, id) = (operation.name(), operation.id());
            text += &format!("| [`{name}`]({slug}.md#{id}) | {} |\n", operation.summary());
        }
    }
    text
}
