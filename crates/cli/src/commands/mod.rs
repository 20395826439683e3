//! One file per verb, in the order of the flow.

mod audit;
mod authority;
mod baseline;
mod bench;
mod card;
mod certify;
mod check;
mod compile;
mod dataset;
mod demo;
mod encrypt;
mod health;
mod import;
mod keygen;
mod manual;
mod masks;
mod matching;
mod page;
mod paper;
mod predict;
mod range;
mod score;
mod search;
mod serve;
mod token;
mod train;

use anyhow::Result;
use clap::Subcommand;

use crate::console::Console;

/// The verbs.
#[derive(Subcommand)]
pub enum Command {
    /// The whole flow on drawn digits and real handwriting; ends with a table and a page
    Demo(demo::Demo),
    /// Draw, import, split and inspect data sets
    #[command(subcommand)]
    Dataset(dataset::Dataset),
    /// Train a private quadratic network and its public head, with or without a defence
    Train(Box<train::Train>),
    /// Turn a trained network into integers with exact bounds
    Compile(compile::Compile),
    /// Evaluate labelled items under encryption, all roles at once, and compare with the network in the clear
    Check(check::Check),
    /// Import an integer network from elsewhere
    Import(import::Import),
    /// Measure what the outputs of a compiled network reveal
    Audit(audit::Audit),
    /// Bound what any attacker can learn from the outputs of a compiled network with noise
    Certify(certify::Certify),
    /// Write a network with its model card, bill of materials and signature, ready to publish
    Card(card::Card),
    /// Measure what unconstrained learners achieve on the inputs in the clear
    Baseline(baseline::Baseline),
    /// Decide which functions may be opened, and keep the ledger
    #[command(subcommand)]
    Authority(authority::Authority),
    /// Make a signing key for an auditor, an approver or a sender, or an identity that unlocks master keys
    Keygen(keygen::Keygen),
    /// Tokens for callers of a server
    #[command(subcommand)]
    Token(token::Token),
    /// Owner: draw masks in advance, so that encryption takes a few milliseconds
    Masks(masks::Masks),
    /// Owner: encode and encrypt items of a data set
    Encrypt(Box<encrypt::Encrypt>),
    /// Predictor: evaluate ciphertexts and apply the public head
    Predict(predict::Predict),
    /// Predictor: evaluate ciphertexts in Parquet files, by the million
    Score(Box<score::Score>),
    /// Predictor: write samples and a cloud of outputs for the page that it serves
    Page(page::Page),
    /// Serve an authority, a predictor, or the board of a ceremony over HTTP
    #[command(subcommand)]
    Serve(serve::Serve),
    /// Check whether a server answers
    Health(health::Health),
    /// Repeat the paper's experiments, and show our results next to the paper's
    Paper(paper::Paper),
    /// Time every operation of the encryption, next to the paper's figures
    Bench(bench::Bench),
    /// Print the script by which a shell completes verbs and options
    Completions(manual::Completions),
    /// Write a manual page for each verb
    Man(manual::Man),
}

impl Command {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        match self {
            Self::Demo(demo) => demo.run(console),
            Self::Dataset(dataset) => dataset.run(console),
            Self::Train(train) => train.run(console),
            Self::Compile(compile) => compile.run(console),
            Self::Check(check) => check.run(console),
            Self::Import(import) => import.run(console),
            Self::Audit(audit) => audit.run(console),
            Self::Certify(certify) => certify.run(console),
            Self::Card(card) => card.run(console),
            Self::Baseline(baseline) => baseline.run(console),
            Self::Authority(authority) => authority.run(console),
            Self::Keygen(keygen) => keygen.run(console),
            Self::Token(token) => token.run(console),
            Self::Masks(masks) => masks.run(console),
            Self::Encrypt(encrypt) => encrypt.run(console),
            Self::Predict(predict) => predict.run(console),
            Self::Score(score) => score.run(console),
            Self::Page(page) => page.run(console),
            Self::Serve(serve) => serve.run(console),
            Self::Health(health) => health.run(console),
            Self::Paper(paper) => paper.run(console),
            Self::Bench(bench) => bench.run(console),
            Self::Completions(completions) => completions.run(console),
            Self::Man(man) => man.run(console),
        }
    }
}
