//! Why an experiment ends without a result.

use std::path::PathBuf;

use dataset::draw::DrawError;
use dataset::{DatasetError, SchemaError};
use leakage::AuditError;
use leakage::certificate::CertificateError;
use model::{EvaluateError, OutputNoiseError};
use training::{CompileError, HistoryError, MeasureError, TrainError};

/// Why an experiment ends without a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// A search without a label that outputs must not reveal.
    #[error("`collateral` is empty: a search measures a leak, so name the label that outputs must not reveal")]
    NoCollateral,
    /// A folder of another search.
    #[error(
        "{}: its points come from other data or options; name another folder, or use the same data and options",
        folder.display()
    )]
    OtherSearch {
        /// The folder.
        folder: PathBuf,
    },
    /// A study that does not exist.
    #[error("there is no study `{name}`: there are {known}")]
    UnknownStudy {
        /// The name asked for.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// A network that does not come with the program.
    #[error("there is no network `{name}`: there are {known}")]
    UnknownNetwork {
        /// The name asked for.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// A file that does not hold a result of this kind.
    #[error("{}: does not hold such a result: {source}; remove it to measure again", path.display())]
    Result {
        /// The file.
        path: PathBuf,
        /// The error.
        source: serde_json::Error,
    },
    /// Images like those of the training were requested, but the network was not trained on drawn images.
    #[error("the network was not trained on drawn images, so none can be drawn: give a data set")]
    NotDrawn,
    /// Specifications that the networks do not agree on, that have equal fonts, or that name files to read.
    #[error("the networks record different drawings, equal fonts, or fonts in files: draw a data set and give it")]
    Drawing,
    /// An encoder that cannot be fitted.
    #[error(transparent)]
    Encode(#[from] encoder::EncodeError),
    /// An item that does not fit the encoder.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Items that the network has seen.
    #[error("the network was trained on this data, or on some of it ({found} marks found); certify it on fresh items")]
    Seen {
        /// Marks of its record that were found among the items; 0 if the whole data set was recognised by its hash.
        found: usize,
    },
    /// Items that are not independent draws.
    #[error(
        "{repeated} of {count} items repeat another one, so they are not independent draws: leave them out, or state \
         that the population itself has few values"
    )]
    Repeated {
        /// Items that repeat another one.
        repeated: usize,
        /// Items.
        count: usize,
    },
    /// Items that are not available.
    #[error("{part} needs the items themselves: give data sets, not outputs alone")]
    NeedsItems {
        /// The part that needs them.
        part: &'static str,
    },
    /// A random network needs a network to imitate.
    #[error("a control attacks a network of the same shape: give a compiled network")]
    NeedsNetwork,
    /// A random network that cannot be made.
    #[error(transparent)]
    Model(#[from] model::ModelError),
    /// A history that cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Outputs without their own noise.
    #[error(transparent)]
    Noise(#[from] OutputNoiseError),
    /// A certificate that was refused.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A result that cannot be read or written.
    #[error(transparent)]
    File(#[from] host::files::FileError),
    /// A network that cannot be read or written.
    #[error(transparent)]
    Network(#[from] model::FileError),
    /// Characters that cannot be drawn.
    #[error(transparent)]
    Draw(#[from] DrawError),
    /// A label that does not exist.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A training that failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A compilation that failed.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// An accuracy that cannot be measured.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// An evaluation that failed.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// An audit that was refused.
    #[error(transparent)]
    Audit(#[from] AuditError),
}
