//! Routes for holders of shares of the same key, and for programs that combine their parts.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::AuthorityError;
use super::server::{Answer, Shared};
use crate::ledger::Handover;
use crate::ledger::note;
use crate::signature::VerifyingKey;
use crate::transport::{Caller, Problem, Scope};

/// Maximum size of a handover over HTTP, in bytes.
const MAX_HANDOVER: usize = 64 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Watched {
    ledger: VerifyingKey,
    handover: Handover,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cosigned {
    note: String,
}

/// This authority's part of a key.
pub(super) async fn issue_partial(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    Path(project): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer<(StatusCode, Json<Value>)> {
    server.issue(&caller, &project, &headers, body, true).await
}

pub(super) async fn commitments(State(server): Shared, Path(id): Path<String>) -> Answer<Response> {
    let bytes = server.authority.commitments(id.parse().map_err(Problem::not_found)?).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// The signed head and the entries after a number, for witnesses.
pub(super) async fn handover(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    Path(after): Path<String>,
) -> Answer<Json<Value>> {
    caller.require(Scope::Ledger)?;
    let after: i64 = after.parse().map_err(|_| Problem::not_found("give the number of an entry, 0 for all"))?;
    let handover = server.authority.handover(after).await?;
    let ledger = server.authority.ledger().signers().key();
    Ok(Json(json!({ "ledger": ledger, "handover": handover })))
}

/// Where another authority's ledger stood when this one cosigned it last.
pub(super) async fn seen(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    Path(ledger): Path<String>,
) -> Answer<Json<Value>> {
    caller.require(Scope::Ledger)?;
    let key = format!("ed25519:{ledger}").parse::<VerifyingKey>().map_err(Problem::not_found)?;
    Ok(Json(json!({ "head": server.authority.witnessed_of(key).await? })))
}

pub(super) async fn cosign(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<Value>> {
    caller.require(Scope::Ledger)?;
    let Watched { ledger, handover } = server.json_of(&caller, &headers, body, MAX_HANDOVER).await?;
    let (head, note) = server.authority.cosign(ledger, handover).await?;
    Ok(Json(json!({ "head": head, "note": note })))
}

pub(super) async fn keep_cosigned(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<Value>> {
    caller.require(Scope::Ledger)?;
    let Cosigned { note } = server.json_of(&caller, &headers, body, 2 * note::MAX_BYTES).await?;
    match server.authority.keep_cosigned(&note).await {
        Ok((head, witnesses)) => Ok(Json(json!({ "head": head, "witnesses": witnesses }))),
        Err(AuthorityError::Ledger(crate::ledger::LedgerError::Checkpoint(problem))) => Err(Problem::refused(problem)),
        Err(error) => Err(error.into()),
    }
}
