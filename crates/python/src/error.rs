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
    training::TrainError => "TrainError",
    training::MeasureError => "EvaluateError",
    model::ModelError => "CompileError",
    training::CompileError => "CompileError",
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
    roles::keyfile::KeyFileError => "KeyFileError",
    leakage::AuditError => "AuditError",
    experiments::ExperimentError => "CertificateError",
}

/// Variants that hold the error of another crate.
const WRAPPERS: [&str; 6] = ["Certificate", "Encode", "Evaluate", "Measure", "Model", "Noise"];

/// The Python exception of a Rust error; its `kind` is the name of the variant, the innermost where errors are nested.
pub fn raise<E: Mirrored>(error: E) -> PyErr {
    let debug = format!("{error:?}");
    let mut names = debug.split(|c: char| !c.is_ascii_alphanumeric()).filter(|name| !name.is_empty());
    let kind = names.find(|name| !WRAPPERS.contains(name)).unwrap_or_default();
    exception(E::CLASS, kind, &error.to_string())
}

/// An exception of `halflight.errors`.
pub fn exception(class: &str, kind: &str, message: &str) -> PyErr {
    let made = Python::attach(|py| -> PyResult<PyErr> {
        let class = py.import("halflight.errors")?.getattr(class)?;
        Ok(PyErr::from_value(class.call1((message, kind))?))
    });
    made.unwrap_or_else(|error| error)
}
