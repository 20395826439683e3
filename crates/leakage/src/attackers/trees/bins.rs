//! Columns cut at quantiles into at most 256 bins, so that a split is a small table look-up.

/// Cut points of every column.
pub(super) struct Bins {
    cuts: Vec<Vec<f32>>,
}

impl Bins {
    /// Cuts between distinct values at the quantiles of every column of the training rows.
    pub fn fit(rows: &[f32], width: usize) -> Bins {
        let cuts = (0..width).map(|axis| {
            let column = rows.iter().skip(axis).step_by(width).copied();
            let mut sorted: Vec<f32> = column.collect();
            sorted.sort_by(f32::total_cmp);
            let mut cuts: Vec<f32> = (1..256)
                .map(|q| sorted[(q * sorted.len() / 256).min(sorted.len() - 1)])
                .filter(|&cut| cut > sorted[0])
                .collect();
            cuts.dedup();
            cuts
        });
        Bins { cuts: cuts.collect() }
    }

    /// Bin codes, one column after the other; code = number of cuts ≤ value.
    pub fn code(&self, rows: &[f32]) -> Vec<Vec<u8>> {
        let width = self.cuts.len();
        let coded = self.cuts.iter().enumerate().map(|(axis, cuts)| {
            let column = rows.iter().skip(axis).step_by(width);
            column.map(|x| cuts.partition_point(|cut| cut <= x) as u8).collect()
        });
        coded.collect()
    }
}
