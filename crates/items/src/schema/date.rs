//! Dates as numbers.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

/// Days since 1970-01-01, with the time of day as a fraction; by a `strftime` format, or ISO 8601 in UTC if it is
/// empty.
pub fn days(text: &str, format: &str) -> Option<f32> {
    let time = if format.is_empty() {
        iso(text)?
    } else {
        let day = || Some(NaiveDate::parse_from_str(text, format).ok()?.and_time(NaiveTime::MIN));
        NaiveDateTime::parse_from_str(text, format).ok().or_else(day)?
    };
    let seconds = (time - DateTime::UNIX_EPOCH.naive_utc()).num_seconds();
    Some((seconds as f64 / 86_400.0) as f32)
}

/// `2026-11-29`, `2026-11-29T08:30`, `2026-11-29 08:30:15.5Z`; UTC only.
fn iso(text: &str) -> Option<NaiveDateTime> {
    let (day, time) = text.split_at_checked(10)?;
    let digits = |place: usize, byte: u8| if matches!(place, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    if !day.bytes().enumerate().all(|(place, byte)| digits(place, byte)) {
        return None;
    }
    let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    if time.is_empty() {
        return Some(day.and_time(NaiveTime::MIN));
    }
    let time = time.strip_prefix(['T', ' '])?;
    let time = time.strip_suffix("+00:00").or(time.strip_suffix('Z')).unwrap_or(time).trim_end();
    let time = NaiveTime::parse_from_str(time, "%H:%M:%S%.f").or_else(|_| NaiveTime::parse_from_str(time, "%H:%M"));
    Some(day.and_time(time.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_dates_are_days_since_1970() {
        let cases = [
            ("1970-01-01", 0.0),
            ("1969-12-31", -1.0),
            ("2000-03-01", 11_017.0),
            ("1970-01-02T12:00", 1.5),
            ("1970-01-02 06:00:00.25Z", 1.25),
            ("1970-01-02 18:00:00 +00:00", 1.75),
        ];
        for (text, expected) in cases {
            let found = days(text, "").unwrap();
            assert!((found - expected).abs() < 1e-3, "{text}: {found}");
        }
        for text in [
            "",
            "1970",
            "1970-13-01",
            "1970-02-30",
            "1970/01/01",
            "1970-01-01T25:00",
            "1970-01-01 00:00+02:00",
            "é970-01-01",
        ] {
            assert_eq!(days(text, ""), None, "{text}");
        }
        assert_eq!(days("31.12.1969", "%d.%m.%Y"), Some(-1.0));
        assert_eq!(days("31.12.1969", "%"), None);
    }
}
