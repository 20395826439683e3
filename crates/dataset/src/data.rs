//! The data set in memory: grey images of one size and any number of label columns.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::DatasetError;
use items::Features;

use crate::schema::{LabelColumn, Schema};

/// Keys of [`Dataset::about`] that the file format uses itself.
pub(crate) const RESERVED: [&str; 6] = ["classes", "features", "format", "labels", "schema", "version"];

/// Names that a label column cannot have, because the file holds tensors of these names.
const TENSORS: [&str; 3] = ["features", "images", "__metadata__"];

/// Grey images `[N, H, W]` of one byte per pixel, with label columns of `N` values each.
///
/// Every constructor checks the same rules, so a `Dataset` that exists is consistent: the sizes
/// agree, every label value has a class name, and names are unique.
///
/// The bytes may also stand for measured values, such as the columns of a table or the energies of sound in `H` bands
/// and `W` frames; [`features`](Self::features) then gives their scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    count: usize,
    height: usize,
    width: usize,
    images: Vec<u8>,
    labels: Vec<Labels>,
    features: Option<Features>,
    schema: Option<Schema>,
    about: BTreeMap<String, String>,
}

/// One label column: a class index per item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The column's name, such as `character`.
    pub name: String,
    /// The name of each class, in the order of the values.
    pub classes: Vec<String>,
    /// One value per item, each less than `classes.len()`.
    pub values: Vec<u32>,
}

impl Dataset {
    /// A data set of `images.len() / (height * width)` images, row by row.
    ///
    /// `about` is free text by key (`generator`, `seed`, a licence …) that travels with the file.
    pub fn new(
        height: usize,
        width: usize,
        images: Vec<u8>,
        labels: Vec<Labels>,
        about: BTreeMap<String, String>,
    ) -> Result<Self, DatasetError> {
        let pixels = height.checked_mul(width).filter(|&pixels| pixels > 0);
        let pixels = pixels.ok_or(DatasetError::Size { height, width })?;
        if !images.len().is_multiple_of(pixels) {
            return Err(DatasetError::Pixels { pixels: images.len(), height, width });
        }
        let count = images.len() / pixels;
        check_labels(&labels, count)?;
        if let Some(key) = about.keys().find(|key| RESERVED.contains(&key.as_str())) {
            return Err(DatasetError::ReservedKey { key: key.clone() });
        }
        Ok(Self { count, height, width, images, labels, features: None, schema: None, about })
    }

