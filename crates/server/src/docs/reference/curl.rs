//! A line for a terminal that calls a route.

use serde_json::Value;

use super::{
    fields::{found, text},
    operation::{Operation, ROOT},
};

/// The line; what stands in it as `$NAME` is told by the pages.
pub(super) fn line(contract: &Value, operation: &Operation<'_>) -> String {
    let mut path = operation.path.replacen(ROOT, "$API", 1);
    if path.starts_with('/') {
        path.insert_str(0, "${API%/api/*}");
    }
    let path = path.replace(
        "{id}",
        if operation.path.contains("/device/") {
            "$DEVICE"
        } else {
            "$CLIENT"
        },
    );
    let mut parts = vec!["curl -s".to_owned()];
    if operation.method != "GET" && operation.method != "POST" {
        parts[0] += &format!(" -X {}", operation.method);
    }
    let query = operation.told["parameters"]
        .as_array()
        .into_iter()
        .flatten();
    let query: Vec<_> = query
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| {
            let name = text(&parameter["name"]);
            format!("{name}={}", value(contract, name, &parameter["schema"]))
        })
        .collect();
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{}", query.join("&"))
    };
    parts[0] += &format!(" \"{path}{query}\"");
    parts.extend(headers(operation));
    if let Some(content) = operation.told["requestBody"]["content"].as_object() {
        for (kind, body) in content {
            parts.extend(body_of(contract, kind, &body["schema"]));
        }
    } else if operation.method == "POST" {
        parts.push("-d ''".to_owned());
    }
    parts.join(" \\\n  ")
}

fn headers(operation: &Operation<'_>) -> Vec<String> {
    let takes = |name: &str| {
        let ways = operation.told["security"].as_array().into_iter().flatten();
        ways.into_iter().any(|way| way.get(name).is_some())
    };
    let mut headers = Vec::new();
    if takes("site_token") {
        headers.push("-H \"Authorization: Bearer $TOKEN\"".to_owned());
    }
    if takes("device_token") {
        headers.push("-H \"Authorization: DPoP $DEVICE_TOKEN\"".to_owned());
    }
    if takes("device_proof") {
        headers.push("-H \"DPoP: $PROOF\"".to_owned());
    }
    headers
}

fn body_of(contract: &Value, kind: &str, schema: &Value) -> Vec<String> {
    let schema = found(contract, schema);
    let fields = schema["properties"].as_object().into_iter().flatten();
    if kind.starts_with("multipart/") {
        return fields
            .filter(|(name, _)| required(schema, name))
            .map(|(name, _)| match name.as_str() {
                "facial" | "frame0" => format!("-F \"{name}=@$PHOTO\""),
                "answer" => "-F \"answer=$ANSWER\"".to_owned(),
                name => format!("-F \"{name}=$CLIENT\""),
            })
            .collect();
    }
    let wanted =
        fields.filter(|(name, _)| required(schema, name) || SHOWN.contains(&name.as_str()));
    let pairs: Vec<_> = wanted
        .map(|(name, field)| match value(contract, name, field) {
            text if text.starts_with(['{', '[']) || text == "true" || text == "false" => {
                format!("\\\"{name}\\\": {text}")
            }
            text => format!("\\\"{name}\\\": \\\"{text}\\\""),
        })
        .collect();
    vec![
        "-H \"Content-Type: application/json\"".to_owned(),
        format!("-d \"{{{}}}\"", pairs.join(", ")),
    ]
}

/// Fields that may be left out and are worth being shown.
const SHOWN: [&str; 6] = [
    "api_key",
    "secret_key",
    "scope",
    "full_name",
    "flow_type",
    "report",
];

fn required(schema: &Value, name: &str) -> bool {
    schema["required"]
        .as_array()
        .is_some_and(|names| names.iter().any(|it| it == name))
}

/// What stands for a field: a variable where the reader has their own, else an example.
fn value(contract: &Value, name: &str, field: &Value) -> String {
    let meant = found(contract, field);
    let fixed = match name {
        "id" | "client_id" => "$CLIENT",
        "device_id" => "$DEVICE",
        "api_key" => "$API_KEY",
        "secret_key" => "$SECRET_KEY",
        "verification_token" => "$VERIFICATION",
        "client_session_token" => "$SESSION",
        "enrollment_token" => "$ENROLLMENT",
        "sign_on_id" => "$SIGN_ON",
        "flow_type" => "signup",
        "scope" => "site",
        "report" => "false",
        "wait" => "25",
        "push" => "{\\\"kind\\\": \\\"none\\\"}",
        "platform" => "android",
        "name" => "Ann's phone",
        _ => "",
    };
    if !fixed.is_empty() {
        return fixed.to_owned();
    }
    match &meant["example"] {
        Value::String(example) => example.clone(),
        _ => "…".to_owned(),
    }
}
