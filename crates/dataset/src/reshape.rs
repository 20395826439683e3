//! Data sets from a data set: splits for training and testing, labels from labels.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::{Dataset, Labels};
use crate::draw::Random;
use crate::error::DatasetError;

/// The stream of random numbers that splits use.
const STREAM: u64 = 100;

impl Dataset {
    /// Splits at random: about the fraction `share` of the items of every combination of the labels `balance` goes to
    /// the second data set. Order is kept.
    ///
    /// Items of one person or one recording must not land on both sides of a test: where a label identifies them, use
    /// [`split_by`](Self::split_by).
    pub fn split(&self, share: f64, balance: &[&str], seed: u64) -> Result<(Dataset, Dataset), DatasetError> {
        if !(0.0..=1.0).contains(&share) {
            return Err(DatasetError::Share { share: share.to_string() });
        }
        let columns = balance.iter().map(|name| self.labels(name)).collect::<Result<Vec<_>, _>>()?;
        let mut groups: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
        for item in 0..self.len() {
            groups.entry(columns.iter().map(|column| column.values[item]).collect()).or_default().push(item);
        }
        let mut random = Random::new(seed, STREAM, 0);
        let mut held = vec![false; self.len()];
        // The rounding rest of one group is carried to the next, so that small groups add up.
        let (mut seen, mut taken) = (0, 0);
        for mut group in groups.into_values() {
            for last in (1..group.len()).rev() {
                group.swap(last, random.below(last as u32 + 1) as usize);
            }
            seen += group.len();
            let wanted = ((seen as f64 * share).round() as usize).saturating_sub(taken).min(group.len());
            group[..wanted].iter().for_each(|&item| held[item] = true);
            taken += wanted;
        }
        Ok(self.part(&held))
    }

    /// Splits by a label: items whose class of `label` is in `held` go to the second data set.
    pub fn split_by(&self, label: &str, held: &[&str]) -> Result<(Dataset, Dataset), DatasetError> {
        let column = self.labels(label)?;
        let held: BTreeSet<u32> = held.iter().map(|class| column.class(class)).collect::<Result<_, _>>()?;
        let held: Vec<bool> = column.values.iter().map(|value| held.contains(value)).collect();
        Ok(self.part(&held))
    }

    /// Adds the label `name`, whose class is looked up in `classes` by the class of `from`: for example the accent of
    /// each speaker.
    pub fn with_derived(
        mut self,
        from: &str,
        name: &str,
        classes: &BTreeMap<String, String>,
    ) -> Result<Self, DatasetError> {
        let column = self.labels(from)?;
        let names: BTreeSet<&String> = classes.values().collect();
        let names: Vec<String> = names.into_iter().cloned().collect();
        let number = |class: &String| {
            let target = classes.get(class).ok_or_else(|| DatasetError::NoClass {
                name: from.into(),
                class: class.clone(),
                known: classes.keys().cloned().collect(),
            })?;
            Ok(names.binary_search(target).unwrap_or_default() as u32)
        };
        let numbers = column.classes.iter().map(number).collect::<Result<Vec<u32>, DatasetError>>()?;
        let values = column.values.iter().map(|&value| numbers[value as usize]).collect();
        self.add_labels(Labels { name: name.into(), classes: names, values })?;
        Ok(self)
    }

    fn part(&self, held: &[bool]) -> (Dataset, Dataset) {
        let side = |wanted| -> Vec<usize> { (0..self.len()).filter(|&item| held[item] == wanted).collect() };
        (self.subset(&side(false)), self.subset(&side(true)))
    }
}

impl Labels {
    /// A column from one text per item; classes in alphabetical order, numbers in numerical order.
    pub fn from_texts(name: impl Into<String>, texts: &[String]) -> Self {
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        let mut number = |text| {
            let next = numbers.len() as u32;
            *numbers.entry(text).or_insert(next)
        };
        let values = texts.iter().map(|text| number(text.as_str())).collect();
        Self::from_numbers(name, numbers.into_iter().map(|(text, number)| (text.to_string(), number)).collect(), values)
    }

    /// As [`from_texts`](Self::from_texts), for texts already numbered by first occurrence.
    pub(crate) fn from_numbers(name: impl Into<String>, numbers: BTreeMap<String, u32>, mut values: Vec<u32>) -> Self {
        let mut ordered: Vec<(String, u32)> = numbers.into_iter().collect();
        if ordered.iter().all(|(class, _)| class.parse::<i64>().is_ok()) {
            ordered.sort_by_key(|(class, _)| class.parse::<i64>().unwrap_or_default());
        }
        let mut places = vec![0; ordered.len()];
        ordered.iter().zip(0..).for_each(|((_, number), place)| places[*number as usize] = place);
        values.iter_mut().for_each(|value| *value = places[*value as usize]);
        Self { name: name.into(), classes: ordered.into_iter().map(|(class, _)| class).collect(), values }
    }

    /// The value of the class of this name.
    pub fn class(&self, class: &str) -> Result<u32, DatasetError> {
        let found = self.classes.iter().position(|known| known == class);
        found.map(|value| value as u32).ok_or_else(|| DatasetError::NoClass {
            name: self.name.clone(),
            class: class.into(),
            known: self.classes.clone(),
        })
    }
}
