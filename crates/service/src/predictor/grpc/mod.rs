//! The Open Inference Protocol v2 over gRPC, and the health check of gRPC: the same queue, limits, tokens and counts as
//! over HTTP, at the same address.

mod messages;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use prost::Message;
use serde_json::Value;

use super::PredictorServer;
use super::admit::{Asking, turned_away};
use super::common::{SERVER_EXTENSIONS, Shared, load_model, told_index};
use super::model::Model;
use super::version::{INPUT, ready};
use crate::oip::{Call, OutputTensor};
use crate::transport::{Caller, Problem, Scope, Trace, grpc_answer, grpc_message};
use messages as m;

/// Maximum size of a message that names things and brings no items, in bytes.
const SHORT: usize = 64 << 10;

type Answer = Result<Response, Problem>;

/// Types of tensors in Triton's configuration.
const TYPE_INT64: i32 = 9;
const TYPE_FP32: i32 = 11;
const TYPE_STRING: i32 = 13;

/// The calls.
pub fn routes() -> Router<Arc<PredictorServer>> {
    let path = |method: &str| format!("/inference.GRPCInferenceService/{method}");
    Router::new()
        .route(&path("ServerLive"), post(|| async { grpc_answer(&m::Flag { value: true }) }))
        .route(&path("ServerReady"), post(server_ready))
        .route(&path("ModelReady"), post(model_ready))
        .route(&path("ServerMetadata"), post(server_metadata))
        .route(&path("ModelMetadata"), post(model_metadata))
        .route(&path("ModelConfig"), post(model_config))
        .route(&path("ModelStatistics"), post(model_statistics))
        .route(&path("ModelInfer"), post(infer))
        .route(&path("RepositoryIndex"), post(index))
        .route(&path("RepositoryModelLoad"), post(load))
        .route(&path("RepositoryModelUnload"), post(unload))
        .route("/grpc.health.v1.Health/Check", post(health))
}

