//! Expiry dates: of the file of tokens, and of certificates.

use rustls::pki_types::CertificateDer;

use super::peer::value;

/// Seconds since 1970 of a date and time of day in UTC, of the Gregorian calendar; none if the date does not exist.
pub(super) fn seconds(year: i64, month: i64, day: i64, time: [i64; 3]) -> Option<i64> {
    const DAYS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let in_month = *DAYS.get(usize::try_from(month - 1).ok()?)? + i64::from(leap && month == 2);
    let [hour, minute, second] = time;
    // A leap second counts as the one before.
    let fits = (1..=9999).contains(&year) && (0..24).contains(&hour) && (0..60).contains(&minute);
    if !fits || !(1..=in_month).contains(&day) || !(0..=60).contains(&second) {
        return None;
    }
    let years = year - 1;
    let before_year = 365 * years + years / 4 - years / 100 + years / 400 - 719_162;
    let before_month: i64 = DAYS[..month as usize - 1].iter().sum::<i64>() + i64::from(leap && month > 2);
    Some((before_year + before_month + day - 1) * 86_400 + hour * 3600 + minute * 60 + second.min(59))
}

/// Seconds since 1970 of a date in a TOML file, with or without a time of day; without an offset it is UTC.
pub(super) fn of_toml(date: &toml::value::Datetime) -> Option<i64> {
    let day = date.date?;
    let time =
        date.time.map_or([0; 3], |time| [time.hour.into(), time.minute.into(), i64::from(time.second.unwrap_or(0))]);
    let offset = match date.offset {
        Some(toml::value::Offset::Custom { minutes }) => i64::from(minutes),
        _ => 0,
    };
    Some(seconds(day.year.into(), day.month.into(), day.day.into(), time)? - offset * 60)
}

/// When a certificate expires (RFC 5280, 4.1.2.5); none if that cannot be read.
pub(super) fn of_certificate(certificate: &CertificateDer<'_>) -> Option<i64> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    const VERSION: u8 = 0xa0;
    let (whole, _) = value(SEQUENCE, certificate)?;
    let (mut fields, _) = value(SEQUENCE, whole)?;
    // Version, where it is not the first; serial number; algorithm; issuer.
    if let Some((_, rest)) = value(VERSION, fields) {
        fields = rest;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        fields = value(tag, fields)?.1;
    }
    let (validity, _) = value(SEQUENCE, fields)?;
    let (_, rest) = time(validity)?;
    time(rest).map(|(end, _)| end)
}

/// A time in DER: two digits of the year, or four.
fn time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    const SHORT: u8 = 0x17;
    const LONG: u8 = 0x18;
    let (digits, rest, long) = match bytes.first()? {
        &SHORT => value(SHORT, bytes).map(|(digits, rest)| (digits, rest, false))?,
        _ => value(LONG, bytes).map(|(digits, rest)| (digits, rest, true))?,
    };
    let text = std::str::from_utf8(digits).ok()?.strip_suffix('Z')?;
    let (year, rest_of_text) = text.split_at_checked(if long { 4 } else { 2 })?;
    if rest_of_text.len() != 10 || !text.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let year: i64 = year.parse().ok()?;
    let year = match (long, year) {
        (true, year) => year,
        (false, 50..) => 1900 + year,
        (false, year) => 2000 + year,
    };
    let pair = |place: usize| rest_of_text[place..place + 2].parse::<i64>().ok();
    let end = seconds(year, pair(0)?, pair(2)?, [pair(4)?, pair(6)?, pair(8)?])?;
    Some((end, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;
    use crate::clock::utc;

    #[test]
    fn a_certificate_ends_when_it_says() {
        for (year, expected) in [(2031, "2031-07-09T00:00:00Z"), (2060, "2060-07-09T00:00:00Z")] {
            let mut params = CertificateParams::new(["ward.example".to_owned()]).unwrap();
            params.not_after = date_time_ymd(year, 7, 9);
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            assert_eq!(of_certificate(certificate.der()).map(utc).as_deref(), Some(expected));
        }
        assert_eq!(of_certificate(&CertificateDer::from(vec![0x30, 0])), None);
    }

    #[test]
    fn dates_of_toml() {
        let end = |text: &str| of_toml(&text.parse().unwrap()).map(utc);
        assert_eq!(end("2027-02-28").as_deref(), Some("2027-02-28T00:00:00Z"));
        assert_eq!(end("2028-02-29T12:30:00+02:00").as_deref(), Some("2028-02-29T10:30:00Z"));
        assert_eq!(seconds(2027, 2, 29, [0; 3]), None);
        assert_eq!(seconds(2027, 13, 1, [0; 3]), None);
    }

    proptest! {
        /// The calendar of the log and this one are each other's inverse.
        #[test]
        fn dates_go_there_and_back(at in 0i64..250_000_000_000) {
            let text = utc(at);
            let part = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
            let time = [part(11..13), part(14..16), part(17..19)];
            prop_assert_eq!(seconds(part(0..4), part(5..7), part(8..10), time), Some(at));
        }

        #[test]
        fn no_certificate_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = of_certificate(&CertificateDer::from(bytes));
        }
    }
}
