//! The demo's page: its own tables and some of the encrypted images, above the audits side by side.

use anyhow::Result;
use report::{Page, Picture, Section, Table};

use super::outcome::Outcome;
use super::splits::Splits;
use super::trained::Trained;

/// Test images shown of each data set: the first ones, which are among those encrypted.
const SAMPLES: usize = 10;

/// The whole page.
pub fn html(outcome: &Outcome, networks: &[Trained], data: &[&Splits]) -> Result<String> {
    let start = Page::new("Halflight, a walk through");
    let mut page = networks
        .iter()
        .fold(start, |page, trained| trained.certificate.iter().fold(page.report(&trained.audit), Page::certificate));
    let (header, rows) = outcome.table();
    // The cards at the top say more about attackers than the last column.
    let networks = Table::of(header.into_iter().take(6), rows.into_iter().map(|cells| cells.into_iter().take(6)));
    page = page.section(Section::new("Networks").table(networks));
    for splits in data {
        page = page.section(Section::new(format!("Encrypted: {}", splits.name)).pictures(samples(splits)?));
    }
    let (header, rows) = outcome.timings();
    Ok(page.section(Section::new("Steps").table(Table::of(header, rows))).html())
}

fn samples(splits: &Splits) -> Result<Vec<Picture>> {
    let data = &splits.test;
    let (main, collateral) = (data.labels(splits.main)?, data.labels(splits.collateral)?);
    let name = |labels: &dataset::Labels, item: usize| labels.classes[labels.values[item] as usize].clone();
    let picture = |item| {
        let caption = format!("{}, {}", name(main, item), name(collateral, item));
        Picture::grey(data.image(item), data.width(), data.height(), &caption)
    };
    Ok((0..SAMPLES.min(data.len())).filter_map(picture).collect())
}
