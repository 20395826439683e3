//! Rust errors as the Python exceptions of the same names, which `halflight.errors` defines.

use std::fmt::{Debug, Display};

use pyo3::prelude::*;

/// A Rust error with the name of its Python class.
pub trait Mirrored: Debug + Display {
    /// The class in `halflight.errors`.
    const CLASS: &'static str;
}

macro_rules! mirrored {
    ($($error:ty => $class:literal),* $(,)?) => {
        $(impl Mirrored for $error { const CLASS: &'static str = $class; })*
    };
}

mirrored! {
    dataset::DatasetError => "DatasetError",
    dataset::draw::DrawError => "DrawError",
    encoder::EncodeError => "EncodeError",
    dataset::FileError => "FileError",
    dataset::idx::IdxError => "FileError",
    dataset::sheet::SheetError => "DatasetError",
    dataset::import::ImportError => "FileError",
    dataset::SchemaError => "DatasetError",
    model::ModelError => "CompileError",
    model::EvaluateError => "EvaluateError",
    model::ImportError => "ImportFailed",
    model::FileError => "FileError",
    qfe::KeyError => "KeyMismatch",
    qfe::MapError => "KeyMismatch",
    qfe::VerifyError => "KeyMismatch",
    qfe::EncryptError => "EncryptError",
    qfe::EvaluateError => "PredictError",
    qfe::LogTableError => "PredictError",
    qfe::TableError => "FileError",
    qfe::WireError => "WireError",
    roles::IssueError => "KeyMismatch",
    roles::KeyMismatch => "KeyMismatch",
    roles::OwnerError => "EncryptError",
    host::files::FileError => "FileError",
    roles::keyfile::KeyFileError => "KeyFileError",
}

#[cfg(feature = "trainer")]
mirrored! {
    training::TrainError => "TrainError",
    training::MeasureError => "EvaluateError",
    training::CompileError => "CompileError",
    training::PartsError => "ImportFailed",
    leakage::AuditError => "AuditError",
    experiments::ExperimentError => "CertificateError",
}

#[cfg(feature = "batch")]
mirrored! {
    bulk::BulkError => "BatchError",
    dataset::schema::SchemaFileError => "FileError",
}

#[cfg(feature = "client")]
mirrored! { service::owner::OwnerClientError => "ClientError" }

/// Variants that hold the error of another crate.
const WRAPPERS: [&str; 8] = ["Certificate", "Encode", "Encrypt", "Evaluate", "Measure", "Model", "Noise", "Key"];

/// The Python exception of a Rust error; its `kind` is the name of the variant, the innermost one if errors are nested.
pub fn raise<E: Mirrored>(error: E) -> PyErr {
    exception(E::CLASS, &kind(&error), &error.to_string())
}

/// The same for one item of a batch, counted from 0.
pub fn raise_at<E: Mirrored>(item: usize, error: E) -> PyErr {
    exception(E::CLASS, &kind(&error), &format!("item {item}: {error}"))
}

fn kind(error: &dyn Debug) -> String {
    let debug = format!("{error:?}");
    let mut names = debug.split(|c: char| !c.is_ascii_alphanumeric()).filter(|name| !name.is_empty());
    names.find(|name| !WRAPPERS.contains(name)).unwrap_or_default().to_owned()
}

/// An exception of `halflight.errors`.
pub fn exception(class: &str, kind: &str, message: &str) -> PyErr {
    let made = Python::attach(|py| -> PyResult<PyErr> {
        let class = py.import("halflight.errors")?.getattr(class)?;
        Ok(PyErr::from_value(class.call1((message, kind))?))
    });
    made.unwrap_or_else(|error| error)
}
