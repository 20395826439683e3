//! What attackers see, as one file for people who prefer their own attackers.
//!
//! Tensors, all of 64-bit integers: `train_outputs`, `test_outputs` `[N, S]`; `train_main`, `test_main`,
//! `train_collateral`, `test_collateral` `[N]`. The metadata names the classes.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use leakage::Observations;
use safetensors::tensor::{Dtype, TensorView};

use crate::files;

/// Writes both splits with their outputs.
pub fn write(path: &Path, train: (&Observations, &[i64]), test: (&Observations, &[i64])) -> Result<()> {
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for (split, (seen, outputs)) in [("train", train), ("test", test)] {
        let bytes = |values: &mut dyn Iterator<Item = i64>| values.flat_map(i64::to_le_bytes).collect::<Vec<u8>>();
        let items = seen.len();
        tensors.push((format!("{split}_outputs"), vec![items, seen.width], bytes(&mut outputs.iter().copied())));
        for (name, labels) in [("main", &seen.main), ("collateral", &seen.collateral)] {
            tensors.push((format!("{split}_{name}"), vec![items], bytes(&mut labels.iter().map(|&x| i64::from(x)))));
        }
    }
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::I64, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>>>()?;
    let names = |classes: &[String]| serde_json::to_string(classes);
    let about = HashMap::from([
        ("main_classes".to_owned(), names(&train.0.main_classes)?),
        ("collateral_classes".to_owned(), names(&train.0.collateral_classes)?),
    ]);
    files::write(path, &safetensors::serialize(views, Some(about))?)
}
