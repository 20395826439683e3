//! The inputs to rebuild, and the outputs to rebuild them from.

use crate::outputs::Outputs;

/// Outputs with the inputs they came from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Outputs, row-major, N·`width`, finite.
    pub outputs: &'a Outputs,
    /// Outputs per item.
    pub width: usize,
    /// Inputs, row-major, N·`height`·`across`, 0..255.
    pub pixels: &'a [u8],
    /// Rows of a picture; 1 for inputs that are not pictures.
    pub height: usize,
    /// Columns of a picture.
    pub across: usize,
    /// Main label of each item, which both decoder and baseline may use.
    pub main: &'a [u32],
    /// Number of main classes.
    pub classes: usize,
}
