//! From bytes back to a record: the texts of a row that is read as these bytes.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta};

use super::read::{Cell, Overrides};
use super::{Column, Kind, RecordReader, Scale};
use crate::features;

/// Represents a text that is none of the categories.
const OTHER: &str = "(other)";

impl RecordReader {
    /// Values that [`read`](Self::read) turns into these bytes, each as short as possible; none if no values do, or if
    /// texts were hashed, because their words are lost.
    pub fn show(&self, bytes: &[u8]) -> Option<Vec<String>> {
        let (mut rest, mut place, mut texts) = (bytes, 0, Vec::new());
        for column in &self.schema().columns {
            let (own, others) = rest.split_at_checked(column.width())?;
            let text = candidates(column, own).into_iter().find(|text| self.reads(column, place, text, own))?;
            texts.push(text);
            (rest, place) = (others, place + own.len());
        }
        rest.is_empty().then_some(texts)
    }

    /// Whether a text of a column, whose features begin at a place, is read as these bytes.
    fn reads(&self, column: &Column, place: usize, text: &str, bytes: &[u8]) -> bool {
        let mut values = Vec::with_capacity(bytes.len());
        let read = column.append(&Cell::Text(Cow::Borrowed(text)), &Overrides::default(), &mut values);
        read.is_ok()
            && values.iter().zip(bytes).enumerate().all(|(at, (&value, &byte))| self.byte(place + at, value) == byte)
    }
}

/// Texts that may be read as these bytes, the likeliest first.
fn candidates(column: &Column, bytes: &[u8]) -> Vec<String> {
    let Some(&first) = bytes.first() else { return Vec::new() };
    let mut texts = match &column.kind {
        Kind::Numeric { scale, .. } => numbers(scale, first),
        Kind::Date { format, scale, .. } => values(scale, first).iter().flat_map(|&days| dates(days, format)).collect(),
        Kind::Ordinal { values, .. } => {
            let place = (f32::from(first) / 255.0 * (values.len() as f32 - 1.0)).round() as usize;
            values.get(place).cloned().into_iter().collect()
        }
        Kind::Category { values, .. } => {
            let marked = bytes.iter().position(|&byte| byte > 0).and_then(|place| values.get(place));
            vec![marked.cloned().unwrap_or_else(|| OTHER.to_owned())]
        }
        Kind::Text { .. } => Vec::new(),
    };
    texts.push(String::new());
    texts
}

/// Values of a number that may have this byte: the one in the middle, and those that stand for their ranks.
fn values(scale: &Scale, byte: u8) -> Vec<f32> {
    let share = f32::from(byte) / 255.0;
    let knots = &scale.quantiles;
    let Some(most) = knots.len().checked_sub(2).map(|most| most + 1) else {
        let value = scale.low + features::step(scale.low, scale.high) * f32::from(byte);
        return vec![value.clamp(scale.low, scale.high)];
    };
    let rank = share * most as f32;
    let below = (rank as usize).min(most - 1);
    let (low, high) = (knots[below], knots[below + 1]);
    let mut values = vec![low + (high - low) * (rank - below as f32)];
    values.extend(knots);
    values
}

/// With as few decimals as give a byte back, then as it is.
fn numbers(scale: &Scale, byte: u8) -> Vec<String> {
    let values = values(scale, byte);
    let short = |decimals: usize| values.iter().take(1).map(move |value| format!("{value:.decimals$}"));
    (0..=6).flat_map(short).chain(values.iter().map(f32::to_string)).collect()
}

/// The day, the second.
fn dates(days: f32, format: &str) -> Vec<String> {
    let seconds = (f64::from(days) * 86_400.0).round() as i64;
    let Some(time) =
        TimeDelta::try_seconds(seconds).and_then(|since| DateTime::UNIX_EPOCH.naive_utc().checked_add_signed(since))
    else {
        return Vec::new();
    };
    match format.is_empty() {
        true => vec![time.date().to_string(), time.format("%Y-%m-%dT%H:%M:%S").to_string()],
        false => {
            // A format that is none ends in an error, not in a panic.
            let mut text = String::new();
            let written = std::fmt::Write::write_fmt(&mut text, format_args!("{}", time.format(format)));
            written.is_ok().then_some(text).into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Missing, Outside, Schema, Unknown};
    use super::*;

    fn reader(kind: Kind) -> RecordReader {
        let (missing, unknown) = (Missing::Category, Unknown::Other);
        let column = Column { name: "a".into(), kind, missing, unknown, outside: Outside::Refuse };
        RecordReader::new(Schema { columns: vec![column], labels: vec![] })
    }

    #[test]
    fn what_is_shown_is_read_as_the_same_bytes() {
        let plain = Scale { low: -1.5, high: 800.25, quantiles: vec![] };
        let ranks = Scale { low: 0.0, high: 9000.0, quantiles: vec![0.0, 0.0, 3.0, 17.0, 17.0, 17.0, 250.0, 9000.0] };
        let days = Scale { low: 11_000.0, high: 19_000.0, quantiles: vec![] };
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let cases = [
            (Kind::Numeric { scale: plain, middle: 3.0 }, vec!["-1.5", "0", "17.25", "800.25", ""]),
            (Kind::Numeric { scale: ranks, middle: 3.0 }, vec!["0", "2", "3", "17", "100", "9000", ""]),
            (
                Kind::Date { format: String::new(), scale: days.clone(), middle: 12_000.0 },
                vec!["2000-03-01", "2021-12-31", ""],
            ),
            (Kind::Date { format: "%d.%m.%Y".into(), scale: days, middle: 12_000.0 }, vec!["01.03.2001", ""]),
            (Kind::Ordinal { values: words(&["S", "M", "L"]), middle: 1 }, vec!["S", "M", "L", ""]),
            (Kind::Category { values: words(&["blue", "red"]), commonest: 0 }, vec!["blue", "red", "green", ""]),
        ];
        for (kind, texts) in cases {
            let reader = reader(kind);
            for text in texts {
                let bytes = reader.read(&[Cow::Borrowed(text)]).unwrap();
                let shown = reader.show(&bytes).unwrap_or_else(|| panic!("{text:?} of {:?}", reader.schema()));
                assert_eq!(reader.read(&[Cow::Borrowed(shown[0].as_str())]).unwrap(), bytes, "{text} {shown:?}");
                assert!(text.is_empty() == shown[0].is_empty(), "{text} {shown:?}");
            }
        }
    }

    #[test]
    fn numbers_are_short_and_hashed_words_are_gone() {
        let scale = Scale { low: 18.0, high: 90.0, quantiles: vec![] };
        let ages = reader(Kind::Numeric { scale, middle: 40.0 });
        assert_eq!(ages.show(&ages.read(&["37".into()]).unwrap()), Some(vec!["37".to_owned()]));
        assert_eq!(ages.show(&[1, 2, 3]), None);
        let notes = reader(Kind::Text { columns: 8 });
        assert_eq!(notes.show(&notes.read(&["a word".into()]).unwrap()), None);
        let wrong = reader(Kind::Date {
            format: "%".into(),
            scale: Scale { low: 0.0, high: 9.0, quantiles: vec![] },
            middle: 1.0,
        });
        assert_eq!(wrong.show(&[7, 0]), None);
    }
}
