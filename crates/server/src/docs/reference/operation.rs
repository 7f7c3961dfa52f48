//! A route as the contract describes it.

use serde_json::{Map, Value};

/// Where the routes of the contract lie.
pub(super) const ROOT: &str = "/api/v1/facial_sign_on";

/// A route with its method and its description.
pub(super) struct Operation<'a> {
    pub(super) method: String,
    pub(super) path: &'a str,
    pub(super) told: &'a Value,
}

/// The operations of a tag, in the contract's order.
pub(super) fn operations<'a>(contract: &'a Value, tag: &str) -> Vec<Operation<'a>> {
    let mut found = Vec::new();
    for (path, item) in contract["paths"].as_object().into_iter().flatten() {
        for (method, told) in item.as_object().into_iter().flatten() {
            if told["tags"][0] == *tag {
                let method = method.to_uppercase();
                found.push(Operation { method, path, told });
            }
        }
    }
    found
}

impl Operation<'_> {
    /// As headings name it, without what all routes begin with.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.route())
    }

    fn route(&self) -> &str {
        self.path.strip_prefix(ROOT).unwrap_or(self.path)
    }

    /// What links name it by, as the renderer makes it.
    pub(super) fn id(&self) -> String {
        let mut id = String::new();
        for sign in self.name().chars() {
            if sign.is_alphanumeric() || sign == '_' {
                id.extend(sign.to_lowercase());
            } else if !id.ends_with('-') {
                id.push('-');
            }
        }
        id.trim_end_matches('-').to_owned()
    }

    pub(super) fn summary(&self) -> &str {
        self.told["summary"].as_str().unwrap_or_default()
    }

    pub(super) fn token(&self) -> String {
        let mut names = Vec::new();
        for way in self.told["security"].as_array().into_iter().flatten() {
            for name in way.as_object().into_iter().flat_map(Map::keys) {
                names.push(match name.as_str() {
                    "site_token" => "the site's token",
                    "widget_token" => "a widget's token",
                    "device_proof" => "a phone's proof",
                    "device_token" => "its device token",
                    other => other,
                });
            }
        }
        match names.as_slice() {
            [] => "Takes no token.".to_owned(),
            names if names.contains(&"its device token") => {
                format!("Takes {}.", names.join(" and "))
            }
            names => format!("Takes {}.", names.join(" or ")),
        }
    }
}
