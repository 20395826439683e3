//! The attackers: each learns `label` from rows of one table and scores the rows of another.
//!
//! Every attacker starts from scratch; none took part in training the network. One file holds one kind, with its
//! settings, its cost and its description; `registry` lists them. Arithmetic that several kinds share has its own
//! files.

mod boosting;
mod cnn;
mod config;
mod convolution;
mod decensor;
mod decensor_map;
mod densities;
mod digits;
mod extra_trees;
mod forest;
mod fourier;
mod gp;
mod hidden;
mod kde;
mod kernel;
mod knn;
mod lattice;
mod linear_model;
mod logistic;
mod mlp;
mod naive_bayes;
mod neighbours;
mod neural;
mod parity;
mod period;
mod process;
mod qda;
mod reader;
mod registry;
mod ridge;
mod sample;
mod standard;
mod tree;
mod trees;

pub use config::AttackerConfig;
pub(crate) use config::Columns;
#[cfg(test)]
pub(crate) use linear_model::gaussian as gaussian_number;
pub(crate) use neighbours::nearest_items;
pub(crate) use neural::{fit as neural_fit, predict as neural_predict};
pub(crate) use sample::{Beside, Integers, Sample, Uncensored};
pub(crate) use standard::{Standardiser, Whitener};
