//! The fields that a route takes and gives, as rows of a table.

use serde_json::Value;

use super::operation::Operation;

/// How deep objects within objects are told.
const DEEPEST: usize = 4;

/// What a route takes: in its path, query and headers, and in its body.
pub(super) fn sent(contract: &Value, operation: &Operation<'_>) -> String {
    let mut rows = String::new();
    for parameter in operation.told["parameters"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let (name, place) = (text(&parameter["name"]), text(&parameter["in"]));
        let kind = kind(contract, &parameter["schema"]);
        let told = match (
            parameter["required"] == true,
            text(&parameter["description"]),
        ) {
            (true, told) => told.to_owned(),
            (false, "") => "may be left out".to_owned(),
            (false, told) => format!("{told}; may be left out"),
        };
        rows += &format!(
            "| `{name}` in the {place} | {kind} | {} |\n",
            in_a_row(&told)
        );
    }
    let content = operation.told["requestBody"]["content"].as_object();
    for body in content.into_iter().flat_map(serde_json::Map::values) {
        list(contract, &body["schema"], "", DEEPEST, true, &mut rows);
    }
    rows
}

/// What stands in `data` of a success.
pub(super) fn answered(contract: &Value, operation: &Operation<'_>) -> String {
    let content = &operation.told["responses"]["200"]["content"]["application/json"];
    let reply = found(contract, &content["schema"]);
    let mut rows = String::new();
    list(
        contract,
        &reply["properties"]["data"],
        "",
        DEEPEST,
        false,
        &mut rows,
    );
    rows
}

/// The schema that is meant: references are followed, and of "this or null" this is taken.
pub(super) fn found<'a>(contract: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        return found(contract, &contract["components"]["schemas"][name]);
    }
    let choices = schema["oneOf"]
        .as_array()
        .or_else(|| schema["anyOf"].as_array());
    let mut real = choices
        .into_iter()
        .flatten()
        .filter(|one| one["type"] != "null");
    match (real.next(), real.next()) {
        (Some(only), None) => found(contract, only),
        _ => schema,
    }
}

fn list(
    contract: &Value,
    schema: &Value,
    under: &str,
    depth: usize,
    is_sent: bool,
    rows: &mut String,
) {
    let object = found(contract, schema);
    for choice in object["oneOf"].as_array().into_iter().flatten() {
        list(contract, choice, under, depth, is_sent, rows);
    }
    let required = |name: &str| {
        object["required"]
            .as_array()
            .is_some_and(|names| names.iter().any(|it| it == name))
    };
    for (name, field) in object["properties"].as_object().into_iter().flatten() {
        let path = format!("{under}{name}");
        let meant = found(contract, field);
        let mut told = own_description(field).to_owned();
        if is_sent && !required(name) && !told.contains("left out") {
            told += if told.is_empty() {
                "may be left out"
            } else {
                " May be left out."
            };
        }
        let row = format!(
            "| `{path}` | {} | {} |\n",
            kind(contract, field),
            in_a_row(&told)
        );
        if !rows.contains(&row) {
            *rows += &row;
        }
        if depth > 1 {
            let of_array = found(contract, &meant["items"]);
            if of_array["properties"].is_object() {
                list(
                    contract,
                    of_array,
                    &format!("{path}[]."),
                    depth - 1,
                    is_sent,
                    rows,
                );
            } else {
                list(
                    contract,
                    meant,
                    &format!("{path}."),
                    depth - 1,
                    is_sent,
                    rows,
                );
            }
        }
    }
}

/// What is said of a field where it is used, or else of its type.
fn own_description(field: &Value) -> &str {
    let choices = field["oneOf"].as_array().into_iter().flatten();
    choices
        .chain([field])
        .map(|one| text(&one["description"]))
        .find(|told| !told.is_empty())
        .unwrap_or_default()
}

/// The kind of value in words.
fn kind(contract: &Value, schema: &Value) -> String {
    let meant = found(contract, schema);
    if let Some(values) = meant["enum"].as_array() {
        let values: Vec<_> = values
            .iter()
            .map(|value| format!("`{}`", plain(value)))
            .collect();
        return values.join(", ");
    }
    if meant["const"].is_string() {
        return format!("`{}`", text(&meant["const"]));
    }
    let is_nullable = |kinds: &Value| {
        kinds
            .as_array()
            .is_some_and(|all| all.iter().any(|it| it == "null"))
    };
    let named = match &meant["type"] {
        Value::Array(all) => all.iter().find(|it| *it != "null").map_or("", text),
        one => text(one),
    };
    let mut words = match (named, text(&meant["format"])) {
        ("array", _) => format!("list of {}", kind(contract, &meant["items"])),
        ("string", "uuid") => "UUID".to_owned(),
        ("string", "date-time") => "time (RFC 3339)".to_owned(),
        ("string", "email") => "e-mail address".to_owned(),
        ("string", "binary") => "file".to_owned(),
        ("integer", _) => "number".to_owned(),
        ("boolean", _) => "true or false".to_owned(),
        ("", _) if meant["oneOf"].is_array() => "one of several".to_owned(),
        ("", _) => "any".to_owned(),
        (other, _) => other.to_owned(),
    };
    if is_nullable(&meant["type"])
        || schema["oneOf"]
            .as_array()
            .is_some_and(|all| all.iter().any(|it| it["type"] == "null"))
    {
        words += " or null";
    }
    words
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A text that may stand in a table.
fn in_a_row(told: &str) -> String {
    told.replace('\n', " ").replace('|', "\\|")
}
