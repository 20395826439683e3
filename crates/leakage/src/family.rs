//! The families of attackers and their names.

use crate::error::AuditError;
use std::fmt;
use std::str::FromStr;

/// One kind of attacker with its hyper-parameters; displays as its name in reports (`knn-15`).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Family {
    /// Multinomial logistic regression.
    Logistic,
    /// Least squares with a ridge penalty.
    Ridge,
    /// Quadratic discriminant analysis: one Gaussian per value.
    Qda,
    /// One Gaussian with independent outputs per value.
    NaiveBayes,
    /// Vote of the k nearest training items.
    Neighbours {
        /// Number of neighbours.
        k: usize,
    },
    /// Bayes' rule on kernel density estimates.
    Kernel {
        /// Width in deviations of the outputs within a main class, correlations taken out.
        bandwidth: f64,
    },
    /// Logistic regression on random Fourier features, an approximate kernel machine.
    Fourier {
        /// Number of features.
        features: usize,
        /// Squared length scale relative to the median squared distance.
        relative: f64,
    },
    /// One decision tree of depth 12.
    Tree,
    /// Random forest of 150 trees.
    Forest {
        /// Fewest items in a leaf.
        leaf: usize,
    },
    /// Extremely random trees, 150.
    ExtraTrees {
        /// Fewest items in a leaf.
        leaf: usize,
    },
    /// Gradient boosting of trees of depth 5.
    Boosting,
    /// Gaussian process with Laplace's approximation.
    Process {
        /// Most training items used per main class.
        rows: usize,
    },
    /// Convolutional network behind a linear junction, over outputs and main label.
    Convolution,
    /// Maps the outputs to those of an undefended network first (see [`crate::Extras`]), then attacks.
    Decensor {
        /// The attacker on undefended outputs.
        then: Box<Family>,
    },
    /// Feed-forward network over outputs and main label.
    Mlp {
        /// Widths of the hidden layers.
        hidden: Vec<usize>,
        /// Passes over the training items.
        epochs: usize,
    },
}

/// Forms of the outputs of one main class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Columns {
    /// Mean 0 and deviation 1: for families that no linear map changes much, or that learn their own.
    Standardised,
    /// Without correlations: for distances.
    Uncorrelated,
    /// Both side by side: trees cut along columns, and thin directions lie across those of the outputs.
    Both,
}

impl Family {
    /// The first panel: every kind that has been seen to find what others miss, in seconds.
    pub fn quick() -> Vec<Family> {
        let mut families = vec![Family::Logistic, Family::Qda];
        families.extend([7, 15, 51, 201].map(|k| Family::Neighbours { k }));
        families.extend([
            Family::Forest { leaf: 5 },
            Family::Boosting,
            Family::Mlp { hidden: vec![64, 32], epochs: 12 },
        ]);
        families
    }

    /// Every family, with the hyper-parameters that have mattered; minutes rather than seconds.
    pub fn full() -> Vec<Family> {
        let mut families = vec![Family::Logistic, Family::Ridge, Family::Qda, Family::NaiveBayes];
        families.extend([7, 15, 31, 51, 101, 201].map(|k| Family::Neighbours { k }));
        families.extend([0.05, 0.1, 0.2, 0.4, 0.8].map(|bandwidth| Family::Kernel { bandwidth }));
        families.extend([Family::Fourier { features: 300, relative: 0.25 }, Family::Process { rows: 500 }]);
        families.extend([Family::Tree, Family::Forest { leaf: 1 }, Family::Forest { leaf: 10 }]);
        families.extend([Family::ExtraTrees { leaf: 5 }, Family::Boosting]);
        let sweep: [&[usize]; 4] = [&[64], &[64, 32], &[128, 64, 32], &[256, 128]];
        families.extend(sweep.map(|hidden| Family::Mlp { hidden: hidden.to_vec(), epochs: 12 }));
        families.push(Family::Convolution);
        families
    }

