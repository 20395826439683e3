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
    fn datatype(&self) -> &'static str {
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

    fn bytes(&self) -> Vec<u8> {
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

impl InferResponse {
    /// The body, and where its JSON part ends if bytes follow it. `wanted`: the outputs asked for, all if empty.
    ///
    /// # Errors
    /// An output that was asked for does not exist.
    pub fn body(self, wanted: &[RequestedOutput], binary: bool) -> Result<(Vec<u8>, Option<usize>), OipError> {
        let mut tensors = Vec::new();
        let mut tail = Vec::new();
        for (output, binary) in self.select(wanted, binary)? {
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

    fn select(&self, wanted: &[RequestedOutput], binary: bool) -> Result<Vec<(&OutputTensor, bool)>, OipError> {
        if wanted.is_empty() {
            return Ok(self.outputs.iter().map(|output| (output, binary)).collect());
        }
        let find = |request: &RequestedOutput| {
            let found = self.outputs.iter().find(|output| output.name == request.name);
            found.map(|output| (output, request.binary.unwrap_or(binary))).ok_or_else(|| OipError::Name {
                kind: "output",
                name: request.name.clone(),
                problem: "is unknown",
                known: self.outputs.iter().map(|output| output.name).collect::<Vec<_>>().join(", "),
            })
        };
        wanted.iter().map(find).collect()
    }
}
