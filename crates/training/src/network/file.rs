//! The file of a float network: safetensors, with names like those of PyTorch's linear layers.
//!
//! | tensor | shape |
//! |---|---|
//! | `left.weight`, `left.bias` | `[d, n − 1]`, `[d]` |
//! | `right.weight`, `right.bias` (bilinear only) | `[d, m − 1]`, `[d]` |
//! | `combine.weight` | `[S, d]` |
//! | `head.I.weight`, `head.I.bias` | `[out, in]`, `[out]` |

use std::path::Path;

use encoder::Encoder;
use serde::{Deserialize, Serialize};

use super::{Network, TrainingRecord};
use crate::float::private::UnitKind;
use model::FileError;
use model::layers::{insert_head, read_head, side, transpose};
use model::storage::{self, Stored, Tensors, Values};
use model::{Parameter, Parameters};

const FORMAT: &str = "halflight network";
const VERSION: u32 = 1;

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
    ///
    /// # Errors
    /// A folder that cannot be written to.
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

    /// Reads a network and checks all of its content; a value that is not finite is reported by name.
    ///
    /// # Errors
    /// A file that cannot be read or is damaged, that is not a float network of this version, or whose tensors do not
    /// fit each other and the encoder.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let stored = Stored::read(path)?;
        let about: About = stored.about_of(FORMAT, VERSION)?;
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
        stored.all_read("a float network")?;
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
