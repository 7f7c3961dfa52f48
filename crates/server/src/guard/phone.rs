//! Device proofs: the body is read here, because the proof covers it.

use axum::{
    body::Body,
    extract::{FromRequest, OriginalUri, Request},
    http::{
        HeaderMap,
        header::{AUTHORIZATION, CONTENT_TYPE, HOST},
        request::Parts,
    },
};
use bytes::Bytes;

use crate::{
    device::{self, Call, Device, ProofError},
    error::{ApiError, ApiResult},
    extract::{self, FORM_LIMIT, Form, JSON_LIMIT, Room},
    request::body_too_large,
    state::{Shared, State},
};

/// A request signed by some key: a phone that is not paired yet.
pub struct KeyProof {
    /// The key's thumbprint.
    pub thumbprint: String,
    /// The body that was signed.
    pub body: Bytes,
}

/// A request signed by a paired phone.
pub struct DeviceProof {
    /// The phone.
    pub device: Device,
    /// The body that was signed.
    pub body: Bytes,
    headers: HeaderMap,
    _room: Option<Room>,
}

impl DeviceProof {
    /// The body as a multipart form.
    ///
    /// # Errors
    /// 1006 for a broken form, 1039 for a part that is too large.
    pub async fn form(&self) -> ApiResult<Form> {
        Form::parse(&self.headers, self.body.clone()).await
    }
}

impl FromRequest<Shared> for KeyProof {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let proof = header(&parts.headers, "dpop")?;
        let body = extract::read(body, JSON_LIMIT, || body_too_large(JSON_LIMIT)).await?;
        let origins = origins(state, &parts.headers);
        let call = call(&parts, &origins, None, &body)?;
        let proof = device::prove(state, proof, &call).await?;
        Ok(Self {
            thumbprint: proof.thumbprint,
            body,
        })
    }
}

impl FromRequest<Shared> for DeviceProof {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        // Both are looked for before the body is read: a stranger gets no memory.
        let proof = header(&parts.headers, "dpop")?;
        let token = device_token(&parts.headers)?;
        let (body, room) = read_body(state, &parts.headers, body).await?;
        let origins = origins(state, &parts.headers);
        let call = call(&parts, &origins, Some(token), &body)?;
        let device = device::admit(state, proof, &call, token).await?;
        Ok(Self {
            device,
            body,
            headers: parts.headers,
            _room: room,
        })
    }
}

async fn read_body(
    state: &State,
    headers: &HeaderMap,
    body: Body,
) -> ApiResult<(Bytes, Option<Room>)> {
    let is_form = headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"multipart/"));
    if !is_form {
        let body = extract::read(body, JSON_LIMIT, || body_too_large(JSON_LIMIT)).await?;
        return Ok((body, None));
    }
    let room = extract::room(&state.uploads, headers, FORM_LIMIT)?;
    let body = extract::read(body, FORM_LIMIT, extract::image_too_large).await?;
    Ok((body, Some(room)))
}

fn call<'c>(
    parts: &'c Parts,
    origins: &'c [String],
    token: Option<&'c str>,
    body: &'c [u8],
) -> Result<Call<'c>, ProofError> {
    let digest = match parts.headers.contains_key("content-digest") {
        true => Some(header(&parts.headers, "content-digest")?),
        false => None,
    };
    let called = parts
        .extensions
        .get::<OriginalUri>()
        .map_or(&parts.uri, |original| &original.0);
    Ok(Call {
        method: parts.method.as_str(),
        origins,
        // The path as called, not what nesting has left of it.
        path: called.path(),
        token,
        content_digest: digest,
        body,
    })
}

/// Exactly one header of this name.
fn header<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, ProofError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| ProofError::Missing),
        _ => Err(ProofError::Missing),
    }
}

fn device_token(headers: &HeaderMap) -> Result<&str, ProofError> {
    let text = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .ok_or(ProofError::Token)?;
    match text.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("dpop") => Ok(token.trim()),
        _ => Err(ProofError::Token),
    }
}

/// Where this server may be called: its public address, and while none is set, whatever address
/// the phone used. A proof made for one server is then worth nothing at another.
fn origins(state: &State, headers: &HeaderMap) -> Vec<String> {
    let mut origins = vec![state.settings.public_url()];
    if state.settings.server.public_url.is_empty()
        && let Some(host) = headers.get(HOST).and_then(|value| value.to_str().ok())
    {
        origins.push(format!("http://{host}"));
    }
    origins
}
