//! Real handwriting, embedded: 1,797 digits written by 13 people (UCI, CC BY 4.0).
//!
//! Source: E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, 1998, test part,
//! in the copy of scikit-learn. Each image is 8×8; each pixel counts the inked pixels of a 4×4 block.

use std::collections::BTreeMap;

use crate::{Dataset, Labels};

const SIDE: usize = 8;

/// Records of 64 pixels in 0..=16 and the digit.
const RECORDS: &[[u8; SIDE * SIDE + 1]] = include_bytes!("../data/digits.bin").as_chunks().0;

/// The digits, ink bright (0..=16 scaled to 0..=255), with three labels. `digit` is the digit. `loop` says whether it
/// has a closed loop (0, 6, 8, 9; 4 counts as having none, open or closed). `ink` says whether the image holds more ink
/// than the median image of its digit; it is a habit of the writer, and nearly balanced within every digit.
pub fn digits() -> Dataset {
    let mut images = Vec::with_capacity(RECORDS.len() * SIDE * SIDE);
    let mut digits = Vec::with_capacity(RECORDS.len());
    for [pixels @ .., digit] in RECORDS {
        images.extend(pixels.iter().map(|&count| (u32::from(count) * 255 / 16) as u8));
        digits.push(u32::from(*digit));
    }
    let loops = digits.iter().map(|digit| u32::from([0, 6, 8, 9].contains(digit))).collect();
    let digit =
        Labels { name: "digit".into(), classes: (0..10).map(|digit| digit.to_string()).collect(), values: digits };
    let closed = Labels { name: "loop".into(), classes: vec!["open".into(), "closed".into()], values: loops };
    let ink = Labels {
        name: "ink".into(),
        classes: vec!["light".into(), "heavy".into()],
        values: ink(&images, &digit.values),
    };
    let about = BTreeMap::from([
        ("generator".to_string(), "UCI handwritten digits, test part".to_string()),
        ("licence".to_string(), "CC BY 4.0, E. Alpaydin and C. Kaynak, doi:10.24432/C50P49".to_string()),
    ]);
    Dataset::assemble(SIDE, SIDE, images, vec![digit, closed, ink], about)
}

/// 1 for each image with more ink than the median image of its digit.
fn ink(images: &[u8], digits: &[u32]) -> Vec<u32> {
    let amounts: Vec<u32> =
        images.chunks_exact(SIDE * SIDE).map(|image| image.iter().map(|&pixel| u32::from(pixel)).sum()).collect();
    let median = |digit| {
        let mut same: Vec<u32> = amounts.iter().zip(digits).filter(|&(_, &d)| d == digit).map(|(&a, _)| a).collect();
        let middle = same.len() / 2;
        *same.select_nth_unstable(middle).1
    };
    let medians: Vec<u32> = (0..10).map(median).collect();
    amounts.iter().zip(digits).map(|(&amount, &digit)| u32::from(amount > medians[digit as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_is_nearly_balanced_within_every_digit() {
        let data = digits();
        let [digit, _, ink] = data.columns() else { panic!("three labels") };
        for class in 0..10 {
            let within: Vec<u32> =
                digit.values.iter().zip(&ink.values).filter(|&(&d, _)| d == class).map(|(_, &ink)| ink).collect();
            let heavy = within.iter().sum::<u32>() as f64 / within.len() as f64;
            assert!((0.45..=0.5).contains(&heavy), "digit {class}: {heavy}");
        }
    }
}
