//! The form of a schema that its hash covers.

use super::{Column, Kind, Scale};
use crate::features::Features;
use crate::sound::Analysis;

/// JSON without spaces: `[height, width, names, low, step, columns]`, each column as
/// `[name, kind, marks missing values, marks other values]`; of recordings with `{"low", "high", "trim"}` of their analysis
/// after that. Written here member by member, so that no renamed field changes a hash.
pub(crate) fn canonical(height: usize, width: usize, features: &Features, columns: Option<&[Column]>) -> String {
    let columns = columns.map_or("null".to_owned(), |columns| list(columns.iter().map(column)));
    let [low, step] = [&features.low, &features.step].map(|values| list(values.iter().map(|&value| number(value))));
    // What a recording's own rate was decides nothing: it is not covered.
    let sound = features.sound.as_ref().map_or(String::new(), |Analysis { low, high, trim, .. }| {
        format!(",{{\"low\":{},\"high\":{},\"trim\":{}}}", number(*low), number(*high), number(*trim))
    });
    format!("[{height},{width},{},{low},{step},{columns}{sound}]", list(features.names.iter().map(|name| text(name))))
}

fn column(column: &Column) -> String {
    let kind = match &column.kind {
        Kind::Numeric { scale, middle } => {
            format!("{{\"numeric\":{{\"scale\":{},\"middle\":{}}}}}", ends(scale), number(*middle))
        }
        Kind::Date { format, scale, middle } => {
            let (format, scale, middle) = (text(format), ends(scale), number(*middle));
            format!("{{\"date\":{{\"format\":{format},\"scale\":{scale},\"middle\":{middle}}}}}")
        }
        Kind::Ordinal { values, middle } => {
            let values = list(values.iter().map(|value| text(value)));
            format!("{{\"ordinal\":{{\"values\":{values},\"middle\":{middle}}}}}")
        }
        Kind::Category { values, commonest } => {
            let values = list(values.iter().map(|value| text(value)));
            format!("{{\"category\":{{\"values\":{values},\"commonest\":{commonest}}}}}")
        }
        Kind::Text { columns } => format!("{{\"text\":{{\"columns\":{columns}}}}}"),
    };
    format!("[{},{kind},{},{}]", text(&column.name), column.marks_missing(), column.marks_other())
}

fn ends(scale: &Scale) -> String {
    let Scale { low, high, quantiles } = scale;
    let quantiles = match quantiles.is_empty() {
        true => String::new(),
        false => format!(",\"quantiles\":{}", list(quantiles.iter().map(|&value| number(value)))),
    };
    format!("{{\"low\":{},\"high\":{}{quantiles}}}", number(*low), number(*high))
}

fn list(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(","))
}

/// A text in quotes, as JSON escapes it.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// The fewest digits that give the number back.
fn number(value: f32) -> String {
    // A number has no field that could be renamed.
    serde_json::to_string(&value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{Missing, Unknown};
    use super::*;
    use sha2::{Digest, Sha256};

    fn of(kind: Kind) -> Column {
        let (missing, unknown) = (Missing::Category, Unknown::Other);
        let column = Column { name: String::new(), kind, missing, unknown, outside: Default::default() };
        Column { name: format!("a \"{}\"\n", column.kind_name()), ..column }
    }

    fn every_kind() -> Vec<Column> {
        let scale = Scale { low: -1e-7, high: 1e20, quantiles: vec![-1e-7, 0.1, 16_777_216.0] };
        let plain = Scale { low: 0.0, high: 3.5, quantiles: Vec::new() };
        vec![
            of(Kind::Numeric { scale, middle: 0.1 }),
            of(Kind::Date { format: "%d/%m/%Y é\u{1}".into(), scale: plain, middle: 18_272.0 }),
            of(Kind::Ordinal { values: vec!["S".into(), "M\\".into()], middle: 1 }),
            of(Kind::Category { values: vec!["red".into()], commonest: 0 }),
            of(Kind::Text { columns: 8 }),
        ]
    }

    fn features() -> Features {
        Features {
            names: vec!["a=\t".into(), "b".into()],
            low: vec![-1e-7, 0.0],
            step: vec![0.1, 1.5e-10],
            sound: None,
        }
    }

    /// Earlier hashes rest on what the serialiser wrote.
    #[test]
    fn the_canonical_form_is_what_was_hashed_before() {
        let (features, columns) = (features(), every_kind());
        let layout = |column: &Column| {
            let Column { name, kind, .. } = column.clone();
            (name, kind, column.marks_missing(), column.marks_other())
        };
        let of = |columns: Option<Vec<_>>| {
            serde_json::to_string(&(2, 3, &features.names, &features.low, &features.step, columns)).unwrap()
        };
        let layouts = columns.iter().map(layout).collect();
        assert_eq!(canonical(2, 3, &features, Some(&columns)), of(Some(layouts)));
        assert_eq!(canonical(2, 3, &features, None), of(None));
    }

    #[test]
    fn an_analysis_of_sound_is_covered_and_the_rate_is_not() {
        let analysis = Analysis::default();
        let form = canonical(20, 24, &Features::of_sound(analysis.clone()), None);
        assert_eq!(form, r#"[20,24,[],[-60.0],[0.23529412],null,{"low":60.0,"high":4000.0,"trim":40.0}]"#);
        let other = |analysis: Analysis| canonical(20, 24, &Features::of_sound(analysis.clone()), None);
        assert_eq!(other(Analysis { rate: 48_000, ..analysis.clone() }), form);
        assert_ne!(other(Analysis { trim: 30.0, ..analysis }), form);
    }

    #[test]
    fn the_canonical_form_is_known() {
        let columns = [of(Kind::Text { columns: 8 })];
        let form = canonical(1, 2, &features(), Some(&columns));
        let known = concat!(
            r#"[1,2,["a=\t","b"],[-1e-7,0.0],[0.1,1.5e-10],"#,
            r#"[["a \"text\"\n",{"text":{"columns":8}},true,false]]]"#
        );
        assert_eq!(form, known);
        let hash: String = Sha256::digest(&form).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "d111328573a72313a7814174c840e54e19fe22cad0bb34a63a0f76b5bffcca8d");
    }
}
