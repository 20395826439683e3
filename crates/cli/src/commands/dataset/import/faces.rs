//! `halflight dataset import faces`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use dataset::import::{self, Crop, FaceOptions, PictureOptions};

use super::{Target, finish};
use crate::console::Console;

/// Reads faces with the labels `age` (in bands), `gender` and, in UTKFace, `race`.
#[derive(Args)]
#[command(after_help = "A folder is read as UTKFace (age_gender_race_date.jpg), a .mat file for the description of \
    IMDB-WIKI next to its pictures. Other collections: `dataset import pictures --csv`.\n\nExamples:\n  \
    halflight dataset import faces UTKFace --skip-bad --out faces.safetensors\n  \
    halflight dataset import faces wiki_crop/wiki.mat --skip-bad --out faces.safetensors")]
pub struct Faces {
    /// Folder, or `imdb.mat` or `wiki.mat`
    source: PathBuf,
    #[command(flatten)]
    target: Target,
    /// Rows and columns of the data set
    #[arg(long, default_value_t = 32)]
    size: usize,
    /// Stretch pictures of another shape instead of cropping them
    #[arg(long)]
    stretch: bool,
    /// Refuse pictures with fewer rows or columns than this
    #[arg(long, default_value_t = 1, value_name = "PIXELS")]
    smallest: u32,
    /// The youngest age of each band
    #[arg(long, value_delimiter = ',', default_value = "0,20,30,40,50,60")]
    ages: Vec<u32>,
    /// IMDB-WIKI: leave out faces with a lower detector score
    #[arg(long, default_value_t = 1.0)]
    score: f64,
    /// IMDB-WIKI: keep pictures in which a second face was found
    #[arg(long)]
    with_second: bool,
    /// IMDB-WIKI: pictures are not cropped; cut out each face with this margin, as a fraction of its size
    #[arg(long, value_name = "MARGIN")]
    locate: Option<f64>,
}

impl Faces {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.target.path()?;
        let crop = if self.stretch { Crop::Stretch } else { Crop::Centre };
        let options = FaceOptions {
            picture: PictureOptions {
                height: self.size,
                width: self.size,
                crop,
                smallest: self.smallest,
                budget: self.target.memory,
            },
            ages: self.ages,
            score: self.score,
            single: !self.with_second,
            locate: self.locate,
        };
        let bar = console.bar("reading faces");
        let description = self.source.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mat"));
        let (imported, layout) = if description {
            (import::imdb_faces(&self.source, &options, self.target.skip_bad, &bar)?, "IMDB-WIKI's description")
        } else {
            (import::utk_faces(&self.source, &options, self.target.skip_bad, &bar)?, "UTKFace's file names")
        };
        bar.finish_and_clear();
        finish(&imported, &format!("faces, labels from {layout}"), path, console)
    }
}
