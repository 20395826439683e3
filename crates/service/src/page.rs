//! What the predictor's page shows of a model besides its public parameters: samples to pick, and the outputs of many
//! items whose labels are known, so that a new output can be seen among them.
//!
//! ```json
//! {"format": "halflight page", "version": 1, "network": "9f…",
//!  "main": {"name": "character", "classes": ["0", …]}, "collateral": {"name": "font", "classes": […]},
//!  "height": 28, "width": 28,
//!  "ink": {"row": 0.5, "column": 0.5, "extent": 0.7, "stroke": 0.08},
//!  "samples": [{"pixels": "base64 of height × width bytes", "main": 3, "collateral": 0, "output": [S integers]}],
//!  "cloud": {"outputs": [[S integers], …], "main": [class, …], "collateral": [class, …]}}
//! ```
//!
//! Items that are no pictures have version 2, which says how an item is made of what an owner has ([`Form`]) instead of how
//! ink lies: `"form": {"table": {"columns": […]}}` or `"form": {"sound": {"bands": 20, …}}`. Samples of a table have their
//! values besides: `"values": ["39", "Ulm", …]`.
//!
//! Everything in it becomes public with the page: make it from data that may be shown.

use std::collections::btree_map::Entry;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoder::{Images, Pixels};
use items::{EncoderMismatch, Form, RecordReader};
use model::{CompiledNetwork, EvaluateError};
use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::ink::Ink;

const FORMAT: &str = "halflight page";
/// Maximum size of such a file in bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// Maximum number of points in the cloud: enough to show the classes, few enough to send and draw at once.
pub const POINTS: usize = 1500;

/// Samples and cloud of one compiled network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageFile {
    format: String,
    version: u32,
    /// Hash of the compiled network.
    pub network: Hash,
    main: Names,
    collateral: Names,
    height: usize,
    width: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ink: Option<Ink>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<Form>,
    samples: Vec<Sample>,
    cloud: Cloud,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    name: String,
    classes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    pixels: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<Vec<String>>,
    main: u32,
    collateral: u32,
    output: Vec<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cloud {
    outputs: Vec<Vec<i64>>,
    main: Vec<u32>,
    collateral: Vec<u32>,
}

/// A page file that cannot be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// Not one label for each item, or one that has no class.
    #[error(
        "page: {items} items have {labels} labels of `{label}`, each one of {classes} classes; give one for each item"
    )]
    Labels {
        /// The label.
        label: String,
        /// How many items there are.
        items: usize,
        /// How many labels.
        labels: usize,
        /// How many classes.
        classes: usize,
    },
    /// The items do not suit the network.
    #[error("page: {0}; give data of the kind that the network was trained on")]
    Evaluate(#[from] EvaluateError),
    /// Nothing to show.
    #[error("page: the data set has no items; give one that has some")]
    Empty,
    /// The items are no pictures, and nothing says how they are made of what an owner has.
    #[error(
        "page: the data set does not say how its columns were made of a table or of recordings; import them again with \
         this version"
    )]
    Features,
    /// Items of another form than the network was fitted on.
    #[error("page: {0}")]
    Encoder(#[from] EncoderMismatch),
    /// Not laid out as a page file, or at odds with itself.
    #[error("page: not a page file: {0}; make it again with `halflight page`")]
    Format(String),
}

/// A label of every item of a set.
#[derive(Clone, Copy, Debug)]
pub struct Label<'a> {
    /// Names of its classes.
    pub classes: &'a [String],
    /// The class of every item.
    pub values: &'a [u32],
}

/// Items with both labels.
#[derive(Clone, Copy)]
pub struct Labelled<'a> {
    /// The items.
    pub images: &'a dyn Images,
    /// How an item is made of what an owner has; none of pictures.
    pub form: Option<&'a Form>,
    /// What the network predicts.
    pub main: Label<'a>,
    /// The attribute that points are marked by.
    pub collateral: Label<'a>,
}

impl Labelled<'_> {
    fn check(&self, main: &str, collateral: &str) -> Result<(), PageError> {
        let items = self.images.len();
        if items == 0 {
            return Err(PageError::Empty);
        }
        if !self.images.are_pictures() && self.form.is_none() {
            return Err(PageError::Features);
        }
        for (name, label) in [(main, self.main), (collateral, self.collateral)] {
            let (labels, classes) = (label.values.len(), label.classes.len());
            if labels != items || label.values.iter().any(|&value| value as usize >= classes) {
                return Err(PageError::Labels { label: name.to_owned(), items, labels, classes });
            }
        }
        Ok(())
    }
}

