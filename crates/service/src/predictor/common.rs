//! Code shared by REST routes and gRPC methods.

use std::sync::Arc;

use axum::extract::State;

use super::PredictorServer;
use super::repository::Status;
use crate::transport::{Caller, Problem, Scope};

/// The server, as a handler gets it.
pub(super) type Shared = State<Arc<PredictorServer>>;
/// A model and a version in an address.
pub(super) type Named = (String, String);

/// Supported extensions of the protocol.
pub(super) const SERVER_EXTENSIONS: [&str; 5] =
    ["binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics"];

/// Why a model failed names files of this machine: that is for those who may load it.
pub(super) fn told_index(predictor: &PredictorServer, caller: &Caller) -> Vec<Status> {
    let mut index = predictor.repository.index();
    if caller.require(Scope::Admin).is_err() {
        for status in index.iter_mut().filter(|status| !status.reason.is_empty()) {
            status.reason = "failed to load".into();
        }
    }
    index
}

/// Loads all versions of a model.
pub(super) async fn load_model(predictor: &Arc<PredictorServer>, name: String) -> Result<(), Problem> {
    let (shared, asked) = (Arc::clone(predictor), name.clone());
    let found = tokio::task::spawn_blocking(move || shared.repository.load(&asked)).await;
    if !found.map_err(|error| Problem::internal(&error))? {
        return Err(Problem::not_found("no such model in the folder of models"));
    }
    let mut index = predictor.repository.index().into_iter();
    match index.find(|status| status.name == name && !status.reason.is_empty()) {
        Some(status) => Err(Problem::refused(status.reason)),
        None => Ok(()),
    }
}