    /// As [`new`](Self::new), for parts that are consistent by construction.
    pub(crate) fn assemble(
        height: usize,
        width: usize,
        images: Vec<u8>,
        labels: Vec<Labels>,
        about: BTreeMap<String, String>,
    ) -> Self {
        debug_assert_eq!(check_labels(&labels, images.len() / (height * width)), Ok(()));
        Self {
            count: images.len() / (height * width),
            height,
            width,
            images,
            labels,
            features: None,
            schema: None,
            about,
        }
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Rows of an image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of an image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The pixels of image `item`, row by row.
    ///
    /// # Panics
    /// If `item` is not less than [`len`](Self::len), as a slice does.
    pub fn image(&self, item: usize) -> &[u8] {
        let pixels = self.height * self.width;
        &self.images[item * pixels..][..pixels]
    }

    /// All pixels, image after image.
    pub fn images(&self) -> &[u8] {
        &self.images
    }

    /// The label column `name`.
    pub fn labels(&self, name: &str) -> Result<&Labels, DatasetError> {
        self.labels.iter().find(|column| column.name == name).ok_or_else(|| DatasetError::NoLabel {
            name: name.into(),
            known: self.labels.iter().map(|column| column.name.clone()).collect(),
        })
    }

    /// All label columns in their order.
    pub fn columns(&self) -> &[Labels] {
        &self.labels
    }

    /// Adds a label column.
    pub fn add_labels(&mut self, column: Labels) -> Result<(), DatasetError> {
        self.labels.push(column);
        check_labels(&self.labels, self.count).inspect_err(|_| drop(self.labels.pop()))
    }

    /// What the bytes stand for, if they are not pixels.
    pub fn features(&self) -> Option<&Features> {
        self.features.as_ref()
    }

    /// Sets what the bytes stand for.
    pub fn with_features(mut self, features: Features) -> Result<Self, DatasetError> {
        features.check(self.height, self.width).map_err(|problem| DatasetError::Features { problem })?;
        self.features = Some(features);
        Ok(self)
    }

    /// How the columns were made from a table, if the data set comes from one and records it.
    pub fn schema(&self) -> Option<&Schema> {
        self.schema.as_ref()
    }

    /// The schema with the classes of the labels, by which another file can be read.
    pub fn whole_schema(&self) -> Option<Schema> {
        let Schema { columns, labels } = self.schema.clone()?;
        let labels = labels.into_iter().map(|LabelColumn { name, classes }| match self.labels(&name) {
            Ok(column) => LabelColumn { classes: column.classes.clone(), name },
            Err(_) => LabelColumn { name, classes },
        });
        Some(Schema { columns, labels: labels.collect() })
    }

    /// Sets how the columns were made from a table.
    ///
    /// # Errors
    /// The schema gives other features than the data set has.
    pub fn with_schema(mut self, schema: Schema) -> Result<Self, DatasetError> {
        let fails = |problem: String| DatasetError::Schema { problem };
        schema.check().map_err(fails)?;
        let (width, pixels) = (schema.width(), self.height * self.width);
        if width != pixels {
            return Err(fails(format!("its columns make {width} features, and a row has {pixels}")));
        }
        let own = schema.features();
        let features = self.features.as_ref().ok_or_else(|| fails("the data set has no scale".into()))?;
        // Arrays have no names for their columns.
        let named = features.names.is_empty() || features.names == own.names;
        if !named || (&features.low, &features.step) != (&own.low, &own.step) {
            return Err(fails("its names or scales are not those of `features`".into()));
        }
        self.schema = Some(schema);
        Ok(self)
    }

    /// What the data set records about itself: generator, seed, licence …
    pub fn about(&self) -> &BTreeMap<String, String> {
        &self.about
    }

    /// The given items in the given order, repeats allowed; classes and metadata stay.
    ///
    /// # Panics
    /// If an item is not less than [`len`](Self::len), as a slice does.
    pub fn subset(&self, items: &[usize]) -> Dataset {
        let mut images = Vec::with_capacity(items.len() * self.height * self.width);
        for &item in items {
            images.extend_from_slice(self.image(item));
        }
        let labels = self.labels.iter().map(|column| Labels {
            name: column.name.clone(),
            classes: column.classes.clone(),
            values: items.iter().map(|&item| column.values[item]).collect(),
        });
        Dataset {
            count: items.len(),
            height: self.height,
            width: self.width,
            images,
            labels: labels.collect(),
            features: self.features.clone(),
            schema: self.schema.clone(),
            about: self.about.clone(),
        }
    }
}

fn check_labels(labels: &[Labels], count: usize) -> Result<(), DatasetError> {
    let mut names = BTreeSet::new();
    for Labels { name, classes, values } in labels {
        if name.is_empty() || TENSORS.contains(&name.as_str()) || !names.insert(name) {
            return Err(DatasetError::LabelName { name: name.clone() });
        }
        if values.len() != count {
            return Err(DatasetError::Count { name: name.clone(), found: values.len(), expected: count });
        }
        let mut seen = BTreeSet::new();
        if let Some(class) = classes.iter().find(|class| !seen.insert(*class)) {
            return Err(DatasetError::ClassName { name: name.clone(), class: class.clone() });
        }
        let wrong = values.iter().position(|&value| value as usize >= classes.len());
        if let Some(item) = wrong {
            let value = values[item].into();
            return Err(DatasetError::Range { name: name.clone(), item, value, classes: classes.len() });
        }
    }
    Ok(())
}

impl encoder::Images for Dataset {
    fn len(&self) -> usize {
        self.count
    }

    fn height(&self) -> usize {
        self.height
    }

    fn width(&self) -> usize {
        self.width
    }

    fn image(&self, item: usize) -> &[u8] {
        Dataset::image(self, item)
    }

    fn are_pictures(&self) -> bool {
        self.features.is_none()
    }

    fn schema_hash(&self) -> Option<String> {
        Dataset::schema_hash(self)
    }
}
