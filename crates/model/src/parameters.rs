//! Named float weights.

/// One weight tensor: a name, its shape, its values in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// For example `head.0.weight`.
    pub name: String,
    /// The length of every side.
    pub shape: Vec<usize>,
    /// As many values as the shape has places.
    pub values: Vec<f32>,
}

impl Parameter {
    /// A tensor of this name, shape and values.
    pub fn new(name: impl Into<String>, shape: &[usize], values: Vec<f32>) -> Self {
        let parameter = Self { name: name.into(), shape: shape.to_vec(), values };
        debug_assert_eq!(parameter.shape.iter().product::<usize>(), parameter.values.len());
        parameter
    }
}

/// The weights of one part of a network, in the order in which its forward pass reads them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(pub Vec<Parameter>);

impl Parameters {
    /// The name of the first tensor with a value that is not a finite number.
    pub fn first_not_finite(&self) -> Option<&str> {
        self.0
            .iter()
            .find(|parameter| !parameter.values.iter().all(|value| value.is_finite()))
            .map(|parameter| parameter.name.as_str())
    }
}
