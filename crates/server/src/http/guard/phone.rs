//! Device proofs: the body is read here, because the proof covers it.

use std::sync::PoisonError;

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, OriginalUri, Request},
    http::{
        HeaderMap,
        header::{AUTHORIZATION, CONTENT_TYPE, HOST, SEC_WEBSOCKET_PROTOCOL},
        request::Parts,
    },
};
use bytes::Bytes;

use crate::{
    audit::{self, Action, Actor, Entry},
    device::{self, Call, Device, Proof, ProofError},
    http::{
        error::{ApiError, ApiResult, Code},
        extract::{self, FORM_LIMIT, Form, JSON_LIMIT},
        request::{ClientIp, body_too_large},
    },
    limit::{self, Rule},
    platform::{
        notices,
        shares::Holder,
        state::{Shared, State},
    },
    site::Site,
};

/// A request signed by some key: a phone that is not paired yet.
pub struct KeyProof {
    /// Thumbprint of the key that signed (RFC 7638), base64url.
    pub thumbprint: String,
    /// The body that was signed.
    pub body: Bytes,
}

/// A request signed by a paired phone.
pub struct DeviceProof {
    /// The phone whose key signed the request.
    pub device: Device,
    /// The site that it is paired with, which is not switched off.
    pub site: Site,
    /// The body that was signed.
    pub body: Bytes,
    headers: HeaderMap,
}

impl DeviceProof {
    /// The body as a multipart form.
    ///
    /// # Errors
    /// 1006 for a broken form, 1039 for a part that is too large.
    pub fn form(&self) -> ApiResult<Form> {
        Form::parse(&self.headers, &self.body)
    }

    /// Lets through only a phone that is the person's beyond doubt, for what concerns more than itself.
    ///
    /// # Errors
    /// 1010 for one that waits to be confirmed, or on which the person's face was not matched yet.
    pub fn only_trusted(&self) -> ApiResult<()> {
        if self.device.is_trusted() {
            return Ok(());
        }
        let text =
            "this phone waits to be confirmed, or its person's face was not matched on it yet";
        Err(ApiError::new(Code::ScopeForbidden, text))
    }
}

impl FromRequest<Shared> for KeyProof {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let caller = ClientIp::from_request_parts(&mut parts, state).await?;
        let origins = origins(state, &parts.headers);
        let proof = header(&parts.headers, "dpop")?;
        let call = call(&parts, &origins, None);
        let checked = Proof::check(proof, &call, state.now());
        let proof = called(state, checked).await?;
        let body = extract::read(body, JSON_LIMIT, || body_too_large(JSON_LIMIT)).await?;
        proof.covers(content_digest(&parts.headers)?, &body)?;
        // Anyone can make keys: the limit comes before a row is written.
        let subject = format!("key {}", caller.network());
        limit::check(state, Rule::Other, subject).await?;
        device::spend(state, &proof, None).await?;
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
        let origins = origins(state, &parts.headers);
        let proof = header(&parts.headers, "dpop")?;
        let token = device_token(&parts.headers)?;
        // The device is known before its body is read: a stranger gets no memory.
        let call = call(&parts, &origins, Some(token));
        let recognised = device::recognise(state, proof, &call, token).await;
        let (device, site, proof) = called(state, recognised).await?;
        let holders = [Holder::Device(device.id), Holder::Site(site.id)];
        let body = read_body(state, &holders, &parts.headers, body).await?;
        let digest = content_digest(&parts.headers)?;
        let spent = match proof.covers(digest, &body) {
            Ok(()) => device::spend(state, &proof, Some(&device)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = spent {
            refused(state, &device, &error).await;
            return Err(error.into());
        }
        audit::proven(Actor::Device(device.id), site.id);
        Ok(Self {
            device,
            site,
            body,
            headers: parts.headers,
        })
    }
}

/// Records that a phone's proof is none of what was sent: someone may have it who should not.
async fn refused(state: &State, device: &Device, error: &ProofError) {
    if !matches!(error, ProofError::Database(_)) {
        let entry = Entry::new(device.site_id, Action::ProofRefused)
            .client(device.client_id)
            .device(device.id)
            .detail(error.to_string());
        limit::record_refusal(state, entry, device.id).await;
    }
}

/// The phone behind a WebSocket, if it is one. Its proof is for `GET` and the address without query,
/// in the headers of any other call, or where a browser lets no headers be set, in the
/// subprotocols `axiam-device.<device_token>` and `axiam-proof.<proof>`.
pub struct PhoneSocket(pub Option<Device>);

impl FromRequestParts<Shared> for PhoneSocket {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let offers = || {
            let headers = parts.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
            headers
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
        };
        let offered = |prefix: &str| offers().find_map(|offer| offer.trim().strip_prefix(prefix));
        let (proof, token) = match (offered("axiam-proof."), offered("axiam-device.")) {
            (Some(proof), Some(token)) => (proof, token),
            (None, None) if !parts.headers.contains_key("dpop") => return Ok(Self(None)),
            (None, None) => (
                header(&parts.headers, "dpop")?,
                device_token(&parts.headers)?,
            ),
            _ => return Err(ProofError::Missing.into()),
        };
        let origins = origins(state, &parts.headers);
        let call = call(parts, &origins, Some(token));
        let recognised = device::recognise(state, proof, &call, token).await;
        let (device, _, proof) = called(state, recognised).await?;
        proof.covers(None, &[])?;
        device::spend(state, &proof, Some(&device)).await?;
        Ok(Self(Some(device)))
    }
}

