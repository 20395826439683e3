//! What a page shows, and what it does not let in.

use host::Silent;
use leakage::{AttackerConfig, AuditOptions, AuditReport, Extras, Observations, audit_with};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use report::{Dot, Page, Picture, Scatter, Section, Table};

/// Three main classes; the attribute moves one output by `shift` deviations of a flat noise.
fn observe(items: usize, shift: f32, seed: u64) -> Observations {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let labels = || (0..items as u32).map(|item| (item % 3, item / 3 % 2));
    let row = |(main, collateral)| {
        let mut noise = || rng.random::<f32>() - 0.5;
        [main as f32 * 6.0 + noise(), collateral as f32 * shift + noise()]
    };
    Observations {
        outputs: labels().flat_map(row).collect::<Vec<f32>>().into(),
        width: 2,
        main: labels().map(|(main, _)| main).collect(),
        collateral: labels().map(|(_, collateral)| collateral).collect(),
        main_classes: ["0", "1", "2"].map(String::from).to_vec(),
        collateral_classes: ["cursive", "serif"].map(String::from).to_vec(),
    }
}

/// The audit of a leak, with the one of another network beside it.
fn report(network: &str, attribute: &str) -> AuditReport {
    let options = AuditOptions {
        network: network.into(),
        attribute: attribute.into(),
        families: vec![AttackerConfig::logistic(), AttackerConfig::neighbours(15)],
        vote: vec![1, 5],
        growth: true,
        ..AuditOptions::default()
    };
    let [open, closed] = [1.0, 0.4].map(|shift| [1, 2].map(|seed| observe(600, shift, seed)));
    let controls = vec![("plain <network>".to_owned(), &open[0], &open[1])];
    let extras = Extras { controls, ..Extras::default() };
    audit_with(&closed[0], &closed[1], &extras, &options, &Silent).expect("a sound data set")
}

#[test]
fn the_page_escapes_what_comes_from_outside_and_needs_nothing_else() {
    let mut hostile = report("<img src=x onerror=1>", "\"font\" & 'size'");
    hostile.main_classes[0] = "</svg><script>alert(1)</script>".into();
    hostile.collateral_classes[1] = "<b>".into();
    for row in hostile.attackers.iter_mut().filter(|row| row.class.as_deref() == Some("0")) {
        row.class = Some(hostile.main_classes[0].clone());
        row.family = "<i>".into();
    }
    let other = report("undefended", "font");
    let picture = Picture::grey(&[0, 64, 128, 255], 2, 2, "<4>").expect("four pixels");
    let dot = Dot { label: "<s>".into(), size: 1.0, ..Dot::default() };
    let scatter = Scatter { title: "<q>".into(), groups: vec!["<em>".into()], dots: vec![dot], ..Scatter::default() };
    let section = Section::new("<u>")
        .text("<p>")
        .table(Table::new(["<th>"]).caption("<c>").row(["<td>"]))
        .pictures(vec![picture])
        .scatter(scatter);
    let page = Page::new("<title>").report(&other).report(&hostile).section(section.clone()).section(section).html();
    for wrong in
        ["<img src=x", "<script", "<b>&lt;b", "<u>", "<c>", "<td><td", "<i>", "<s>", "<q>", "<em>", "\"font\" &"]
    {
        assert!(!page.contains(wrong), "{wrong}");
    }
    assert!(page.contains("&lt;img src=x onerror=1&gt;"));
    for wrong in ["http://", "https://", "<link", "@import", "url("] {
        assert!(!page.contains(wrong), "{wrong} would need the network");
    }
    assert_eq!(page.matches("<svg role").count(), page.matches("<desc").count());
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(all, ids.len(), "ids must be unique");
}

#[test]
fn the_first_screen_warns_of_outputs_that_nothing_accounts_for() {
    let mut wide = report("wide <network>", "font");
    assert!(!Page::new("Audit").report(&wide).html().contains("How fine the outputs are"));
    let output =
        serde_json::json!({"low": -7, "high": 1 << 30, "opened_bits": 30.0, "noise_bits": 1.5, "idle_bits": 24.5});
    let precision = serde_json::json!({
        "outputs": [output], "needed_bits": 4.0, "opened_bits": 30.0, "idle_bits": 24.5, "warning": "output 0 <opens>",
    });
    wide.precision = Some(serde_json::from_value(precision).unwrap());
    let page = Page::new("Audit").report(&wide).html();
    let first = &page[..page.find("class=\"cards\"").unwrap()];
    assert!(first.contains("Warning:</b> output 0 &lt;opens&gt;."), "{first}");
    assert!(page.contains("How fine the outputs are") && page.contains("-7 to 1073741824") && page.contains("24.5"));
}

#[test]
fn the_first_screen_shows_what_is_proved_beside_what_was_found() {
    let report = report("noisy", "font");
    let certificate = serde_json::json!({
        "confidence": 0.999, "pooled": {"bound": 57.21, "plug_in": 55.0, "slack": 2.25, "items": 900,
        "total_variation": 0.145, "auc": 0.63}, "classes": [], "votes": [{"k": 20, "bound": 85.5, "mixed": 81.5}],
        "maximal_leakage_bits": 22.5, "assumptions": ["the labels are <right>"],
    });
    let certificate = serde_json::from_value(certificate).unwrap();
    let page = Page::new("Audit").report(&report).certificate(&certificate).html();
    let first = &page[..page.find("<h2>Proved about noisy").unwrap() + 2000];
    assert!(first.contains("more than <b>57.3 %</b>") && first.contains("≤ true ≤ proved"), "{first}");
    assert!(page.contains("proved 81.5 %") && page.contains("22.5 bits") && page.contains("&lt;right&gt;"));
    assert!(!Page::new("Audit").report(&report).html().contains("Proved about"));
}

#[test]
fn pictures_of_the_wrong_size_are_refused() {
    assert_eq!(Picture::grey(&[0; 3], 2, 2, ""), None);
    assert_eq!(Picture::grey(&[], 0, 0, ""), None);
}

#[test]
fn the_first_screen_compares_with_controls() {
    let report = report("defended", "font");
    let page = Page::new("page").report(&report).html();
    let control = &report.controls.others[0];
    let beside = format!(", plain &lt;network&gt; {:.1} %", control.strongest_pooled.accuracy);
    assert!(page.contains(&beside), "{beside}");
    let first = page.find("<section>").and_then(|start| page[start..].find("</section>").map(|end| start + end));
    assert!(page.find(&beside) < first, "on the first screen");
}
