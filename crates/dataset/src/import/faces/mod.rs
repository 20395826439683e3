//! Faces with age and gender: UTKFace and IMDB-WIKI in their published form.
//!
//! Labels: `age` in bands, `gender` (female, male), and for UTKFace `race` as its authors define it.
//! For other collections use [`pictures`](super::pictures()) with a CSV file.

mod matlab;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use host::Progress;
use serde::{Deserialize, Serialize};

use self::matlab::Value;
use super::listing::Entry;
use super::pictures::{self, EXTENSIONS, PictureOptions, Region};
use super::{Budget, ImportError, Imported, Job, LabelSource, Skipped, inside};

/// Options of the imported faces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaceOptions {
    /// Size and crop.
    pub picture: PictureOptions,
    /// The youngest age of each band, ascending from 0.
    pub ages: Vec<u32>,
    /// IMDB-WIKI: leave out faces with a lower detector score.
    pub score: f64,
    /// IMDB-WIKI: leave out pictures in which a second face was found.
    pub single: bool,
    /// IMDB-WIKI: the pictures are whole (not the `_crop` archives): cut the face out at its
    /// published place with this margin, as a fraction of its size.
    pub locate: Option<f64>,
}

impl Default for FaceOptions {
    fn default() -> Self {
        let picture = PictureOptions { height: 32, width: 32, ..Default::default() };
        Self { picture, ages: vec![0, 20, 30, 40, 50, 60], score: 1.0, single: true, locate: None }
    }
}

/// Ages beyond are errors of the collection.
const OLDEST: u32 = 116;

/// What a face takes in memory besides its description.
const FACE: u64 = 512;

const MAT_LIMIT: u64 = 256 << 20;

/// Imports UTKFace: `age_gender_race_date.jpg`.
pub fn utk_faces(
    folder: &Path,
    options: &FaceOptions,
    skip_bad: bool,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    options.check()?;
    let budget = Budget::new(options.picture.budget);
    let listing = LabelSource::Pattern("{age}_{gender}_{race}_{}.jpg".into()).list(folder, &EXTENSIONS, &budget)?;
    let relabel = |entry: Entry| {
        let bad = |reason: String| Skipped { place: entry.path.display().to_string(), reason };
        let age = entry.labels[0].parse().map_err(|_| bad(format!("its age is {}", entry.labels[0])))?;
        let age = options.band(age).ok_or_else(|| bad(format!("its age is {age}")))?;
        let name = |place: usize, names: &[&str]| {
            let number = entry.labels[place].parse::<usize>().ok();
            let name = number.and_then(|number| names.get(number)).map(|name| name.to_string());
            name.ok_or_else(|| bad(format!("its {} is {}", ["age", "gender", "race"][place], entry.labels[place])))
        };
        let gender = name(1, &["male", "female"])?;
        let race = name(2, &["White", "Black", "Asian", "Indian", "Others"])?;
        Ok(Entry { labels: vec![age, gender, race], ..entry.clone() })
    };
    let entries: Vec<_> = listing.entries.into_iter().map(|entry| entry.and_then(relabel)).collect();
    job(folder, options, listing.label_names, entries, skip_bad, "UTKFace", &budget).run(
        progress,
        || (),
        |(), entry| pictures::read(&entry.path, &options.picture, None, &budget),
    )
}

