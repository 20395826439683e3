//! The routes of an authority.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::server::{Answer, AuthorityServer, Shared};
use super::{AuthorityError, MAX_NETWORK_BYTES, keys, peer_routes, tiles};
use crate::audit;
use crate::hash::Hash;
use crate::parameters::SIGNATURE_HEADER;
use crate::transport::{BYTES, Caller, JSON, Problem, Scope, content, frame};

/// Entries of the ledger in one answer.
const PAGE: usize = 500;
/// Time for the ledger to show that it can be used.
const HEALTH: Duration = Duration::from_secs(2);
/// Scopes of callers that work with projects.
const INSIDERS: [Scope; 4] = [Scope::Ledger, Scope::Issue, Scope::Register, Scope::Admin];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewProject {
    project: String,
    network: Hash,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    reason: String,
}

/// All routes, with identification, counting and logging around them.
pub fn router(server: Arc<AuthorityServer>) -> Router {
    let (tokens, http) = (server.tokens.clone(), Arc::clone(&server.metrics.http));
    let routes = Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi))
        .route("/v1/networks", post(register))
        .route("/v1/audits", post(record_audit))
        .route("/v1/projects", get(projects).post(create))
        .route("/v1/projects/{project}", get(project))
        .route("/v1/projects/{project}/rotate", post(rotate))
        .route("/v1/projects/{project}/keys", get(keys::held).post(issue))
        .route("/v1/projects/{project}/partial-keys", post(peer_routes::issue_partial))
        .route("/v1/projects/{project}/parameters/{network}", get(parameters))
        .route("/v1/public-keys/{id}", get(public_key))
        .route("/v1/public-keys/{id}/commitments", get(peer_routes::commitments))
        .route("/v1/ledger/{after}", get(ledger))
        .route("/v1/ledger/{after}/handover", get(peer_routes::handover))
        .route("/v1/tlog/checkpoint", get(tiles::checkpoint))
        .route("/v1/tlog/tile/{level}/{*index}", get(tiles::tile))
        .route("/v1/ledger/cosigned", post(peer_routes::keep_cosigned))
        .route("/v1/witness", post(peer_routes::cosign))
        .route("/v1/witness/{ledger}", get(peer_routes::seen))
        .route("/v1/ledger/verify", post(verify))
        .route("/v1/policy/reload", post(reload));
    frame(routes, tokens, http).with_state(server)
}

/// Health, metrics and administration alone, for an address of their own.
pub fn admin_router(server: Arc<AuthorityServer>) -> Router {
    let (tokens, http) = (server.tokens.clone(), Arc::clone(&server.metrics.http));
    let routes = Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi))
        .route("/v1/ledger/verify", post(verify))
        .route("/v1/policy/reload", post(reload));
    frame(routes, tokens, http).with_state(server)
}

/// Whether the ledger answers; for those who may read it, also its last entry.
async fn health(State(server): Shared, Extension(caller): Extension<Caller>) -> Answer<Json<Value>> {
    // After the last entry there is none: the database answers, and nobody waits for a decision that takes its time.
    let asked = tokio::time::timeout(HEALTH, server.authority.ledger().after(i64::MAX)).await;
    asked.map_err(|_| Problem::busy(5, "the ledger does not answer"))?.map_err(AuthorityError::from)?;
    let mut answer = json!({ "status": "ok" });
    if caller.require_any(&INSIDERS).is_ok()
        && let Ok(state) = tokio::time::timeout(HEALTH, server.authority.state()).await
    {
        let state = state?;
        answer["ledger"] = json!(state.head());
        answer["projects"] = json!(state.projects.len());
    }
    Ok(Json(answer))
}

async fn metrics(State(server): Shared, Extension(caller): Extension<Caller>, headers: HeaderMap) -> Answer<Response> {
    caller.require(Scope::Metrics)?;
    Ok(server.metrics.answer(&server.authority, &server.tokens, &server.bodies, &headers).await)
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("../../openapi/authority.json")).into_response()
}

