//! Which version of a model a request is for.

use std::sync::Arc;

use axum::http::StatusCode;

use super::PredictorServer;
use super::model::Model;
use crate::clock;
use crate::transport::Problem;

/// The name of the one input.
pub const INPUT: &str = "ciphertext";

/// The model, if it is ready, has this version and has not expired.
pub fn ready(predictor: &PredictorServer, name: &str, version: Option<&str>) -> Result<Arc<Model>, Problem> {
    let missing = |what: String| Problem::not_found(format!("{what}; POST /v2/repository/index lists the models"));
    let version = version.filter(|version| !version.is_empty());
    let newest = predictor.repository.get(name);
    let newest = newest.ok_or_else(|| missing("no such model is ready here".into()))?;
    let model = match version {
        None => newest,
        Some(version) => predictor.repository.version(name, version).ok_or_else(|| {
            let versions = predictor.repository.versions(name);
            let pins: Vec<String> = versions.iter().map(|model| model.pin().to_string()).collect();
            missing(format!("this model's version is {}", pins.join(" or ")))
        })?,
    };
    valid(model)
}

/// The model, if its key has not expired.
pub fn valid(model: Arc<Model>) -> Result<Arc<Model>, Problem> {
    let expired = model.admission().check_expiry(clock::now());
    expired.map_err(|expired| Problem::new(StatusCode::GONE, expired.to_string()))?;
    Ok(model)
}
