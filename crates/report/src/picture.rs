//! Small grey pictures inside the page.

use super::text::escape;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Eight grey levels would do for a digit; all 256 are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    png: Vec<u8>,
    width: usize,
    height: usize,
    caption: String,
}

/// Largest width and height of a picture on a page.
const SIDE: usize = 1024;

impl Picture {
    /// A grey picture, row-major, 0 black; `None` unless there are `width`·`height` pixels and both
    /// sides are 1 to 1024.
    pub fn grey(pixels: &[u8], width: usize, height: usize, caption: &str) -> Option<Picture> {
        let sides = (1..=SIDE).contains(&width) && (1..=SIDE).contains(&height);
        if !sides || pixels.len() != width * height {
            return None;
        }
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, width as u32, height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels)).ok()?;
        Some(Picture { png, width, height, caption: caption.to_owned() })
    }

    pub(super) fn html(&self) -> String {
        let caption = escape(&self.caption);
        let data = STANDARD.encode(&self.png);
        // Small pictures are enlarged to whole multiples.
        let zoom = (96 / self.width.max(self.height)).max(1);
        format!(
            "<figure class=\"picture\"><img alt=\"{caption}\" width=\"{}\" height=\"{}\" \
             src=\"data:image/png;base64,{data}\"><figcaption>{caption}</figcaption></figure>\n",
            self.width * zoom,
            self.height * zoom,
        )
    }
}
