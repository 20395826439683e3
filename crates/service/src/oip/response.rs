//! The answer to an inference request.

use serde_json::{Value, json};

use super::{OipError, RequestedOutput};

/// The values of a tensor, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// `INT64`.
    Int64(Vec<i64>),
    /// `FP32`.
    Fp32(Vec<f32>),
    /// `BYTES`, as text.
    Text(Vec<String>),
}

/// A tensor of the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputTensor {
    /// Its name.
    pub name: &'static str,
    /// Its extents.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: Values,
    /// Names of its columns; empty if they have none.
    pub labels: Vec<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct InferResponse {
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The request's.
    pub id: Option<String>,
    /// The tensors.
    pub outputs: Vec<OutputTensor>,
}

impl Values {
    /// Places and texts of the greatest values of a row, in order; none for values that have no order.
    fn greatest(&self, row: std::ops::Range<usize>, most: usize) -> Option<Vec<(usize, String)>> {
        fn sorted<T: Copy>(row: &[T], most: usize, order: impl Fn(T, T) -> std::cmp::Ordering) -> Vec<(usize, T)> {
            let mut places: Vec<(usize, T)> = row.iter().copied().enumerate().collect();
            // The first of equals stays first.
            places.sort_by(|one, other| order(other.1, one.1));
            places.truncate(most);
            places
        }
        match self {
            Self::Int64(values) => {
                let places = sorted(values.get(row)?, most, |one, other| one.cmp(&other));
                Some(places.into_iter().map(|(place, value)| (place, value.to_string())).collect())
            }
            Self::Fp32(values) => {
                let places = sorted(values.get(row)?, most, |one, other| one.total_cmp(&other));
                // As C writes a float.
                Some(places.into_iter().map(|(place, value)| (place, format!("{value:.6}"))).collect())
            }
            Self::Text(_) => None,
        }
    }

    /// Its name in the protocol.
    pub(crate) fn datatype(&self) -> &'static str {
        match self {
            Self::Int64(_) => "INT64",
            Self::Fp32(_) => "FP32",
            Self::Text(_) => "BYTES",
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Int64(values) => json!(values),
            Self::Fp32(values) => json!(values),
            Self::Text(values) => json!(values),
        }
    }

    /// In the binary form.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Int64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::Fp32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::Text(values) => {
                let element = |text: &String| [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
                values.iter().flat_map(element).collect()
            }
        }
    }
}

/// An output, whether it is wanted in binary, and how many classes of it.
pub(crate) type Selected<'a> = (&'a OutputTensor, bool, Option<usize>);

impl InferResponse {
    /// The body, and where its JSON part ends if bytes follow it. `wanted`: the outputs asked for, all if empty.
    ///
    /// # Errors
    /// An output that was asked for does not exist.
    pub fn body(self, wanted: &[RequestedOutput], binary: bool) -> Result<(Vec<u8>, Option<usize>), OipError> {
        let mut tensors = Vec::new();
        let mut tail = Vec::new();
        for (output, binary, classification) in self.select(wanted, binary)? {
            let classes = classification.and_then(|most| output.classes(most));
            let output = classes.as_ref().unwrap_or(output);
            let mut tensor = json!({
                "name": output.name, "datatype": output.values.datatype(), "shape": output.shape,
            });
            if binary {
                let bytes = output.values.bytes();
                tensor["parameters"] = json!({ "binary_data_size": bytes.len() });
                tail.extend(bytes);
            } else {
                tensor["data"] = output.values.json();
            }
            tensors.push(tensor);
        }
        let mut answer = json!({ "model_name": self.model, "model_version": self.version, "outputs": tensors });
        if let Some(id) = self.id {
            answer["id"] = json!(id);
        }
        let mut body = answer.to_string().into_bytes();
        let end = (!tail.is_empty()).then_some(body.len());
        body.extend(tail);
        Ok((body, end))
    }

    /// Whether every output that is asked for exists, and can be had in the form that is asked for.
    ///
    /// # Errors
    /// One does not, or cannot.
    pub fn check(&self, wanted: &[RequestedOutput]) -> Result<(), OipError> {
        self.select(wanted, false).map(|_| ())
    }

    /// The outputs that are asked for, each with whether it is wanted in binary, and how many classes of it.
    ///
    /// # Errors
    /// As [`InferResponse::check`].
    pub(crate) fn select(&self, wanted: &[RequestedOutput], binary: bool) -> Result<Vec<Selected<'_>>, OipError> {
        if wanted.is_empty() {
            return Ok(self.outputs.iter().map(|output| (output, binary, None)).collect());
        }
        let find = |request: &RequestedOutput| {
            let known = || self.outputs.iter().map(|output| output.name).collect::<Vec<_>>().join(", ");
            let wrong =
                |problem| OipError::Name { kind: "output", name: request.name.clone(), problem, known: known() };
            let output = self.outputs.iter().find(|output| output.name == request.name);
            let output = output.ok_or_else(|| wrong("is unknown"))?;
            if request.classification.is_some() && matches!(output.values, Values::Text(_)) {
                return Err(wrong("has no classes: it is text, and classification needs numbers"));
            }
            Ok((output, request.binary.unwrap_or(binary), request.classification))
        };
        wanted.iter().map(find).collect()
    }
}

impl OutputTensor {
    /// The greatest values of every row, as Triton's classification extension writes them; none for a tensor of text.
    pub(crate) fn classes(&self, most: usize) -> Option<Self> {
        let (rows, columns) = match self.shape.as_slice() {
            &[rows, columns] => (rows, columns),
            _ => return None,
        };
        let most = most.min(columns);
        let mut text = Vec::with_capacity(rows * most);
        for row in 0..rows {
            for (place, value) in self.values.greatest(row * columns..(row + 1) * columns, most)? {
                text.push(match self.labels.get(place) {
                    Some(label) => format!("{value}:{place}:{label}"),
                    None => format!("{value}:{place}"),
                });
            }
        }
        Some(Self { name: self.name, shape: vec![rows, most], values: Values::Text(text), labels: Vec::new() })
    }
}
