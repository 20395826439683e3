//! What is rebuilt, and from what.

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
    /// Rows of a picture; 1 for inputs that are no pictures.
    pub height: usize,
    /// Columns of a picture.
    pub across: usize,
    /// Main label of each item: the decoder may use it, the baseline too.
    pub main: &'a [u32],
    /// Number of main classes.
    pub classes: usize,
}
