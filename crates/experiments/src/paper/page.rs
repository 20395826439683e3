//! The studies as tables and plots.

use report::{Dot, Page, Scatter, Section, Table};

use super::measure::Measured;

const HEADER: [&str; 10] = [
    "study",
    "row",
    "main %",
    "in the paper",
    "strongest, pooled %",
    "in the paper",
    "worst class %",
    "vote@20, @140 %",
    "attack items",
    "field multiplications",
];

/// Header and cells of the table of all rows.
pub fn table(rows: &[Measured]) -> ([&'static str; 10], Vec<[String; 10]>) {
    (HEADER, rows.iter().map(cells).collect())
}

fn cells(row: &Measured) -> [String; 10] {
    let theirs = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    let vote = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1}"));
    [
        row.study.clone(),
        row.row.clone(),
        format!("{:.2}", row.main),
        theirs(row.published.map(|(main, _)| main)),
        format!("{:.2} {}", row.pooled, row.family),
        theirs(row.published.and_then(|(_, collateral)| collateral)),
        format!("{:.2}", row.worst_class),
        format!("{}, {}", vote(row.vote.0), vote(row.vote.1)),
        row.attack_items.0.to_string(),
        row.field_muls.map_or_else(|| "–".to_owned(), |muls| format!("{muls:.3e}")),
    ]
}

/// A page with a section for every study.
pub fn html(rows: &[Measured]) -> String {
    let mut page = Page::new("The paper's experiments again");
    let mut studies: Vec<&str> = rows.iter().map(|row| row.study.as_str()).collect();
    studies.dedup();
    for study in studies {
        let rows: Vec<&Measured> = rows.iter().filter(|row| row.study == study).collect();
        let ours = rows.iter().map(|row| dot(row, row.main, row.pooled, usize::from(row.row.starts_with("match"))));
        let theirs = rows.iter().filter_map(|row| {
            let (main, collateral) = row.published?;
            Some(dot(row, main, collateral?, 2))
        });
        let scatter = Scatter {
            title: format!("Accuracies of the study {study}"),
            across: "main accuracy, %".into(),
            up: "collateral accuracy of the strongest attacker, %".into(),
            groups: vec!["measured here".into(), "matching, measured here".into(), "printed in the paper".into()],
            level: Some(50.0),
            dots: ours.chain(theirs).collect(),
        };
        let table = Table::of(HEADER, rows.iter().map(|row| cells(row)));
        let mut section = Section::new(format!("Study: {study}")).scatter(scatter).table(table);
        for row in rows.iter().filter(|row| row.attackers.len() > 12) {
            let cells = row.attackers.iter().map(|(family, accuracy)| [family.clone(), format!("{accuracy:.2}")]);
            section = section.table(Table::of(["attacker", "accuracy %"], cells).caption(row.row.clone()));
        }
        page = page.section(section);
    }
    let note = "Figures printed in the paper are those of its own attackers: of the adversary trained against, or of \
                one family on one digit. Those measured here are the largest of a fresh panel on all digits, with the \
                digit given; fonts and generator are like the paper's, not the same.";
    page.section(Section::new("How to read this").text(note)).html()
}

fn dot(row: &Measured, x: f64, y: f64, group: usize) -> Dot {
    Dot { x, y, size: 1.0, label: row.row.clone(), group }
}