/// Passes on what came of a proof. One that was made for another address than this server's may be an
/// attack, or `server.public_url` may be forgotten: the operator is told, once for each of a few.
async fn called<T>(state: &State, outcome: Result<T, ProofError>) -> Result<T, ProofError> {
    const MOST: usize = 8;
    if let Err(ProofError::Elsewhere(origin)) = &outcome {
        let is_new = {
            let mut known = state.called.lock().unwrap_or_else(PoisonError::into_inner);
            known.len() < MOST && known.insert(origin.clone())
        };
        if is_new {
            let ours = state.settings.public_url();
            tracing::warn!(
                "a phone signed a request for {origin}, and this server goes by {ours}, so it was refused (1050): if \
                 phones do reach it at {origin}, set server.public_url to that"
            );
            let name = notices::CALLED_ELSEWHERE;
            if let Err(error) = notices::put(&state.db, name, origin.clone(), state.now()).await {
                tracing::debug!(%error, "cannot be noted for doctor");
            }
        }
    }
    outcome
}

async fn read_body(
    state: &State,
    holders: &[Holder],
    headers: &HeaderMap,
    body: Body,
) -> ApiResult<Bytes> {
    let is_form = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.to_ascii_lowercase().starts_with("multipart/"));
    if is_form {
        extract::upload(&state.uploads, holders, headers, body, FORM_LIMIT).await
    } else {
        extract::read(body, JSON_LIMIT, || body_too_large(JSON_LIMIT)).await
    }
}

fn call<'c>(parts: &'c Parts, origins: &'c [String], token: Option<&'c str>) -> Call<'c> {
    // The path as called, not what nesting has left of it.
    let called = parts
        .extensions
        .get::<OriginalUri>()
        .map_or(&parts.uri, |original| &original.0);
    Call {
        method: parts.method.as_str(),
        origins,
        path: called.path(),
        token,
    }
}

fn content_digest(headers: &HeaderMap) -> Result<Option<&str>, ProofError> {
    headers
        .contains_key("content-digest")
        .then(|| header(headers, "content-digest"))
        .transpose()
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
    let text = header(headers, AUTHORIZATION.as_str()).map_err(|_| ProofError::NoToken)?;
    match text.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("dpop") => Ok(token.trim()),
        _ => Err(ProofError::NoToken),
    }
}

/// Where this server may be called: its public address, and while none is set, the address that it listens
/// on, under any name of this machine. A proof made for another server is worth nothing here.
fn origins(state: &State, headers: &HeaderMap) -> Vec<String> {
    let mut origins = vec![state.settings.public_url()];
    if let Some(host) = headers.get(HOST).and_then(|value| value.to_str().ok())
        && state.settings.is_here(host)
    {
        origins.push(format!("http://{host}"));
    }
    origins
}