/// The message of a call that brings no items.
async fn short<T: Message + Default>(
    predictor: &PredictorServer,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Problem> {
    let message = grpc_message(&predictor.bodies, caller, headers, body, SHORT).await?;
    T::decode(message.bytes.as_slice()).map_err(|error| Problem::bad_request(format!("the message: {error}")))
}

fn is_ready(predictor: &PredictorServer) -> bool {
    predictor.repository.index().iter().any(|status| status.state == "READY")
}

/// The model that a message names, with its version.
fn find(predictor: &PredictorServer, named: &m::NamedModel) -> Result<Arc<Model>, Problem> {
    ready(predictor, &named.name, Some(&named.version))
}

async fn server_ready(State(predictor): Shared) -> Response {
    grpc_answer(&m::Flag { value: is_ready(&predictor) })
}

async fn server_metadata() -> Response {
    let extensions = SERVER_EXTENSIONS.map(str::to_owned).to_vec();
    grpc_answer(&m::ServerMetadata { name: "halflight".into(), version: env!("CARGO_PKG_VERSION").into(), extensions })
}

async fn model_ready(
    State(predictor): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let named: m::NamedModel = short(&predictor, &caller, &headers, body).await?;
    Ok(grpc_answer(&m::Flag { value: find(&predictor, &named).is_ok() }))
}

async fn model_metadata(
    State(predictor): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let named: m::NamedModel = short(&predictor, &caller, &headers, body).await?;
    let model = find(&predictor, &named)?;
    let tensor = |name: &str, datatype: &str, shape: Vec<i64>| m::TensorMetadata {
        name: name.into(),
        datatype: datatype.into(),
        shape,
    };
    let (outputs, classes) = extents(&model);
    let mut versions: Vec<String> =
        predictor.repository.versions(model.name()).iter().map(|model| model.pin().to_string()).collect();
    versions.retain(|version| *version != model.pin().to_string());
    versions.insert(0, model.pin().to_string());
    Ok(grpc_answer(&m::ModelMetadata {
        name: model.name().to_owned(),
        versions,
        platform: "halflight".into(),
        inputs: vec![tensor(INPUT, "BYTES", vec![-1])],
        outputs: vec![
            tensor("output", "INT64", vec![-1, outputs]),
            tensor("probabilities", "FP32", vec![-1, classes]),
            tensor("label", "BYTES", vec![-1]),
        ],
    }))
}

async fn model_config(
    State(predictor): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let named: m::NamedModel = short(&predictor, &caller, &headers, body).await?;
    let model = find(&predictor, &named)?;
    let (outputs, classes) = extents(&model);
    let output = |name: &str, data_type: i32, dims: Vec<i64>| m::ModelOutput { name: name.into(), data_type, dims };
    let config = m::ModelConfig {
        name: model.name().to_owned(),
        platform: "halflight".into(),
        max_batch_size: 0,
        input: vec![m::ModelInput { name: INPUT.into(), data_type: TYPE_STRING, dims: vec![-1] }],
        output: vec![
            output("output", TYPE_INT64, vec![-1, outputs]),
            output("probabilities", TYPE_FP32, vec![-1, classes]),
            output("label", TYPE_STRING, vec![-1]),
        ],
        backend: "halflight".into(),
    };
    Ok(grpc_answer(&m::ModelConfigAnswer { config: Some(config) }))
}

async fn model_statistics(
    State(predictor): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let named: m::NamedModel = short(&predictor, &caller, &headers, body).await?;
    let mut names: Vec<String> = predictor.repository.index().into_iter().map(|status| status.name).collect();
    names.dedup();
    let models = match (named.name.is_empty(), named.version.is_empty()) {
        (true, _) => names.iter().flat_map(|name| predictor.repository.versions(name)).collect(),
        (false, true) => {
            find(&predictor, &named)?;
            predictor.repository.versions(&named.name)
        }
        (false, false) => vec![find(&predictor, &named)?],
    };
    let told = predictor.stats.json(&models);
    let model_stats = told["model_stats"].as_array().into_iter().flatten().map(statistics).collect();
    Ok(grpc_answer(&m::StatisticsAnswer { model_stats }))
}

/// The answer to the same request over HTTP, as a message.
fn statistics(told: &Value) -> m::ModelStatistics {
    let number = |name: &str| told[name].as_u64().unwrap_or(0);
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let time = |name: &str| {
        let of = |part: &str| told["inference_stats"][name][part].as_u64().unwrap_or(0);
        Some(m::Duration { count: of("count"), ns: of("ns") })
    };
    m::ModelStatistics {
        name: text("name"),
        version: text("version"),
        last_inference: number("last_inference"),
        inference_count: number("inference_count"),
        execution_count: number("execution_count"),
        inference_stats: Some(m::InferStatistics {
            success: time("success"),
            fail: time("fail"),
            queue: time("queue"),
            compute_input: time("compute_input"),
            compute_infer: time("compute_infer"),
            compute_output: time("compute_output"),
        }),
    }
}

/// `ModelInfer`.
async fn infer(
    State(predictor): Shared,
    Extension(caller): Extension<Caller>,
    Extension(trace): Extension<Arc<Trace>>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.require(Scope::Infer)?;
    let start = Instant::now();
    let options = &predictor.options;
    let message = grpc_message(&predictor.bodies, &caller, &headers, body, options.body).await?;
    trace.ended("read", start);
    let most = options.items;
    let read = move || Call::parse(&message.bytes, most).map_err(Problem::bad_request);
    let call = tokio::task::spawn_blocking(read).await.map_err(|error| Problem::internal(&error))??;
    let Call { model, version, request } = call;
    let found = ready(&predictor, &model, Some(&version))?;
    trace.about(found.name());
    let asking =
        Asking { predictor: &predictor, caller: &caller, trace: &trace, model: &model, version: Some(&version) };
    // Room comes before the items are looked at.
    let items = request.inputs.iter().map(|input| input.items.len()).sum::<usize>().clamp(1, predictor.queue.share());
    let room = predictor.queue.reserve(caller.source(), items).map_err(|error| {
        asking.count(&found, "turned away", items);
        turned_away(error)
    })?;
    let predicted = asking.predict(Some(room), move || Ok(request)).await?;
    let response = predicted.response;
    let wanted = response.select(&predicted.outputs, true).map_err(Problem::bad_request)?;
    let (mut outputs, mut raw) = (Vec::new(), Vec::new());
    for (tensor, _, classification) in wanted {
        let classes = classification.and_then(|most| tensor.classes(most));
        let OutputTensor { name, shape, values, .. } = classes.as_ref().unwrap_or(tensor);
        let shape = shape.iter().map(|&extent| extent as i64).collect();
        outputs.push(m::TensorMetadata { name: (*name).to_owned(), datatype: values.datatype().into(), shape });
        raw.push(values.bytes());
    }
    Ok(grpc_answer(&m::InferAnswer {
        model_name: response.model.clone(),
        model_version: response.version.clone(),
        id: response.id.clone().unwrap_or_default(),
        outputs,
        raw_output_contents: raw,
    }))
}

async fn index(State(predictor): Shared, Extension(caller): Extension<Caller>) -> Response {
    let models = told_index(&predictor, &caller).into_iter().map(|status| m::ModelIndex {
        name: status.name,
        version: status.version,
        state: status.state.into(),
        reason: status.reason,
    });
    grpc_answer(&m::RepositoryIndex { models: models.collect() })
}

async fn load(
    State(predictor): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.require(Scope::Admin)?;
    let named: m::RepositoryModel = short(&predictor, &caller, &headers, body).await?;
    load_model(&predictor, named.model_name).await?;
    Ok(grpc_answer(&m::Empty {}))
}

async fn unload(
    State(predictor): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    caller.require(Scope::Admin)?;
    let named: m::RepositoryModel = short(&predictor, &caller, &headers, body).await?;
    match predictor.repository.unload(&named.model_name) {
        true => Ok(grpc_answer(&m::Empty {})),
        false => Err(Problem::not_found("no such model")),
    }
}

/// Of the whole server where no service is named; of one it knows no more.
async fn health(
    State(predictor): Shared,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let asked: m::HealthRequest = short(&predictor, &caller, &headers, body).await?;
    if !["", "inference.GRPCInferenceService"].contains(&asked.service.as_str()) {
        return Err(Problem::not_found("there is no such service"));
    }
    Ok(grpc_answer(&m::HealthAnswer { status: if is_ready(&predictor) { 1 } else { 2 } }))
}

fn extents(model: &Model) -> (i64, i64) {
    let (outputs, classes) = model.extents();
    (outputs as i64, classes as i64)
}
