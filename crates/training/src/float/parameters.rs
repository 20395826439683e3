//! Weights on the host, and the leaves of one gradient computation that they become.
//!
//! Weights live in plain vectors between steps: optimiser, clipping, rounding and checkpoints work
//! on numbers that are the same on every device, and only the forward and backward passes use tensors.

use burn::tensor::{Device, Gradients, Tensor, TensorData};
use model::{Parameter, Parameters};

/// Operations of training on weights.
pub(crate) trait Trained {
    /// The private part with only these rows of its left and right weights.
    fn rows(&self, rows: &[Vec<usize>; 2]) -> Self;

    /// Turns gradients for [`rows`](Self::rows) into gradients for all weights: 0 for the rows left out.
    fn spread_rows(&self, rows: &[Vec<usize>; 2], gradients: &mut [Vec<f32>]);

    /// Sets the rows of the left and the right weights that are not among these to 0.
    fn forget_rows_but(&mut self, rows: &[Vec<usize>; 2]);

    /// Puts the weights on a device; with `tracked`, as leaves whose gradients can be requested.
    fn bind(&self, device: &Device, tracked: bool) -> Leaves;
}

impl Trained for Parameters {
    fn rows(&self, rows: &[Vec<usize>; 2]) -> Self {
        let mut part = self.clone();
        for (parameter, rows) in projections(&mut part, rows) {
            let columns = parameter.shape[1];
            let values = rows.iter().flat_map(|&row| &parameter.values[row * columns..][..columns]);
            parameter.values = values.copied().collect();
            parameter.shape[0] = rows.len();
        }
        part
    }

    fn spread_rows(&self, rows: &[Vec<usize>; 2], gradients: &mut [Vec<f32>]) {
        let projections = self.0.len() - 1;
        for ((parameter, rows), gradient) in self.0[..projections].iter().zip(rows).zip(gradients) {
            let columns = parameter.shape[1];
            let mut all = vec![0.0; parameter.values.len()];
            for (&row, gradient) in rows.iter().zip(gradient.chunks_exact(columns)) {
                all[row * columns..][..columns].copy_from_slice(gradient);
            }
            *gradient = all;
        }
    }

    fn forget_rows_but(&mut self, rows: &[Vec<usize>; 2]) {
        for (parameter, rows) in projections(self, rows) {
            let columns = parameter.shape[1];
            let mut kept = vec![0.0; parameter.values.len()];
            for &row in rows {
                let place = row * columns..(row + 1) * columns;
                kept[place.clone()].copy_from_slice(&parameter.values[place]);
            }
            parameter.values = kept;
        }
    }

    fn bind(&self, device: &Device, tracked: bool) -> Leaves {
        let bind = |parameter: &Parameter| {
            let data = TensorData::new(parameter.values.clone(), [parameter.values.len()]);
            let leaf = Tensor::<1>::from_data(data, device);
            if tracked { leaf.require_grad() } else { leaf }
        };
        Leaves { leaves: self.0.iter().map(bind).collect(), shapes: self.0.iter().map(|p| p.shape.clone()).collect() }
    }
}

/// The left and, if there is one, the right projection of a private part, each with its rows.
fn projections<'a>(
    part: &'a mut Parameters,
    rows: &'a [Vec<usize>; 2],
) -> impl Iterator<Item = (&'a mut Parameter, &'a Vec<usize>)> {
    let projections = part.0.len() - 1;
    part.0[..projections].iter_mut().zip(rows)
}

/// Weights on a device, one flat leaf each.
pub(crate) struct Leaves {
    leaves: Vec<Tensor<1>>,
    shapes: Vec<Vec<usize>>,
}

impl Leaves {
    pub(crate) fn len(&self) -> usize {
        self.leaves.len()
    }

    pub(crate) fn device(&self) -> Device {
        self.leaves[0].device()
    }

    /// The tensor at `position`, in its own shape. The rank must be that of the parameter.
    pub(crate) fn get<const RANK: usize>(&self, position: usize) -> Tensor<RANK> {
        let mut shape = [0; RANK];
        shape.copy_from_slice(&self.shapes[position]);
        self.leaves[position].clone().reshape(shape)
    }

    /// Gradients in the order of the parameters; zero where the loss did not reach one.
    pub(crate) fn gradients(&self, gradients: &mut Gradients) -> Vec<Vec<f32>> {
        self.leaves
            .iter()
            .map(|leaf| match leaf.grad_remove(gradients) {
                Some(gradient) => to_host(gradient),
                None => vec![0.0; leaf.dims()[0]],
            })
            .collect()
    }
}

/// The values of a tensor, row-major. A failed read becomes NaN, which every caller reports by name.
pub(crate) fn to_host<const RANK: usize>(tensor: Tensor<RANK>) -> Vec<f32> {
    let count = tensor.dims().iter().product();
    tensor.try_into_vec_as::<f32>().unwrap_or_else(|_| vec![f32::NAN; count])
}

/// A matrix on a device.
pub(crate) fn matrix(values: Vec<f32>, rows: usize, columns: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, [rows, columns]), device)
}
