//! The routes of a predictor.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use super::PredictorServer;
use super::common::{Named, SERVER_EXTENSIONS, Shared, load_model, told_index};
use super::infer;
use super::model::Model;
use super::version::ready;
use super::{grpc, page, tell};
use crate::parameters::SIGNATURE_HEADER;
use crate::transport::{Caller, Problem, Scope, frame};

/// All routes, with identification, counting and logging around them.
pub fn router(predictor: Arc<PredictorServer>) -> Router {
    let (tokens, http) = (predictor.tokens.clone(), Arc::clone(&predictor.metrics.http));
    let routes = common()
        .route("/v2", get(server))
        .route("/v2/models/stats", get(tell::all_statistics))
        .route("/v2/models/{model}", get(tell::metadata))
        .route("/v2/models/{model}/ready", get(tell::is_ready))
        .route("/v2/models/{model}/config", get(tell::config))
        .route("/v2/models/{model}/stats", get(tell::statistics))
        .route("/v2/models/{model}/infer", post(infer::newest))
        .route("/v2/models/{model}/versions", get(tell::versions))
        .route("/v2/models/{model}/versions/{version}", get(tell::version_metadata))
        .route("/v2/models/{model}/versions/{version}/ready", get(tell::version_is_ready))
        .route("/v2/models/{model}/versions/{version}/config", get(tell::version_config))
        .route("/v2/models/{model}/versions/{version}/stats", get(tell::version_statistics))
        .route("/v2/models/{model}/versions/{version}/infer", post(infer::version))
        .route("/v1/models/{model}/parameters", get(parameters))
        .route("/v1/models/{model}/public-key", get(public_key))
        .route("/v1/models/{model}/audit", get(audit))
        .route("/v1/models/{model}/versions/{version}/parameters", get(version_parameters))
        .route("/v1/models/{model}/versions/{version}/public-key", get(version_public_key))
        .route("/v1/models/{model}/versions/{version}/audit", get(version_audit))
        .merge(page::routes())
        .merge(grpc::routes());
    frame(routes, tokens, http).with_state(predictor)
}

/// The routes that both addresses have.
fn common() -> Router<Arc<PredictorServer>> {
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi))
        .route("/v2/health/live", get(|| async { Json(json!({ "live": true })) }))
        .route("/v2/health/ready", get(server_ready))
        .route("/v2/repository/index", post(index))
        .route("/v2/repository/models/{model}/load", post(load))
        .route("/v2/repository/models/{model}/unload", post(unload))
}

/// Health, metrics and administration alone, for an address of their own.
pub fn admin_router(predictor: Arc<PredictorServer>) -> Router {
    let (tokens, http) = (predictor.tokens.clone(), Arc::clone(&predictor.metrics.http));
    frame(common(), tokens, http).with_state(predictor)
}

async fn health(State(predictor): Shared) -> Json<Value> {
    let load = predictor.queue.load();
    let index = predictor.repository.index();
    let ready = index.iter().filter(|status| status.state == "READY").count();
    Json(json!({ "status": "ok", "models": index.len(), "ready": ready, "queue": load.held }))
}

async fn metrics(
    State(predictor): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Metrics)?;
    Ok(predictor.metrics.answer(&predictor, &headers))
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("../../openapi/predictor.json")).into_response()
}

async fn server() -> Json<Value> {
    Json(json!({ "name": "halflight", "version": env!("CARGO_PKG_VERSION"), "extensions": SERVER_EXTENSIONS }))
}

/// Ready where at least one model is.
async fn server_ready(State(predictor): Shared) -> Result<Json<Value>, Problem> {
    match predictor.repository.index().iter().any(|status| status.state == "READY") {
        true => Ok(Json(json!({ "ready": true }))),
        false => Err(Problem::busy(5, "no model is ready").with("ready", false)),
    }
}

async fn index(State(predictor): Shared, Extension(caller): Extension<Caller>) -> Json<Value> {
    Json(json!(told_index(&predictor, &caller)))
}

async fn load(
    State(predictor): Shared,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Scope::Admin)?;
    load_model(&predictor, name).await.map(|()| StatusCode::OK)
}

async fn unload(
    State(predictor): Shared,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Scope::Admin)?;
    match predictor.repository.unload(&name) {
        true => Ok(StatusCode::OK),
        false => Err(Problem::not_found("no such model")),
    }
}

async fn parameters(State(predictor): Shared, Path(name): Path<String>) -> Result<Response, Problem> {
    Ok(parameters_of(&*ready(&predictor, &name, None)?))
}

async fn version_parameters(State(predictor): Shared, Path(named): Path<Named>) -> Result<Response, Problem> {
    Ok(parameters_of(&*ready(&predictor, &named.0, Some(&named.1))?))
}

async fn public_key(State(predictor): Shared, Path(name): Path<String>) -> Result<Response, Problem> {
    public_key_of(&*ready(&predictor, &name, None)?)
}

async fn version_public_key(State(predictor): Shared, Path(named): Path<Named>) -> Result<Response, Problem> {
    public_key_of(&*ready(&predictor, &named.0, Some(&named.1))?)
}

async fn audit(State(predictor): Shared, Path(name): Path<String>) -> Result<Response, Problem> {
    audit_of(&*ready(&predictor, &name, None)?)
}

async fn version_audit(State(predictor): Shared, Path(named): Path<Named>) -> Result<Response, Problem> {
    audit_of(&*ready(&predictor, &named.0, Some(&named.1))?)
}

fn parameters_of(model: &Model) -> Response {
    let signature = model.parameters_signature().map(|signature| [(SIGNATURE_HEADER, signature.to_owned())]);
    let content = [(header::CONTENT_TYPE, "application/json")];
    (content, signature, model.parameters_file()).into_response()
}

fn public_key_of(model: &Model) -> Result<Response, Problem> {
    let bytes = model.public_key();
    let bytes =
        bytes.ok_or_else(|| Problem::not_found("the public key is not stored here; ask the authority for it"))?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

fn audit_of(model: &Model) -> Result<Response, Problem> {
    let audit = model.audit().ok_or_else(|| Problem::not_found("no signed audit is stored here; ask the authority"))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], audit).into_response())
}