async fn register(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answer<(StatusCode, Json<Value>)> {
    caller.require(Scope::Register)?;
    content(&headers, &[BYTES], false)?;
    let body = server.bodies.read(&caller, &headers, body, MAX_NETWORK_BYTES).await?;
    let network = server.authority.register(body, &caller.name).await?;
    Ok((StatusCode::CREATED, Json(json!({ "network": network }))))
}

async fn record_audit(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answer<(StatusCode, Json<Value>)> {
    caller.require(Scope::Register)?;
    content(&headers, &[JSON], false)?;
    let body = server.bodies.read(&caller, &headers, body, audit::MAX_BYTES).await?;
    let recorded = server.authority.record_audit(body, &caller.name).await?;
    Ok((StatusCode::CREATED, Json(json!({ "audit": recorded }))))
}

async fn projects(State(server): Shared, Extension(caller): Extension<Caller>) -> Answer<Json<Value>> {
    caller.require_any(&INSIDERS)?;
    let state = server.authority.state().await?;
    Ok(Json(json!(state.projects.values().collect::<Vec<_>>())))
}

async fn create(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answer<(StatusCode, Json<Value>)> {
    caller.require(Scope::Admin)?;
    let new: NewProject = server.json(&caller, &headers, body).await?;
    let epoch = server.authority.create_project(&new.project, new.network, &caller.name).await?;
    Ok((StatusCode::CREATED, Json(json!(epoch))))
}

async fn project(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer<Json<Value>> {
    caller.require_any(&INSIDERS)?;
    let (epochs, public_key, networks) = {
        let state = server.authority.state().await?;
        let project = state.projects.get(&name).ok_or_else(|| Problem::not_found("there is no such project"))?;
        let public_key = project.current().public_key;
        (project.epochs.clone(), public_key, state.opened(public_key))
    };
    let mut counted = server.opened.lock().await;
    let opened = match counted.get(&public_key) {
        // Networks are opened and never closed: as many are the same.
        Some((count, opened)) if *count == networks.len() => *opened,
        _ => {
            let opened = server.authority.opened(&name).await?;
            counted.insert(public_key, (networks.len(), opened));
            opened
        }
    };
    drop(counted);
    Ok(Json(json!({ "name": name, "epochs": epochs, "opened": opened, "networks": networks })))
}

async fn rotate(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<Value>> {
    caller.require(Scope::Admin)?;
    let rotation: Rotation = server.json(&caller, &headers, body).await?;
    Ok(Json(json!(server.authority.rotate(&name, &rotation.reason, &caller.name).await?)))
}

async fn issue(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    Path(project): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer<(StatusCode, Json<Value>)> {
    server.issue(&caller, &project, &headers, body, false).await
}

async fn parameters(State(server): Shared, Path((project, network)): Path<(String, String)>) -> Answer<Response> {
    let network = network.parse().map_err(Problem::not_found)?;
    let (bytes, signature) = server.authority.parameters(&project, network).await?;
    let content = [(header::CONTENT_TYPE, "application/json")];
    Ok((content, [(SIGNATURE_HEADER, signature.to_string())], bytes).into_response())
}

async fn public_key(State(server): Shared, Path(id): Path<String>) -> Answer<Response> {
    let bytes = server.authority.public_key(id.parse().map_err(Problem::not_found)?).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// One page; if there are more entries, `Link` points to the next page.
async fn ledger(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    Path(after): Path<String>,
) -> Answer<Response> {
    caller.require(Scope::Ledger)?;
    let after: i64 = after.parse().map_err(|_| Problem::not_found("give the number of an entry, 0 for all"))?;
    let mut entries = server.authority.ledger().page(after, PAGE + 1).await.map_err(AuthorityError::from)?;
    let more = entries.len() > PAGE;
    entries.truncate(PAGE);
    let next = entries.last().filter(|_| more).map(|last| format!("</v1/ledger/{}>; rel=\"next\"", last.sequence));
    let mut response = Json(json!(entries)).into_response();
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

async fn verify(State(server): Shared, Extension(caller): Extension<Caller>) -> Answer<Json<Value>> {
    caller.require(Scope::Ledger)?;
    let head = server.authority.ledger().verify().await.map_err(AuthorityError::from)?;
    Ok(Json(json!({ "verified": head })))
}

async fn reload(State(server): Shared, Extension(caller): Extension<Caller>) -> Answer<Json<Value>> {
    caller.require(Scope::Admin)?;
    server.authority.reload_policy(&caller.name).await?;
    Ok(Json(json!({ "policy": server.authority.policy().hash() })))
}