impl PageFile {
    /// Evaluates `network` in the clear on at most [`POINTS`] items of `data`, evenly spread, and on samples of `shown`.
    /// The samples are the first item of every main class with every value of the attribute `collateral`; in a table,
    /// the first whose values can be recovered from its bytes. Hashed texts cannot, so a table that has them has no
    /// samples.
    ///
    /// # Errors
    /// [`PageError`]: no items, items that are not pictures or do not suit the network, or other numbers of labels.
    pub fn new(
        network: &CompiledNetwork,
        data: Labelled<'_>,
        shown: Labelled<'_>,
        collateral: &str,
    ) -> Result<Self, PageError> {
        for set in [data, shown] {
            set.check(network.main(), collateral)?;
        }
        let points = spread(data.images.len());
        let bytes = bytes_of(data.images, &points);
        let pictures = Pixels { height: data.images.height(), width: data.images.width(), bytes: &bytes };
        let cloud = Cloud {
            outputs: rows(network, &pictures)?,
            main: points.iter().map(|&item| data.main.values[item]).collect(),
            collateral: points.iter().map(|&item| data.collateral.values[item]).collect(),
        };
        let form = data.form.cloned();
        if let Some(form) = &form {
            form.check().map_err(PageError::Format)?;
            form.check_encoder(network.encoder())?;
        }
        let reader = match &form {
            Some(Form::Table(schema)) => Some(RecordReader::new(schema.clone())),
            _ => None,
        };
        let values = |item: usize| reader.as_ref().map(|reader| reader.show(shown.images.image(item)));
        let items = one_of_each(shown.main.values, shown.collateral.values, |item| values(item) != Some(None));
        let chosen = bytes_of(shown.images, &items);
        let outputs =
            rows(network, &Pixels { height: shown.images.height(), width: shown.images.width(), bytes: &chosen })?;
        let sample = |(&item, output)| Sample {
            pixels: STANDARD.encode(shown.images.image(item)),
            values: values(item).flatten(),
            main: shown.main.values[item],
            collateral: shown.collateral.values[item],
            output,
        };
        let file = Self {
            format: FORMAT.into(),
            version: if form.is_some() { 2 } else { 1 },
            network: Hash(network.hash()),
            main: Names { name: network.main().to_owned(), classes: data.main.classes.to_vec() },
            collateral: Names { name: collateral.to_owned(), classes: data.collateral.classes.to_vec() },
            height: pictures.height,
            width: pictures.width,
            ink: form.is_none().then(|| Ink::of(&pictures)),
            form,
            samples: items.iter().zip(outputs).map(sample).collect(),
            cloud,
        };
        file.check().map_err(PageError::Format)?;
        Ok(file)
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and numbers: cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a file and checks that its parts fit together.
    ///
    /// # Errors
    /// [`PageError::Format`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PageError> {
        if bytes.len() > MAX_BYTES {
            return Err(PageError::Format(format!("{} bytes, more than {MAX_BYTES}", bytes.len())));
        }
        let file: Self = serde_json::from_slice(bytes).map_err(|error| PageError::Format(error.to_string()))?;
        file.check().map_err(PageError::Format)?;
        Ok(file)
    }

    /// Points of the cloud and samples.
    pub fn counts(&self) -> (usize, usize) {
        (self.cloud.outputs.len(), self.samples.len())
    }

    fn check(&self) -> Result<(), String> {
        if self.format != FORMAT || self.version != if self.form.is_some() { 2 } else { 1 } {
            return Err(format!("format '{}', version {}", self.format, self.version));
        }
        if self.form.is_some() == self.ink.is_some() {
            return Err("it has ink, which pictures have, or a form, which others have: one of them".into());
        }
        if let Some(form) = &self.form {
            form.check()?;
            if form.size() != (self.height, self.width) {
                return Err(format!("its form does not make items of {}x{}", self.height, self.width));
            }
        }
        let points = self.cloud.outputs.len();
        if points != self.cloud.main.len() || points != self.cloud.collateral.len() {
            return Err("the cloud has other numbers of outputs and labels".into());
        }
        let outputs = self.cloud.outputs.first().map_or(0, Vec::len);
        let all = || self.cloud.outputs.iter().chain(self.samples.iter().map(|sample| &sample.output));
        if outputs == 0 || all().any(|row| row.len() != outputs) {
            return Err("not every item has the same number of outputs".into());
        }
        let known = |value: &u32, names: &Names| (*value as usize) < names.classes.len();
        let labels = self.cloud.main.iter().zip(&self.cloud.collateral);
        let labels = labels.chain(self.samples.iter().map(|sample| (&sample.main, &sample.collateral)));
        for (main, collateral) in labels {
            if !known(main, &self.main) || !known(collateral, &self.collateral) {
                return Err(format!("a label ({main}, {collateral}) has no class name"));
            }
        }
        let size = self.height.checked_mul(self.width);
        for sample in &self.samples {
            if STANDARD.decode(&sample.pixels).ok().map(|pixels| pixels.len()) != size {
                return Err(format!("a sample does not have {}x{} pixels", self.height, self.width));
            }
            let columns = match &self.form {
                Some(Form::Table(schema)) => Some(schema.columns.len()),
                _ => None,
            };
            if sample.values.as_ref().map(Vec::len) != columns {
                return Err("a sample does not have one value for each column of a table".into());
            }
        }
        Ok(())
    }
}

/// The pixels of some items, one after another.
fn bytes_of(images: &dyn Images, items: &[usize]) -> Vec<u8> {
    items.iter().flat_map(|&item| images.image(item)).copied().collect()
}

fn rows(network: &CompiledNetwork, data: &Pixels<'_>) -> Result<Vec<Vec<i64>>, EvaluateError> {
    Ok(network.evaluate_all(data)?.chunks(network.outputs()).map(<[i64]>::to_vec).collect())
}

/// At most [`POINTS`] of `len` items, by multiples of the golden ratio: spread evenly, without the rhythm of a fixed
/// step, which would meet only one item of each pair in data that come in pairs.
fn spread(len: usize) -> Vec<usize> {
    if len <= POINTS {
        return (0..len).collect();
    }
    let share = |point: usize| (point as f64 * 0.618_033_988_749_895).fract();
    let items: std::collections::BTreeSet<usize> =
        (0..POINTS).map(|point| (share(point) * len as f64) as usize).collect();
    items.into_iter().collect()
}

/// The first item of every pair of labels that can be shown, in the order of the labels.
fn one_of_each(main: &[u32], collateral: &[u32], can_be_shown: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut first = std::collections::BTreeMap::new();
    for (item, labels) in main.iter().zip(collateral).enumerate() {
        if let Entry::Vacant(place) = first.entry(labels)
            && can_be_shown(item)
        {
            place.insert(item);
        }
    }
    first.into_values().collect()
}
