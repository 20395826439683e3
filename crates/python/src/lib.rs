//! The native half of the Python package `halflight`: data, networks, keys and audits as Python classes.
//!
//! It is thin: numpy arrays in, one call of the Rust library, numpy arrays out. The Python half
//! (`python/halflight`) adds names, defaults, documentation and the scikit-learn conventions. Long calls
//! run with the interpreter unlocked and report to a callback; every Rust error becomes the Python
//! exception of the same name.

mod arrays;
mod arrow;
mod audit;
mod batch;
mod certificate;
mod cipher;
#[cfg(feature = "client")]
mod client;
mod compiled;
mod data;
mod encoder;
mod error;
mod keys;
mod network;
mod options;
mod pool;
mod progress;
mod table;
mod tables;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<data::Dataset>()?;
    module.add_class::<encoder::Encoder>()?;
    module.add_class::<network::Network>()?;
    module.add_class::<compiled::CompiledNetwork>()?;
    module.add_class::<keys::Authority>()?;
    module.add_class::<keys::Parameters>()?;
    module.add_class::<keys::FunctionalKey>()?;
    module.add_class::<cipher::Ciphertext>()?;
    module.add_class::<cipher::Predictor>()?;
    module.add_class::<audit::AuditReport>()?;
    module.add_class::<batch::Scoring>()?;
    module.add_class::<batch::Encryption>()?;
    #[cfg(feature = "client")]
    module.add_class::<client::Client>()?;
    module.add_function(wrap_pyfunction!(pool::forked, module)?)?;
    module.add_function(wrap_pyfunction!(pool::running, module)?)?;
    module.add_function(wrap_pyfunction!(network::best_scales, module)?)?;
    module.add_function(wrap_pyfunction!(table::read_table, module)?)?;
    module.add_function(wrap_pyfunction!(data::draw, module)?)?;
    module.add_function(wrap_pyfunction!(data::handwriting, module)?)?;
    module.add_function(wrap_pyfunction!(data::read_idx, module)?)?;
    module.add_function(wrap_pyfunction!(network::train, module)?)?;
    module.add_function(wrap_pyfunction!(network::defences, module)?)?;
    module.add_function(wrap_pyfunction!(compiled::compile, module)?)?;
    module.add_function(wrap_pyfunction!(cipher::encrypt, module)?)?;
    module.add_function(wrap_pyfunction!(keys::rank, module)?)?;
    module.add_function(wrap_pyfunction!(audit::audit, module)?)?;
    module.add_function(wrap_pyfunction!(audit::attack, module)?)?;
    module.add_function(wrap_pyfunction!(audit::families, module)?)?;
    module.add_function(wrap_pyfunction!(certificate::certify, module)?)?;
    Ok(())
}
