//! One attacker on its own.

use leakage::{Asked, AttackerConfig, AuditError, Observations, attack};

/// Two classes; within either, output 0 tells the attribute and output 1 is noise.
fn observations(items: usize) -> Observations {
    let noise = |i: usize| ((i as f32 * 12.9898).sin() * 43_758.547).fract();
    let value = |i: usize| (i / 2 % 2) as u32;
    Observations {
        outputs: (0..items).flat_map(|i| [value(i) as f32 + 0.2 * noise(i), noise(i + 7)]).collect::<Vec<f32>>().into(),
        width: 2,
        main: (0..items).map(|i| (i % 2) as u32).collect(),
        collateral: (0..items).map(value).collect(),
        main_classes: vec!["a".into(), "b".into()],
        collateral_classes: vec!["cursive".into(), "serif".into()],
    }
}

fn asked(data: &Observations, items: &[usize]) -> Asked {
    let data = data.subset(items);
    Asked { outputs: data.outputs, width: data.width, main: data.main }
}

#[test]
fn every_kind_reads_what_is_there() {
    let data = observations(400);
    let items: Vec<usize> = (0..100).collect();
    let names =
        ["logistic", "ridge", "qda", "naive-bayes", "knn-7", "kde-0.2", "tree", "forest-5", "boosting", "mlp-16"];
    for name in names {
        let family: AttackerConfig = name.parse().unwrap();
        let scores = attack(&family, &data, &asked(&data, &items), 3).unwrap();
        assert_eq!(scores.len(), 200, "{name}");
        let right = scores.chunks(2).zip(&data.collateral).filter(|(row, label)| (row[1] > row[0]) == (**label == 1));
        assert!(right.count() >= 98, "{name}");
        for row in scores.chunks(2) {
            assert!((row[0].exp() + row[1].exp() - 1.0).abs() < 1e-4, "{name}: {row:?}");
        }
        assert_eq!(scores, attack(&family, &data, &asked(&data, &items), 3).unwrap(), "{name}");
    }
}

#[test]
fn the_answer_for_an_item_does_not_depend_on_the_others() {
    let data = observations(200);
    let family: AttackerConfig = "forest-5".parse().unwrap();
    let all = attack(&family, &data, &asked(&data, &(0..50).collect::<Vec<_>>()), 0).unwrap();
    let one = attack(&family, &data, &asked(&data, &[4]), 0).unwrap();
    assert_eq!(one, all[8..10]);
    assert!(attack(&family, &data, &asked(&data, &[]), 0).unwrap().is_empty());
}

#[test]
fn refusals_name_the_fault() {
    let data = observations(200);
    let family: AttackerConfig = "logistic".parse().unwrap();
    let good = asked(&data, &[0, 1]);
    let refused = |asked: &Asked| attack(&family, &data, asked, 0).unwrap_err();
    let narrow = Asked { width: 1, ..good.clone() };
    assert!(matches!(refused(&narrow), AuditError::Mismatch { field: "width", .. }));
    let short = Asked { outputs: vec![0.0; 3].into(), ..good.clone() };
    assert!(matches!(refused(&short), AuditError::Length { field: "outputs", .. }));
    let unknown = Asked { main: vec![0, 2], ..good.clone() };
    assert!(matches!(refused(&unknown), AuditError::LabelRange { row: 1, value: 2, .. }));
    let infinite = Asked { outputs: vec![0.0, 1.0, f32::INFINITY, 0.0].into(), ..good.clone() };
    assert!(matches!(refused(&infinite), AuditError::NotFinite { row: 1, column: 0, .. }));
    let decensor: AttackerConfig = "decensor-logistic".parse().unwrap();
    assert!(matches!(attack(&decensor, &data, &good, 0), Err(AuditError::Option { option: "family", .. })));
    let digits: AttackerConfig = "digits".parse().unwrap();
    assert!(matches!(attack(&digits, &data, &good, 0), Err(AuditError::Option { option: "family", .. })));
    assert!(matches!(attack(&family, &observations(12), &good, 0), Err(AuditError::TooFew { .. })));
}
