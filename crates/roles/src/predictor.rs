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

/// The result for one ciphertext.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The outputs, exactly as the network in the clear computes them.
    pub output: Vec<i64>,
    /// The probability of each main class.
    pub probabilities: Vec<f32>,
    /// Index of the most probable main class; the first of equals.
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
    /// The key opens another function.
    #[error("the functional key opens another function than this network: ask the authority for the network's key")]
    Function,
    /// Some outputs cannot be found.
    #[error(transparent)]
    Evaluate(#[from] qfe::EvaluateError),
}

/// A ciphertext that gives no prediction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// The bytes are not a ciphertext.
    #[error("the ciphertext cannot be read: {0}")]
    Ciphertext(#[from] WireError),
    /// It cannot be evaluated with this key.
    #[error(transparent)]
    Evaluate(#[from] qfe::EvaluateError),
    /// The public head refuses the output.
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

    /// The outputs of one ciphertext, and the prediction of the public head.
    ///
    /// # Errors
    /// [`PredictError`].
    pub fn predict(&self, ciphertext: &Ciphertext) -> Result<Prediction, PredictError> {
        self.head(self.evaluate(ciphertext)?)
    }

    /// The same for many ciphertexts, in their order: faster than one by one, since they share lanes and inversions.
    /// Each by itself may fail.
    pub fn predict_batch(&self, ciphertexts: &[Ciphertext]) -> Vec<Result<Prediction, PredictError>> {
        let outputs = self.evaluator.evaluate_batch(ciphertexts);
        outputs.into_iter().map(|output| self.head(output?)).collect()
    }

    /// The same for the bytes of a ciphertext.
    ///
    /// # Errors
    /// [`PredictError`].
    pub fn predict_bytes(&self, ciphertext: &[u8]) -> Result<Prediction, PredictError> {
        self.predict_in_steps(ciphertext, |_| ())
    }

    /// The same; `ended` is called when each step ends, for callers who time them.
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

    /// The prediction of the public head from outputs.
    fn head(&self, output: Vec<i64>) -> Result<Prediction, PredictError> {
        let probabilities = self.network.probabilities(&output)?;
        let class = largest(&probabilities);
        let label = self.network.classes().get(class).cloned().unwrap_or_default();
        Ok(Prediction { output, probabilities, class, label })
    }
}

/// A network with an output that no discrete-log table can search.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "output {output} is declared from {low} to {high}, {bits:.1} bits, and the largest table searches {reach} on either \
     side of zero: declare the range that data show, with a margin, or round the weights to fewer bits"
)]
pub struct Unopenable {
    /// Which output.
    pub output: usize,
    /// Least value declared.
    pub low: i64,
    /// Greatest value declared.
    pub high: i64,
    /// log₂ of the number of values.
    pub bits: f64,
    /// The range that the largest table searches.
    pub reach: i64,
}

/// Checks that every output of a network can be found under encryption, by a table of any size.
///
/// # Errors
/// The first output whose declared range is too wide.
pub fn openable(network: &CompiledNetwork) -> Result<(), Unopenable> {
    let wide = network.bounds().iter().enumerate().find(|(_, (low, high))| LogTable::bits_for(*low, *high).is_none());
    wide.map_or(Ok(()), |(output, &(low, high))| {
        let bits = model::width_bits(low.into(), high.into());
        Err(Unopenable { output, low, high, bits, reach: LogTable::most() })
    })
}

/// The size, in bits, of the discrete-log table that suits the widest output of `networks`: a small one that is quick
/// to build, or a larger one if that is not enough.
pub fn table_bits<'a>(networks: impl IntoIterator<Item = &'a CompiledNetwork>) -> u32 {
    // With 2^b baby steps a search takes range / 2^(b + 2) giant steps; 22 (67 MB) is worth it from 2^32 on.
    let quick = |low: i64, high: i64| match 128 - (i128::from(high) - i128::from(low)).leading_zeros() {
        0..=24 => 16,
        25..=30 => 20,
        _ => 22,
    };
    let bounds = networks.into_iter().flat_map(|network| network.bounds());
    let bits = bounds.map(|&(low, high)| quick(low, high).max(LogTable::bits_for(low, high).unwrap_or_default()));
    bits.max().unwrap_or(16)
}

#[cfg(test)]
mod tests {
    use qfe::LogTable;

    #[test]
    fn wide_bounds_take_larger_tables_and_too_wide_ones_none() {
        assert_eq!(LogTable::bits_for(-100, 100), Some(LogTable::MIN_BITS));
        // The ranges of the paper's network, by arithmetic and on data.
        assert_eq!(LogTable::bits_for(-3_400_000_000_000, 3_400_000_000_000), Some(23));
        assert_eq!(LogTable::bits_for(-140_000_000_000, 140_000_000_000), Some(19));
        let most = LogTable::most();
        assert_eq!(LogTable::bits_for(-most, most), Some(LogTable::MAX_BITS));
        assert_eq!(LogTable::bits_for(-most - 1, 0), None);
        assert_eq!(LogTable::bits_for(i64::MIN, i64::MAX), None);
        // Away from zero the middle counts.
        assert_eq!(LogTable::bits_for(2 * most, 2 * most + 100), Some(LogTable::MIN_BITS));
        assert_eq!(LogTable::bits_for(1, 0), None);
    }
}
