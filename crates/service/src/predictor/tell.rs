//! Information about models: metadata, configuration, statistics, versions.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::PredictorServer;
use super::common::{Named, Shared};
use super::model::Model;
use super::version::{INPUT, ready};
use crate::transport::Problem;

type Told = Result<Json<Value>, Problem>;

/// Which tensors a model takes and gives.
pub async fn metadata(State(predictor): Shared, Path(name): Path<String>) -> Told {
    Ok(Json(about(&predictor, &*ready(&predictor, &name, None)?)))
}

pub async fn version_metadata(State(predictor): Shared, Path((name, version)): Path<Named>) -> Told {
    Ok(Json(about(&predictor, &*ready(&predictor, &name, Some(&version))?)))
}

pub async fn is_ready(State(predictor): Shared, Path(name): Path<String>) -> Told {
    readiness(ready(&predictor, &name, None))
}

pub async fn version_is_ready(State(predictor): Shared, Path((name, version)): Path<Named>) -> Told {
    readiness(ready(&predictor, &name, Some(&version)))
}

/// The versions that can predict, the one that is used by default first.
pub async fn versions(State(predictor): Shared, Path(name): Path<String>) -> Told {
    let model = ready(&predictor, &name, None)?;
    Ok(Json(json!({ "name": model.name(), "versions": pins(&predictor, &model) })))
}

pub async fn config(State(predictor): Shared, Path(name): Path<String>) -> Told {
    Ok(Json(configuration(&*ready(&predictor, &name, None)?)))
}

pub async fn version_config(State(predictor): Shared, Path((name, version)): Path<Named>) -> Told {
    Ok(Json(configuration(&*ready(&predictor, &name, Some(&version))?)))
}

/// Of every version of every model that can predict.
pub async fn all_statistics(State(predictor): Shared) -> Json<Value> {
    let mut names: Vec<String> = predictor.repository.index().into_iter().map(|status| status.name).collect();
    names.dedup();
    let models: Vec<_> = names.iter().flat_map(|name| predictor.repository.versions(name)).collect();
    Json(predictor.stats.json(&models))
}

pub async fn statistics(State(predictor): Shared, Path(name): Path<String>) -> Told {
    ready(&predictor, &name, None)?;
    Ok(Json(predictor.stats.json(&predictor.repository.versions(&name))))
}

pub async fn version_statistics(State(predictor): Shared, Path((name, version)): Path<Named>) -> Told {
    Ok(Json(predictor.stats.json(&[ready(&predictor, &name, Some(&version))?])))
}

fn readiness(model: Result<Arc<Model>, Problem>) -> Told {
    match model {
        Ok(model) => Ok(Json(json!({ "name": model.name(), "ready": true }))),
        Err(problem) => Err(problem.with("ready", false)),
    }
}

/// The versions of a model, this one first: clients that want one version take the first.
fn pins(predictor: &PredictorServer, model: &Model) -> Vec<String> {
    let mut pins = vec![model.pin().to_string()];
    pins.extend(predictor.repository.versions(model.name()).iter().map(|other| other.pin().to_string()));
    let mut seen = std::collections::BTreeSet::new();
    pins.retain(|pin| seen.insert(pin.clone()));
    pins
}

fn about(predictor: &PredictorServer, model: &Model) -> Value {
    let (outputs, classes) = model.extents();
    let parameters = model.parameters();
    let tensor =
        |name: &str, datatype: &str, shape: Value| json!({ "name": name, "datatype": datatype, "shape": shape });
    json!({
        "name": model.name(),
        "versions": pins(predictor, model),
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

/// As Triton's model configuration. Items are one extent of the tensors, not an additional batch.
fn configuration(model: &Model) -> Value {
    let (outputs, classes) = model.extents();
    let tensor = |name: &str, kind: &str, dims: Value| json!({ "name": name, "data_type": kind, "dims": dims });
    json!({
        "name": model.name(),
        "platform": "halflight",
        "backend": "halflight",
        "version_policy": { "all": {} },
        "max_batch_size": 0,
        "input": [tensor(INPUT, "TYPE_STRING", json!([-1]))],
        "output": [
            tensor("output", "TYPE_INT64", json!([-1, outputs])),
            tensor("probabilities", "TYPE_FP32", json!([-1, classes])),
            tensor("label", "TYPE_STRING", json!([-1])),
        ],
        "parameters": { "version": { "string_value": model.pin() } },
    })
}
