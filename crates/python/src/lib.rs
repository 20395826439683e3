//! The native half of the Python package `halflight`: data, networks, keys and audits as Python classes.
//!
//! It is thin: numpy arrays in, one call of the Rust library, numpy arrays out. The Python half
//! (`core/python/halflight`) adds names, defaults, documentation and the scikit-learn conventions. Long calls
//! run with the interpreter unlocked and report to a callback; every Rust error becomes the Python
//! exception of the same name.

mod arrays;
#[cfg(feature = "batch")]
mod arrow;
#[cfg(feature = "trainer")]
mod audit;
#[cfg(feature = "batch")]
mod batch;
#[cfg(feature = "trainer")]
mod certificate;
mod cipher;
#[cfg(feature = "client")]
mod client;
mod compiled;
mod data;
mod encoder;
mod error;
mod files;
mod keys;
#[cfg(feature = "trainer")]
mod network;
mod options;
mod pool;
mod progress;
mod table;
mod tables;

use pyo3::prelude::*;

/// The parts that a smaller build leaves out.
#[cfg(not(all(feature = "batch", feature = "client", feature = "trainer")))]
#[pyfunction]
#[pyo3(name = "__getattr__")]
fn absent(name: &str) -> PyResult<()> {
    const TRAINER: [&str; 11] = [
        "Network",
        "train",
        "compile",
        "audit",
        "attack",
        "families",
        "decensoring",
        "certify",
        "defences",
        "best_scales",
        "AuditReport",
    ];
    let part = match name {
        _ if TRAINER.contains(&name) && !cfg!(feature = "trainer") => "trainer and no attackers",
        "Client" if !cfg!(feature = "client") => "client",
        "Scoring" | "Encryption" if !cfg!(feature = "batch") => "batches of engines",
        _ => return Err(pyo3::exceptions::PyAttributeError::new_err(format!("there is no `{name}`"))),
    };
    let message = format!("`{name}`: this is halflight-core, which has no {part}: pip install halflight instead");
    Err(pyo3::exceptions::PyImportError::new_err(message))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<data::Dataset>()?;
    module.add_class::<encoder::Encoder>()?;
    module.add_class::<compiled::CompiledNetwork>()?;
    module.add_class::<keys::Authority>()?;
    module.add_class::<keys::Parameters>()?;
    module.add_class::<keys::FunctionalKey>()?;
    module.add_class::<cipher::Ciphertext>()?;
    module.add_class::<cipher::Predictor>()?;
    module.add_function(wrap_pyfunction!(pool::forked, module)?)?;
    module.add_function(wrap_pyfunction!(pool::running, module)?)?;
    module.add_function(wrap_pyfunction!(table::read_table, module)?)?;
    module.add_function(wrap_pyfunction!(files::write_file, module)?)?;
    module.add_function(wrap_pyfunction!(data::draw, module)?)?;
    module.add_function(wrap_pyfunction!(data::handwriting, module)?)?;
    module.add_function(wrap_pyfunction!(data::read_idx, module)?)?;
    module.add_function(wrap_pyfunction!(cipher::encrypt, module)?)?;
    module.add_function(wrap_pyfunction!(keys::rank, module)?)?;
    #[cfg(feature = "batch")]
    module.add_class::<batch::Scoring>()?;
    #[cfg(feature = "batch")]
    module.add_class::<batch::Encryption>()?;
    #[cfg(feature = "client")]
    module.add_class::<client::Client>()?;
    #[cfg(feature = "trainer")]
    trainer(module)?;
    #[cfg(not(all(feature = "batch", feature = "client", feature = "trainer")))]
    module.add_function(wrap_pyfunction!(absent, module)?)?;
    Ok(())
}

/// Training, compiling, attacking and certifying.
#[cfg(feature = "trainer")]
fn trainer(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<network::Network>()?;
    module.add_class::<audit::AuditReport>()?;
    module.add_function(wrap_pyfunction!(network::best_scales, module)?)?;
    module.add_function(wrap_pyfunction!(network::train, module)?)?;
    module.add_function(wrap_pyfunction!(network::compile, module)?)?;
    module.add_function(wrap_pyfunction!(network::defences, module)?)?;
    module.add_function(wrap_pyfunction!(audit::audit, module)?)?;
    module.add_function(wrap_pyfunction!(audit::attack, module)?)?;
    module.add_function(wrap_pyfunction!(audit::families, module)?)?;
    module.add_function(wrap_pyfunction!(audit::decensoring, module)?)?;
    module.add_function(wrap_pyfunction!(certificate::certify, module)?)?;
    Ok(())
}
