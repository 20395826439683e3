//! The predictor: evaluates ciphertexts with one functional key, and applies the public head.

use std::sync::Arc;

use model::{CompiledNetwork, largest};
use qfe::{Ciphertext, Evaluator, FunctionalKey, LogTable, WireError};

/// A network with the key that opens it, ready for many ciphertexts.
#[derive(Debug)]
pub struct Predictor {
    network: CompiledNetwork,
    evaluator: Evaluator,
}

/// What one ciphertext gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The outputs, exactly as the network in the clear gives them.
    pub output: Vec<i64>,
    /// Of each main class.
    pub probabilities: Vec<f32>,
    /// Place of the most probable main class; the first of equals.
    pub class: usize,
    /// Its name.
    pub label: String,
}

/// Steps of a prediction, each reported when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The ciphertext was read, and its points checked.
    Read,
    /// The pairings are done.
    Paired,
    /// The discrete logarithms are found: these are the outputs.
    Found,
    /// The public head was applied.
    Head,
}

/// A key and a network that do not belong together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyMismatch {
    /// The key opens something else.
    #[error("the functional key opens another function than this network: ask the authority for the network's key")]
    Function,
    /// The outputs cannot be found.
    #[error(transparent)]
    Evaluate(#[from] qfe::EvaluateError),
}

/// A ciphertext that gives no prediction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// The bytes are no ciphertext.
    #[error("the ciphertext cannot be read: {0}")]
    Ciphertext(#[from] WireError),
    /// It cannot be evaluated with this key.
    #[error(transparent)]
    Evaluate(#[from] qfe::EvaluateError),
    /// The public head does not take the output.
    #[error("the public head: {0}")]
    Head(#[from] model::EvaluateError),
}

impl Predictor {
    /// A predictor of a network; `table` finds outputs, whatever the network.
    ///
    /// # Errors
    /// The key opens another function.
    pub fn new(network: CompiledNetwork, key: &FunctionalKey, table: Arc<LogTable>) -> Result<Self, KeyMismatch> {
        if key.map() != network.map() {
            return Err(KeyMismatch::Function);
        }
        let evaluator = Evaluator::new(key, table, network.bounds())?;
        Ok(Self { network, evaluator })
    }

    /// The network.
    pub fn network(&self) -> &CompiledNetwork {
        &self.network
    }

    /// The evaluator, with its plan.
    pub fn evaluator(&self) -> &Evaluator {
        &self.evaluator
    }

    /// The outputs of one ciphertext.
    ///
    /// # Errors
    /// Another public key, an output outside its declared range.
    pub fn evaluate(&self, ciphertext: &Ciphertext) -> Result<Vec<i64>, qfe::EvaluateError> {
        self.evaluator.evaluate(ciphertext)
    }

    /// The outputs of one ciphertext, and what the public head makes of them.
    ///
    /// # Errors
    /// [`PredictError`].
    pub fn predict(&self, ciphertext: &Ciphertext) -> Result<Prediction, PredictError> {
        self.head(self.evaluate(ciphertext)?)
    }

    /// The same for a ciphertext as it was sent.
    ///
    /// # Errors
    /// [`PredictError`].
    pub fn predict_bytes(&self, ciphertext: &[u8]) -> Result<Prediction, PredictError> {
        self.predict_in_steps(ciphertext, |_| ())
    }

    /// The same; `ended` hears of each step when it ends, for whoever times them.
    ///
    /// # Errors
    /// [`PredictError`].
    pub fn predict_in_steps(&self, ciphertext: &[u8], mut ended: impl FnMut(Step)) -> Result<Prediction, PredictError> {
        let ciphertext = Ciphertext::from_bytes(ciphertext)?;
        ended(Step::Read);
        let output = self.evaluator.evaluate_in_steps(&ciphertext, || ended(Step::Paired))?;
        ended(Step::Found);
        let prediction = self.head(output)?;
        ended(Step::Head);
        Ok(prediction)
    }

    /// What the public head makes of outputs.
    fn head(&self, output: Vec<i64>) -> Result<Prediction, PredictError> {
        let probabilities = self.network.probabilities(&output)?;
        let class = largest(&probabilities);
        let label = self.network.classes().get(class).cloned().unwrap_or_default();
        Ok(Prediction { output, probabilities, class, label })
    }
}

/// The size, in bits, of the discrete-log table that suits the widest output of `networks`.
pub fn table_bits<'a>(networks: impl IntoIterator<Item = &'a CompiledNetwork>) -> u32 {
    let bounds = networks.into_iter().flat_map(|network| network.bounds());
    let widest = bounds.map(|&(low, high)| i128::from(high) - i128::from(low)).max().unwrap_or(0);
    // With 2^b baby steps a search takes range / 2^(b + 2) giant steps; 22 (67 MB) is worth it from 2^32 on.
    match 128 - widest.leading_zeros() {
        0..=24 => 16,
        25..=30 => 20,
        _ => 22,
    }
}
