//! The front as a page.

use report::{Dot, Page, Scatter, Section, Table};

use super::front::Front;
use super::point::Found;

impl Front {
    /// A page with the plot, what it means, and every point.
    pub fn html(&self) -> String {
        html(self)
    }
}

fn html(front: &Front) -> String {
    let found = front.points();
    let dot = |x: &Found| Dot {
        x: x.main_integer,
        y: x.pooled,
        // The area of a dot is its cost.
        size: x.field_muls,
        label: format!("S {} d {} {} bits", x.point.outputs, x.point.units, x.point.bits()),
        group: usize::from(!x.front),
    };
    let chance = found.first().map(|x| x.chance);
    let scatter = Scatter {
        title: "Main accuracy against the strongest attacker".into(),
        across: "main accuracy of the integers, %".into(),
        up: "strongest attacker, all items, %".into(),
        groups: vec!["on the front".into(), "beaten by another".into()],
        level: chance,
        dots: found.iter().map(dot).collect(),
    };
    let (header, rows) = front.table();
    let sizes = found.first().map_or((0, 0), |x| x.attack_items);
    let section = Section::new("Which network to take")
        .text(format!(
            "Every point is a network that was trained, compiled and attacked by fresh attackers with {} items that it \
             never saw, scored on {} others. Right and low is better; a smaller dot is cheaper to evaluate under \
             encryption. Points on the front are beaten by no other in all three. The choice among many points \
             flatters the one chosen by a little: audit it once more, on items that this page did not use.",
            sizes.0, sizes.1
        ))
        .scatter(scatter)
        .table(Table::of(header, rows));
    Page::new("Accuracy, leak and cost").section(section).html()
}