    /// Names that [`Family::from_str`] accepts, for messages.
    fn known() -> &'static str {
        "logistic, ridge, qda, naive-bayes, knn-K, kde-WIDTH, fourier-FEATURES, gp-ROWS, tree, \
         forest-LEAF, extra-trees-LEAF, boosting, mlp-WIDTHxWIDTH, cnn, decensor-FAMILY"
    }

    pub(crate) fn neighbours(&self) -> Option<usize> {
        match self {
            Family::Neighbours { k } => Some(*k),
            _ => None,
        }
    }

    pub(crate) fn bandwidth(&self) -> Option<f64> {
        match self {
            Family::Kernel { bandwidth } => Some(*bandwidth),
            _ => None,
        }
    }

    /// Families of one kind are run together; the others alone.
    pub(crate) fn shares_work_with(&self, other: &Family) -> bool {
        (self.neighbours().is_some() && other.neighbours().is_some())
            || (self.bandwidth().is_some() && other.bandwidth().is_some())
    }

    /// Whether one model serves all main classes, reading the main label as extra inputs; the
    /// others get a model per main class.
    pub(crate) fn is_pooled(&self) -> bool {
        matches!(self, Family::Mlp { .. } | Family::Convolution)
    }

    /// The outputs as it looks at them.
    pub(crate) fn columns(&self) -> Columns {
        match self {
            Family::Neighbours { .. } | Family::Kernel { .. } | Family::Fourier { .. } | Family::Process { .. } => {
                Columns::Uncorrelated
            }
            Family::Tree | Family::Forest { .. } | Family::ExtraTrees { .. } | Family::Boosting => Columns::Both,
            _ => Columns::Standardised,
        }
    }

    /// Rough relative cost, so that long jobs start first.
    pub(crate) fn cost(&self) -> usize {
        match self {
            Family::Convolution => 11,
            Family::Mlp { .. } => 9,
            Family::Process { .. } | Family::Decensor { .. } => 8,
            Family::Kernel { .. } => 7,
            Family::Fourier { .. } => 6,
            Family::Forest { .. } | Family::ExtraTrees { .. } => 5,
            Family::Boosting => 4,
            Family::Neighbours { .. } => 3,
            _ => 1,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), AuditError> {
        let valid = match self {
            Family::Neighbours { k } => *k >= 1,
            Family::Kernel { bandwidth } => *bandwidth > 0.0 && bandwidth.is_finite(),
            Family::Fourier { features, relative } => {
                (1..=4096).contains(features) && *relative > 0.0 && relative.is_finite()
            }
            Family::Forest { leaf } | Family::ExtraTrees { leaf } => *leaf >= 1,
            Family::Process { rows } => (10..=5000).contains(rows),
            Family::Decensor { then } => {
                !matches!(**then, Family::Decensor { .. }) && !then.is_pooled() && then.validate().is_ok()
            }
            Family::Mlp { hidden, epochs } => *epochs >= 1 && hidden.iter().all(|w| (1..=4096).contains(w)),
            _ => true,
        };
        if valid {
            return Ok(());
        }
        Err(AuditError::Option {
            option: "families",
            value: self.to_string(),
            remedy: "k, leaf, widths and epochs start at 1, a process has 10 to 5000 rows, de-censoring goes before \
                     one other family with a model per class, bandwidths lie above 0, and no layer \
                     or feature map is wider than 4096",
        })
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Family::Logistic => f.write_str("logistic"),
            Family::Ridge => f.write_str("ridge"),
            Family::Qda => f.write_str("qda"),
            Family::NaiveBayes => f.write_str("naive-bayes"),
            Family::Neighbours { k } => write!(f, "knn-{k}"),
            Family::Kernel { bandwidth } => write!(f, "kde-{bandwidth}"),
            Family::Fourier { features, .. } => write!(f, "fourier-{features}"),
            Family::Process { rows } => write!(f, "gp-{rows}"),
            Family::Convolution => f.write_str("cnn"),
            Family::Decensor { then } => write!(f, "decensor-{then}"),
            Family::Tree => f.write_str("tree"),
            Family::Forest { leaf } => write!(f, "forest-{leaf}"),
            Family::ExtraTrees { leaf } => write!(f, "extra-trees-{leaf}"),
            Family::Boosting => f.write_str("boosting"),
            Family::Mlp { hidden, .. } => {
                f.write_str("mlp")?;
                let separators = std::iter::once("-").chain(std::iter::repeat("x"));
                (hidden.iter().zip(separators)).try_for_each(|(w, s)| write!(f, "{s}{w}"))
            }
        }
    }
}

impl FromStr for Family {
    type Err = AuditError;

    /// Reads the names that families display as; networks train for 12 epochs.
    fn from_str(name: &str) -> Result<Family, AuditError> {
        let unknown = || AuditError::UnknownFamily { name: name.to_owned(), known: Family::known().to_owned() };
        let number = |prefix: &str| name.strip_prefix(prefix)?.parse::<usize>().ok();
        let family = match name {
            "logistic" => Some(Family::Logistic),
            "ridge" => Some(Family::Ridge),
            "qda" => Some(Family::Qda),
            "naive-bayes" => Some(Family::NaiveBayes),
            "tree" => Some(Family::Tree),
            "boosting" => Some(Family::Boosting),
            "cnn" => Some(Family::Convolution),
            _ => None,
        };
        let kernel = || {
            let bandwidth = name.strip_prefix("kde-")?.parse().ok()?;
            Some(Family::Kernel { bandwidth })
        };
        let decensor = || {
            let then = name.strip_prefix("decensor-")?.parse::<Family>().ok()?;
            Some(Family::Decensor { then: Box::new(then) })
        };
        let network = || {
            let widths = name.strip_prefix("mlp-")?.split('x').map(str::parse);
            let hidden = widths.collect::<Result<Vec<usize>, _>>().ok()?;
            Some(Family::Mlp { hidden, epochs: 12 })
        };
        let family = family
            .or_else(|| number("knn-").map(|k| Family::Neighbours { k }))
            .or_else(|| number("forest-").map(|leaf| Family::Forest { leaf }))
            .or_else(|| number("extra-trees-").map(|leaf| Family::ExtraTrees { leaf }))
            .or_else(|| number("fourier-").map(|features| Family::Fourier { features, relative: 0.25 }))
            .or_else(|| number("gp-").map(|rows| Family::Process { rows }))
            .or_else(decensor)
            .or_else(kernel)
            .or_else(network)
            .ok_or_else(unknown)?;
        family.validate()?;
        Ok(family)
    }
}
