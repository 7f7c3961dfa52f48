//! Attempts as a file, as many as there are: they are read while they are sent.

use std::collections::HashMap;

use axum::{
    body::Body,
    extract::State,
    http::{
        HeaderName,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::SecondsFormat;
use futures_util::stream;
use serde_json::json;
use uuid::Uuid;

use super::asked::Asked;
use crate::{
    audit::{Action, Entry},
    client,
    http::{error::ApiResult, extract::Query},
    pages::dashboard::{Access, Viewer},
    platform::{clock::Moment, csv::cell, db, state::Shared},
    sign_on::{
        SignOn,
        tracker::{self, After, Filter, Reason, STATES},
    },
};

/// Attempts read at a time.
const BATCH: u64 = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    Ndjson,
}

const NAMES: &str = "sign_on_id,client_id,email,verdict,reason,asked_at,ended_at,redeemed_at,browser,os,address,number,test\r\n";

pub(super) async fn csv(
    state: State<Shared>,
    Viewer(access): Viewer,
    asked: Query<Asked>,
) -> ApiResult<Response> {
    export(state, access, asked, Form::Csv).await
}

pub(super) async fn ndjson(
    state: State<Shared>,
    Viewer(access): Viewer,
    asked: Query<Asked>,
) -> ApiResult<Response> {
    export(state, access, asked, Form::Ndjson).await
}

/// What is still to be sent.
struct Rest {
    state: Shared,
    access: Access,
    filter: Filter,
    form: Form,
    after: Option<After>,
    is_over: bool,
}

async fn export(
    State(state): State<Shared>,
    access: Access,
    Query(asked): Query<Asked>,
    form: Form,
) -> ApiResult<Response> {
    let now = state.now();
    let filter = asked.filter(&state, &access.site, now).await?;
    let transaction = db::begin(&state.db).await?;
    Entry::new(access.site.id, Action::DataExported)
        .detail("sign-ons")
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    let (kind, ending) = match form {
        Form::Csv => ("text/csv; charset=utf-8", "csv"),
        Form::Ndjson => ("application/x-ndjson", "ndjson"),
    };
    let name = format!(
        "attachment; filename=\"sign-ons-{}.{ending}\"",
        now.format("%Y-%m-%d")
    );
    let rest = Rest {
        state,
        access,
        filter,
        form,
        after: None,
        is_over: false,
    };
    let first = if form == Form::Csv { NAMES } else { "" };
    let first = stream::iter([Ok(Bytes::from_static(first.as_bytes()))]);
    let body = futures_util::StreamExt::chain(first, stream::unfold(rest, next));
    let headers: [(HeaderName, String); 2] =
        [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// The next batch. A database that fails in the middle ends the file, cut off so that it is noticed.
async fn next(mut rest: Rest) -> Option<(Result<Bytes, std::io::Error>, Rest)> {
    if rest.is_over {
        return None;
    }
    match lines(&mut rest).await {
        Ok(text) => Some((Ok(Bytes::from(text)), rest)),
        Err(error) => {
            tracing::error!(%error, "an export was cut off");
            rest.is_over = true;
            Some((Err(std::io::Error::other("the database failed")), rest))
        }
    }
}

async fn lines(rest: &mut Rest) -> Result<String, sea_orm::DbErr> {
    let (db, site) = (&rest.state.db, &rest.access.site);
    let rows = tracker::batch(db, site.id, &rest.filter, rest.after, BATCH).await?;
    rest.is_over = (rows.len() as u64) < BATCH;
    rest.after = rows.last().map(After::of);
    let clients = client::find_all(db, site, rows.iter().map(|row| row.client_id)).await?;
    let emails: HashMap<Uuid, String> = clients
        .into_iter()
        .map(|client| (client.id, client.email))
        .collect();
    let line = |row: &SignOn| line(rest.form, row, emails.get(&row.client_id));
    Ok(rows.iter().map(line).collect())
}

fn line(form: Form, row: &SignOn, email: Option<&String>) -> String {
    let at = |moment: Moment| moment.to_rfc3339_opts(SecondsFormat::Millis, true);
    let verdict = STATES.iter().find(|(state, _)| *state == row.state);
    let verdict = verdict.map_or("", |(_, word)| word);
    let reason = Reason::of(row.failure).map(Reason::word);
    let (ended, redeemed) = (row.decided_at.map(at), row.redeemed_at.map(at));
    match form {
        Form::Ndjson => {
            let line = json!({
                "sign_on_id": row.id, "client_id": row.client_id, "email": email, "verdict": verdict,
                "reason": reason, "asked_at": at(row.created_at), "ended_at": ended,
                "redeemed_at": redeemed, "browser": row.browser, "os": row.os, "address": row.ip,
                "number": row.number.is_some(), "test": row.test_identity.is_some(),
            });
            format!("{line}\n")
        }
        Form::Csv => {
            let cells = [
                row.id.to_string(),
                row.client_id.to_string(),
                cell(email.map_or("", String::as_str)),
                verdict.to_owned(),
                reason.unwrap_or_default().to_owned(),
                at(row.created_at),
                ended.unwrap_or_default(),
                redeemed.unwrap_or_default(),
                cell(&row.browser),
                cell(&row.os),
                cell(&row.ip),
                row.number.is_some().to_string(),
                row.test_identity.is_some().to_string(),
            ];
            format!("{}\r\n", cells.join(","))
        }
    }
}
