//! The file of a float network: safetensors, named as PyTorch's linear layers are.
//!
//! | tensor | shape |
//! |---|---|
//! | `left.weight`, `left.bias` | `[d, n − 1]`, `[d]` |
//! | `right.weight`, `right.bias` (bilinear only) | `[d, m − 1]`, `[d]` |
//! | `combine.weight` | `[S, d]` |
//! | `head.I.weight`, `head.I.bias` | `[out, in]`, `[out]` |

use std::path::Path;

use dataset::Encoder;
use serde::{Deserialize, Serialize};

use super::{Network, TrainingRecord};
use crate::model::parameters::{Parameter, Parameters};
use crate::model::private::UnitKind;
use crate::storage::{self, FileError, Stored, Tensors, Values};

const FORMAT: &str = "halflight network";
const VERSION: u32 = 1;

/// Sides of matrices beyond this are refused before anything is allocated for them.
const SIDE_LIMIT: usize = 1 << 16;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    format: String,
    version: u32,
    units: UnitKind,
    classes: Vec<String>,
    encoder: Encoder,
    record: TrainingRecord,
}

impl Network {
    /// Writes the network; the file appears whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        let about = About {
            format: FORMAT.into(),
            version: VERSION,
            units: self.kind,
            classes: self.classes.clone(),
            encoder: self.encoder.clone(),
            record: self.record.clone(),
        };
        let mut tensors = Tensors::default();
        for projection in &self.private.0[..self.private.0.len() - 1] {
            let units = projection.shape[1];
            let (bias, weight) = projection.values.split_at(units);
            let columns = projection.shape[0] - 1;
            let name = &projection.name;
            tensors.insert(format!("{name}.bias"), &[units], Values::F32(bias.to_vec()));
            tensors.insert(format!("{name}.weight"), &[units, columns], Values::F32(transpose(weight, units)));
        }
        let combine = &self.private.0[self.private.0.len() - 1];
        let (units, outputs) = (combine.shape[0], combine.shape[1]);
        let weight = Values::F32(transpose(&combine.values, outputs));
        tensors.insert("combine.weight", &[outputs, units], weight);
        insert_head(&mut tensors, &self.head);
        storage::write(path, &tensors, &about)
    }

    /// Reads a network and checks everything it says; a value that is not finite is refused by name.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let stored = Stored::read(path)?;
        let about: About = stored.about()?;
        if (about.format.as_str(), about.version) != (FORMAT, VERSION) {
            let problem = format!("is {} {}, and this reads {FORMAT} {VERSION}", about.format, about.version);
            return Err(stored.field("format", problem));
        }
        if about.encoder.noise().is_some() {
            return Err(stored.field("encoder", "appends noise, which only compiled networks carry"));
        }
        let (n, m) = about.encoder.inputs();
        let units = side(&stored, "left.bias", 0)?;
        let mut private = vec![read_projection(&stored, "left", n - 1, units)?];
        if about.units == UnitKind::Bilinear {
            private.push(read_projection(&stored, "right", m - 1, units)?);
        } else if n != m {
            return Err(stored.field("encoder", "carries fewer columns on the right, and squares need the same"));
        }
        let outputs = side(&stored, "combine.weight", 0)?;
        let combine = stored.floats_shaped("combine.weight", &[outputs, units])?;
        private.push(Parameter::new("combine", &[units, outputs], transpose(&combine, units)));
        let head = read_head(&stored, outputs, about.classes.len())?;
        let private = Parameters(private);
        let About { units: kind, classes, encoder, record, .. } = about;
        Ok(Self { kind, encoder, classes, private, head, record })
    }
}

fn read_projection(stored: &Stored, name: &str, columns: usize, units: usize) -> Result<Parameter, FileError> {
    let mut values = stored.floats_shaped(&format!("{name}.bias"), &[units])?;
    let weight = stored.floats_shaped(&format!("{name}.weight"), &[units, columns])?;
    values.extend(transpose(&weight, columns));
    Ok(Parameter::new(name, &[1 + columns, units], values))
}

/// Adds the layers of a head, weights `[out, in]`.
pub(crate) fn insert_head(tensors: &mut Tensors, head: &Parameters) {
    for parameter in &head.0 {
        let values = match parameter.shape[..] {
            [_, output] => transpose(&parameter.values, output),
            _ => parameter.values.clone(),
        };
        let shape: Vec<usize> = parameter.shape.iter().rev().copied().collect();
        tensors.insert(&parameter.name, &shape, Values::F32(values));
    }
}

/// Reads the layers `head.0`, `head.1`, … from `inputs` numbers to `classes` logits.
pub(crate) fn read_head(stored: &Stored, inputs: usize, classes: usize) -> Result<Parameters, FileError> {
    let names = stored.names()?;
    let mut parameters = Vec::new();
    let mut width = inputs;
    for layer in 0.. {
        let (weight, bias) = (format!("head.{layer}.weight"), format!("head.{layer}.bias"));
        if !names.contains(&weight) {
            break;
        }
        let output = side(stored, &weight, 0)?;
        let values = stored.floats_shaped(&weight, &[output, width])?;
        parameters.push(Parameter::new(weight, &[width, output], transpose(&values, width)));
        parameters.push(Parameter::new(bias.clone(), &[output], stored.floats_shaped(&bias, &[output])?));
        width = output;
    }
    if parameters.is_empty() {
        return Err(stored.field("head.0.weight", "is missing: a network needs a public head"));
    }
    if width != classes {
        let problem = format!("gives {width} logits for {classes} classes");
        return Err(stored.field(&format!("head.{}.weight", parameters.len() / 2 - 1), problem));
    }
    Ok(Parameters(parameters))
}

/// One side of a stored tensor, within limits.
fn side(stored: &Stored, name: &str, axis: usize) -> Result<usize, FileError> {
    let (shape, _) = stored.floats(name)?;
    match shape.get(axis) {
        Some(&side) if (1..=SIDE_LIMIT).contains(&side) => Ok(side),
        _ => Err(stored.field(name, format!("has shape {shape:?}: sides go from 1 to {SIDE_LIMIT}"))),
    }
}

/// A matrix of `columns` columns, transposed.
pub(crate) fn transpose(values: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| values.iter().skip(column).step_by(columns).copied()).collect()
}
