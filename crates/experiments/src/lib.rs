//! Experiments on private networks. Every result is a file, so that a stopped experiment can resume.
//!
//! | to learn | use |
//! |---|---|
//! | which network to take | [`search`] |
//! | the results of the paper's studies | [`paper::Setting`], [`paper::Study`] |
//! | the networks that come with the program | [`paper::Recipe`] |
//! | what attackers see of a network | [`observations`], [`labelled`], [`noise_bound`], [`noise_of`] |
//!
//! ```no_run
//! use dataset::draw::{DrawSpec, Generator};
//! use experiments::search::{Front, Setting, Point, Search, Space};
//! use host::Silent;
//! use training::{Defence, TrainOptions};
//!
//! let generator = Generator::new(&DrawSpec::default())?;
//! let [train, validation, attackers] = [(400, 1), (300, 2), (600, 3)].map(|(n, seed)| generator.draw(n, seed, &Silent));
//! let options = TrainOptions {
//!     collateral: vec!["font".into()],
//!     units: 6,
//!     batch: 100,
//!     steps: 20,
//!     ..TrainOptions::quick(Defence::none())
//! };
//! // Two and three outputs, everything else as in the training.
//! let points = Space { outputs: vec![2, 3], ..Space::default() }.points(&Point::of(&options));
//!
//! let folder = tempfile::tempdir()?;
//! let search = Search::open(Setting {
//!     train: &train,
//!     validation: &validation,
//!     attackers: &attackers,
//!     options,
//!     compile_steps: 4,
//!     folder: folder.path(),
//! })?;
//! let found = points.iter().map(|point| search.visit(point, &Silent)).collect::<Result<Vec<_>, _>>()?;
//! let front = Front::of(found);
//! assert!(front.points().iter().any(|point| point.front));
//! assert!(front.html().contains("Which network to take"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_debug_implementations)]

pub mod audit;
mod certify;
mod error;
mod kept;
mod observe;
pub mod paper;
mod parity;
pub mod search;
mod seen;

pub use certify::{Certified, Certifier, Items, Source};
pub use error::ExperimentError;
pub use observe::{labelled, noise_bound, noise_of, observations};
pub use parity::{Parity, parity};
pub use seen::{Seen, seen};
