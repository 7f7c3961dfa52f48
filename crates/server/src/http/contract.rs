//! What the description of every route shares: who may call, and the answers that follow from that.
//! A handler names only the answers that are its own.

use utoipa::{
    Modify,
    openapi::{
        Content, OpenApi, Ref, RefOr, Response,
        path::Operation,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};

/// The ways to say who calls.
pub struct Schemes;

impl Modify for Schemes {
    fn modify(&self, contract: &mut OpenApi) {
        let header = |name: &str, description: &str| {
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                name,
                description,
            )))
        };
        let components = contract.components.get_or_insert_default();
        for (name, what) in [
            ("site_token", "from application_auth"),
            ("widget_token", "from application_auth with scope widget"),
        ] {
            let mut bearer = Http::new(HttpAuthScheme::Bearer);
            bearer.bearer_format = Some("JWT".to_owned());
            bearer.description = Some(what.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(bearer));
        }
        components.add_security_scheme(
            "device_token",
            header("Authorization", "`DPoP <device_token>`"),
        );
        components.add_security_scheme(
            "device_proof",
            header("DPoP", "RFC 9449, with `digest` for the body (RFC 9530)"),
        );
    }
}

/// Adds to every operation the answers that its caller, its body and the server itself bring with
/// them. Codes of one status stand in one answer, a handler's own first.
pub fn add_common_answers(contract: &mut OpenApi) {
    for item in contract.paths.paths.values_mut() {
        let methods = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.delete,
            &mut item.patch,
        ];
        for operation in methods.into_iter().flatten() {
            for (status, codes) in common(operation) {
                add(operation, status, codes);
            }
        }
    }
}

/// Whether an operation may be called with what this scheme names.
#[must_use]
pub fn takes(operation: &Operation, scheme: &str) -> bool {
    let all = operation.security.iter().flatten();
    all.filter_map(|requirement| serde_json::to_value(requirement).ok())
        .any(|requirement| requirement.get(scheme).is_some())
}

fn common(operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let names = |scheme: &str| takes(operation, scheme);
    let reads = |media: &str| matches!(&operation.request_body, Some(RefOr::T(body)) if body.content.contains_key(media));
    let mut answers = vec![("500", "5000"), ("503", "5003")];
    if operation.parameters.is_some() {
        answers.push(("400", "1006"));
    }
    if reads("application/json") {
        answers.extend([("400", "1006"), ("408", "1006"), ("413", "1006")]);
    }
    if reads("multipart/form-data") {
        answers.extend([
            ("400", "1006"),
            ("408", "1006"),
            ("413", "1039"),
            ("415", "1038"),
            ("422", "1033, 1034, 1035 with details.reason"),
        ]);
    }
    if names("site_token") {
        answers.extend([("401", "1003, 1004, 1005"), ("403", "1010")]);
    }
    if names("device_token") {
        answers.push((
            "401",
            "1050, with details.reason `unpaired` where no such phone is paired",
        ));
    } else if names("device_proof") {
        answers.push(("401", "1050"));
    }
    answers
}

fn add(operation: &mut Operation, status: &str, codes: &str) {
    let answers = &mut operation.responses.responses;
    match answers.get_mut(status) {
        Some(RefOr::T(answer)) if answer.description.contains(codes) => {}
        Some(RefOr::T(answer)) => {
            answer.description = format!("{}; {codes}", answer.description);
        }
        Some(RefOr::Ref(_)) => {}
        None => {
            let mut answer = Response::new(codes);
            let envelope = Content::new(Some(Ref::from_schema_name("Failure")));
            answer
                .content
                .insert("application/json".to_owned(), RefOr::T(envelope));
            answers.insert(status.to_owned(), RefOr::T(answer));
        }
    }
}