/// Imports IMDB-WIKI: `imdb.mat` or `wiki.mat` next to the folders of its pictures. Faces that the options leave out
/// are counted in [`Imported::filtered`].
pub fn imdb_faces(
    description: &Path,
    options: &FaceOptions,
    skip_bad: bool,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    options.check()?;
    let budget = Budget::new(options.picture.budget);
    let folder = description.parent().unwrap_or(Path::new("."));
    let faces = read_description(description, &budget)?;
    let mut filtered: BTreeMap<String, usize> = BTreeMap::new();
    let (mut entries, mut regions) = (Vec::new(), Vec::new());
    for face in faces {
        match face.labels(options) {
            Err(reason) => *filtered.entry(reason.into()).or_default() += 1,
            Ok(labels) => {
                let index = entries.len() as u64;
                let bad = |reason| Skipped { place: description.display().to_string(), reason };
                let path = inside::join(folder, &face.path).map_err(bad);
                entries.push(path.map(|path| Entry { index, path, labels: labels.to_vec() }));
                regions.push(options.locate.map(|margin| face.region(margin)));
            }
        }
    }
    let names = vec!["age".into(), "gender".into()];
    let job = job(description, options, names, entries, skip_bad, "IMDB-WIKI", &budget);
    let convert = |(): &mut (), entry: &Entry| {
        pictures::read(&entry.path, &options.picture, regions[entry.index as usize], &budget)
    };
    let imported = job.run(progress, || (), convert)?;
    Ok(Imported { filtered, ..imported })
}

fn job<'a>(
    path: &'a Path,
    options: &FaceOptions,
    label_names: Vec<String>,
    entries: Vec<Result<Entry, Skipped>>,
    skip_bad: bool,
    name: &str,
    budget: &'a Budget,
) -> Job<'a> {
    let (height, width) = (options.picture.height, options.picture.width);
    let generator = format!("imported faces, {name}");
    Job { path, label_names, entries, height, width, budget, items: 1, copies: false, skip_bad, generator }
}

impl FaceOptions {
    fn check(&self) -> Result<(), ImportError> {
        self.picture.check()?;
        let ascending = self.ages.first() == Some(&0) && self.ages.is_sorted_by(|a, b| a < b);
        if !ascending || self.ages.iter().any(|&age| age > OLDEST) {
            let remedy = format!("give ascending ages from 0 to at most {OLDEST}");
            return Err(ImportError::Option { field: "ages", value: format!("{:?}", self.ages), remedy });
        }
        if self.locate.is_some_and(|margin| !(0.0..=10.0).contains(&margin)) {
            let remedy = "choose a margin from 0 to 10".to_string();
            return Err(ImportError::Option { field: "locate", value: format!("{:?}", self.locate), remedy });
        }
        Ok(())
    }

    /// The band of an age: `20-29`, or `60+` for the last.
    fn band(&self, age: u32) -> Option<String> {
        if age > OLDEST {
            return None;
        }
        let place = self.ages.iter().rposition(|&youngest| youngest <= age)?;
        let youngest = self.ages[place];
        Some(match self.ages.get(place + 1) {
            Some(next) => format!("{youngest}-{}", next - 1),
            None => format!("{youngest}+"),
        })
    }
}

/// One face of a description.
struct Face {
    path: String,
    /// Day of birth, counted from the year 0.
    born: f64,
    taken: f64,
    gender: f64,
    score: f64,
    second_score: f64,
    location: Vec<f64>,
}

impl Face {
    /// Age band and gender, or why the face is left out.
    fn labels(&self, options: &FaceOptions) -> Result<[String; 2], &'static str> {
        // A score of −∞ means that no face was found.
        if self.score.is_nan() || self.score < options.score {
            return Err("score too low");
        }
        if options.single && self.second_score.is_finite() {
            return Err("second face");
        }
        let gender = match self.gender {
            0.0 => "female",
            1.0 => "male",
            _ => return Err("gender unknown"),
        };
        let age = self.age().and_then(|age| options.band(age)).ok_or("age impossible")?;
        Ok([age, gender.into()])
    }

    /// The age in the middle of the year of the picture.
    fn age(&self) -> Option<u32> {
        if !(self.born >= 1.0 && self.born < 1e6 && self.taken >= 1.0 && self.taken < 1e4) {
            return None;
        }
        let (year, month) = year_and_month(self.born as i64);
        let age = self.taken as i64 - year - i64::from(month >= 7);
        u32::try_from(age).ok()
    }

    fn region(&self, margin: f64) -> Region {
        match self.location[..] {
            [left, top, right, bottom] => {
                let (x, y) = (margin * (right - left), margin * (bottom - top));
                [left - x, top - y, right + x, bottom + y]
            }
            // Outside every picture: reported as such.
            _ => [f64::MAX; 4],
        }
    }
}

