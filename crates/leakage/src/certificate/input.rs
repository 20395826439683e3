//! What a certificate is computed from.

/// Integer outputs without noise, with both labels of every item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateSamples {
    /// Outputs, item after item: one for every entry of the noise.
    pub outputs: Vec<i64>,
    /// Main class of every item.
    pub main: Vec<u32>,
    /// Value of the collateral attribute of every item.
    pub collateral: Vec<u32>,
    /// Names of the main classes.
    pub main_classes: Vec<String>,
    /// Names of the attribute's values.
    pub collateral_classes: Vec<String>,
}

/// How a certificate is computed.
#[derive(Debug, Clone, PartialEq)]
pub struct CertificateOptions {
    /// Chance, strictly between 0 and 1, that all bounds hold at once.
    pub confidence: f64,
    /// Evaluation points for every main class, at least 2. Their error falls like one over the square root.
    pub points: usize,
    /// Numbers of items of one subject to bound as well, each at least 1.
    pub votes: Vec<u32>,
    /// Seed of the evaluation points. Choose it before looking: the best of several seeds is no bound.
    pub seed: u64,
    /// How often classes and values occur; a second bound counts them so, beside the one that counts them alike.
    pub prior: Option<Prior>,
}

/// How often main classes and values of the attribute occur together.
#[derive(Debug, Clone, PartialEq)]
pub enum Prior {
    /// As often as in the samples, which are then draws of the population as a whole.
    Sampled,
    /// This often: for every main class and every value a share, 1 in all.
    Given(Vec<Vec<f64>>),
}

impl Default for CertificateOptions {
    fn default() -> Self {
        Self { confidence: 0.999, points: 10_000, votes: vec![5, 20, 50, 140], seed: 0, prior: None }
    }
}
