//! The addresses of a predictor.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use super::PredictorServer;
use super::infer::{self, INPUT, ready};
use super::model::Model;
use super::page;
use crate::parameters::SIGNATURE_HEADER;
use crate::transport::{Caller, Problem, Scope, frame};

type Shared = State<Arc<PredictorServer>>;

/// All routes, with identification, counting and logging around them.
pub fn router(predictor: Arc<PredictorServer>) -> Router {
    let (tokens, http) = (predictor.tokens.clone(), Arc::clone(&predictor.metrics.http));
    let routes = Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi))
        .route("/v2", get(server))
        .route("/v2/health/live", get(|| async { StatusCode::OK }))
        .route("/v2/health/ready", get(server_ready))
        .route("/v2/repository/index", post(index))
        .route("/v2/repository/models/{model}/load", post(load))
        .route("/v2/repository/models/{model}/unload", post(unload))
        .route("/v2/models/{model}", get(metadata))
        .route("/v2/models/{model}/ready", get(model_ready))
        .route("/v2/models/{model}/infer", post(infer::newest))
        .route("/v2/models/{model}/versions/{version}", get(version_metadata))
        .route("/v2/models/{model}/versions/{version}/ready", get(version_ready))
        .route("/v2/models/{model}/versions/{version}/infer", post(infer::version))
        .route("/v1/models/{model}/parameters", get(parameters))
        .route("/v1/models/{model}/public-key", get(public_key))
        .route("/v1/models/{model}/audit", get(audit))
        .merge(page::routes());
    frame(routes, tokens, http).with_state(predictor)
}

/// Health, metrics and administration alone, for an address of their own.
pub fn admin_router(predictor: Arc<PredictorServer>) -> Router {
    let (tokens, http) = (predictor.tokens.clone(), Arc::clone(&predictor.metrics.http));
    let routes = Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi))
        .route("/v2/health/live", get(|| async { StatusCode::OK }))
        .route("/v2/health/ready", get(server_ready))
        .route("/v2/repository/index", post(index))
        .route("/v2/repository/models/{model}/load", post(load))
        .route("/v2/repository/models/{model}/unload", post(unload));
    frame(routes, tokens, http).with_state(predictor)
}

async fn health(State(predictor): Shared) -> Json<Value> {
    let load = predictor.queue.load();
    let index = predictor.repository.index();
    let ready = index.iter().filter(|status| status.state == "READY").count();
    Json(json!({ "status": "ok", "models": index.len(), "ready": ready, "queue": load.held }))
}

async fn metrics(State(predictor): Shared, Extension(caller): Extension<Caller>) -> Result<Response, Problem> {
    caller.require(Scope::Metrics)?;
    let text = predictor.metrics.render(predictor.queue.load(), &predictor.repository.index());
    let content = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, content)], text).into_response())
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("../../openapi/predictor.json")).into_response()
}

async fn server() -> Json<Value> {
    let extensions = ["binary_tensor_data", "model_repository"];
    Json(json!({ "name": "halflight", "version": env!("CARGO_PKG_VERSION"), "extensions": extensions }))
}

/// Ready where at least one model is.
async fn server_ready(State(predictor): Shared) -> Result<StatusCode, Problem> {
    match predictor.repository.index().iter().any(|status| status.state == "READY") {
        true => Ok(StatusCode::OK),
        false => Err(Problem::busy(5, "no model is ready")),
    }
}

/// Why a model failed names files of this machine: that is for those who may load it.
async fn index(State(predictor): Shared, Extension(caller): Extension<Caller>) -> Json<Value> {
    let mut index = predictor.repository.index();
    if caller.require(Scope::Admin).is_err() {
        for status in index.iter_mut().filter(|status| !status.reason.is_empty()) {
            status.reason = "failed to load".into();
        }
    }
    Json(json!(index))
}

async fn load(
    State(predictor): Shared,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Scope::Admin)?;
    let (shared, asked) = (Arc::clone(&predictor), name.clone());
    let found = tokio::task::spawn_blocking(move || shared.repository.load(&asked)).await;
    if !found.map_err(|error| Problem::internal(&error))? {
        return Err(Problem::not_found("no such model in the folder of models"));
    }
    let status = predictor.repository.index().into_iter().find(|status| status.name == name);
    match status.filter(|status| !status.reason.is_empty()) {
        Some(status) => Err(Problem::refused(status.reason)),
        None => Ok(StatusCode::OK),
    }
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

async fn metadata(State(predictor): Shared, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    let model = ready(&predictor, &name, None)?;
    Ok(Json(about(&model)))
}

async fn version_metadata(
    State(predictor): Shared,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let model = ready(&predictor, &name, Some(&version))?;
    Ok(Json(about(&model)))
}

async fn model_ready(State(predictor): Shared, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    ready(&predictor, &name, None).map(|_| StatusCode::OK)
}

async fn version_ready(
    State(predictor): Shared,
    Path((name, version)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    ready(&predictor, &name, Some(&version)).map(|_| StatusCode::OK)
}

async fn parameters(State(predictor): Shared, Path(name): Path<String>) -> Result<Response, Problem> {
    let model = ready(&predictor, &name, None)?;
    let signature = model.parameters_signature().map(|signature| [(SIGNATURE_HEADER, signature.to_owned())]);
    let content = [(header::CONTENT_TYPE, "application/json")];
    Ok((content, signature, model.parameters_file()).into_response())
}

async fn public_key(State(predictor): Shared, Path(name): Path<String>) -> Result<Response, Problem> {
    let model = ready(&predictor, &name, None)?;
    let bytes = model.public_key();
    let bytes = bytes.ok_or_else(|| Problem::not_found("the public key is not kept here; ask the authority for it"))?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

async fn audit(State(predictor): Shared, Path(name): Path<String>) -> Result<Response, Problem> {
    let model = ready(&predictor, &name, None)?;
    let audit = model.audit().ok_or_else(|| Problem::not_found("no signed audit is kept here; ask the authority"))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], audit).into_response())
}

fn about(model: &Model) -> Value {
    let (outputs, classes) = model.extents();
    let parameters = model.parameters();
    let tensor =
        |name: &str, datatype: &str, shape: Value| json!({ "name": name, "datatype": datatype, "shape": shape });
    json!({
        "name": model.name(),
        "versions": [model.pin()],
        "platform": "halflight",
        "inputs": [tensor(INPUT, "BYTES", json!([-1]))],
        "outputs": [
            tensor("output", "INT64", json!([-1, outputs])),
            tensor("probabilities", "FP32", json!([-1, classes])),
            tensor("label", "BYTES", json!([-1])),
        ],
        "parameters": {
            "public_key": parameters.public_key,
            "network": parameters.network,
            "classes": parameters.classes,
            "expires": model.expires(),
            "signature_required": model.options().require_signature,
            "context": model.options().context,
        },
    })
}