/// The year and month of a MATLAB day number (day 1 is the first of January of the year 0), by
/// H. Hinnant's `civil_from_days`, whose day 0 is the first of March of the year 0.
fn year_and_month(day: i64) -> (i64, i64) {
    let day = day - 61;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + later, month)
}

fn read_description(path: &Path, budget: &Budget) -> Result<Vec<Face>, ImportError> {
    let io = |source| ImportError::Io { path: path.into(), source };
    let wrong = |problem: String| ImportError::Description { path: path.into(), problem };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(io)?.take(MAT_LIMIT + 1);
    budget.read_to_end(file, &mut bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => wrong(error.to_string()),
        _ => io(error),
    })?;
    if bytes.len() as u64 > MAT_LIMIT {
        return Err(wrong(format!("it has more than {MAT_LIMIT} bytes")));
    }
    let mut variables = matlab::read(&bytes, budget).map_err(wrong)?.into_values();
    let fields = variables.find_map(|value| match value {
        Value::Fields(fields) if fields.contains_key("full_path") => Some(fields),
        _ => None,
    });
    let mut fields = fields.ok_or_else(|| wrong("it has no structure with a field `full_path`".into()))?;
    let Some(Value::Cells(paths)) = fields.remove("full_path") else {
        return Err(wrong("its field `full_path` is not a cell array".into()));
    };
    let mut numbers = |name: &str| match fields.remove(name) {
        Some(Value::Numbers(numbers)) if numbers.len() == paths.len() => Ok(numbers),
        _ => Err(wrong(format!("its field `{name}` does not have {} numbers", paths.len()))),
    };
    let (born, taken, gender) = (numbers("dob")?, numbers("photo_taken")?, numbers("gender")?);
    let (score, second_score) = (numbers("face_score")?, numbers("second_face_score")?);
    let mut locations = match fields.remove("face_location") {
        Some(Value::Cells(cells)) if cells.len() == paths.len() => cells.into_iter(),
        _ => return Err(wrong(format!("its field `face_location` does not have {} cells", paths.len()))),
    };
    // Pairs each face with its entry.
    let all = paths.len() as u64 * FACE;
    budget.keep(all).map_err(ImportError::memory(path))?;
    let face = |(place, name): (usize, Value)| {
        let Value::Text(name) = name else { return Err(wrong(format!("entry {place} of `full_path` is not text"))) };
        let location = match locations.next() {
            Some(Value::Numbers(numbers)) => numbers,
            _ => vec![],
        };
        Ok(Face {
            path: name,
            born: born[place],
            taken: taken[place],
            gender: gender[place],
            score: score[place],
            second_score: second_score[place],
            location,
        })
    };
    paths.into_iter().enumerate().map(face).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_numbers_are_those_of_matlab() {
        // datenum(2000, 3, 1), (1999, 12, 31), (1970, 1, 1), (1600, 2, 29), (1, 1, 1)
        let cases =
            [(730_546, (2000, 3)), (730_485, (1999, 12)), (719_529, (1970, 1)), (584_448, (1600, 2)), (367, (1, 1))];
        for (day, expected) in cases {
            assert_eq!(year_and_month(day), expected, "{day}");
        }
    }

    #[test]
    fn bands_cover_every_age() {
        let options = FaceOptions::default();
        let band = |age| options.band(age);
        assert_eq!(
            [0, 19, 20, 59, 60, 116].map(|age| band(age).unwrap()),
            ["0-19", "0-19", "20-29", "50-59", "60+", "60+"]
        );
        assert_eq!(band(117), None);
    }
}
