//! How the figures were obtained, in words.

use crate::text::count;
use leakage::AuditReport;

pub(super) fn section(reports: &[&AuditReport]) -> String {
    let sizes: Vec<String> = reports.iter().map(|r| count(r.items.train)).collect();
    let sizes = sizes.join(", ");
    format!(
        "<section class=\"method\">\n<h2>Method</h2>\n\
         <p>Attackers start from scratch and know the network, the main label and labelled outputs of {sizes} \
         training items. None took part in training the network, because an adversary that was trained against \
         always looks weak. More training items make stronger attackers: a figure holds for the number \
         stated.</p>\n<dl>\n\
         <dt>Strongest</dt><dd>A fraction of the training items is held out; the family farthest above chance there \
         (lower bound of an interval that holds for all families and classes at once) is called the strongest, \
         trained again on all training items and scored on test items. The choice does not see the test items, so \
         its 95 % interval (Wilson) is not biased by it. “Highest” figures are the largest on the test items \
         themselves, with intervals that hold for all families and classes at once (Bonferroni). Where one audit \
         covers several attributes, the intervals of both hold for all of them at once.</dd>\n\
         <dt>Pooled and within a class</dt><dd>Pooled figures cover all items with the main label given: most \
         families train one model per main class, networks read the label as further inputs. Outputs are \
         standardised within the class; families that measure distances also get them without correlations, so that \
         it does not matter how a network mixes its outputs. The worst class is the one that is farthest above \
         chance on held-out items.</dd>\n\
         <dt>Chance</dt><dd>How often the best guess from the main label alone is right on the test items; equal \
         frequencies where the values' frequencies do not differ significantly (χ², 0.1 %).</dd>\n\
         <dt>Balanced</dt><dd>The mean accuracy over the values, and over the main classes: as if every value were \
         equally frequent. Answers follow the likelihood: calibrated probabilities divided by the frequencies within \
         the main class. Chance is one over the number of values. The figure next to it is that of the main label \
         alone, over all items: the outputs of an accurate service cannot reveal less.</dd>\n\
         <dt>Advantage</dt><dd>(accuracy − chance)/(100 − chance). In words, for the largest among strongest and \
         highest whose interval lies above chance: a trace below 0.05; a clear leak below 0.25; a strong leak above \
         that; nothing measurable if there is none. Many items of one subject are mentioned where their interval \
         lies above chance and above shuffled labels.</dd>\n\
         <dt>AUC, TPR at 0.1 % FPR</dt><dd>One value of the attribute against the rest, mean over values. The second \
         is the fraction found with one false alarm in a thousand; guessing finds 0.001. Of equal scores as many are \
         accepted as allowed.</dd>\n\
         <dt>Bits</dt><dd>Code length of the attribute given the main label, minus its code length under the \
         attacker's probabilities, which are calibrated on held-out items: a lower bound on what the outputs \
         reveal.</dd>\n\
         <dt>Vote</dt><dd>Log-probabilities of k items of one subject added up, each minus its average within its \
         main class with every value equally likely, plus the evidence of the main labels where they depend on the \
         attribute. The interval counts only disjoint subjects; numbers k that some value of the attribute does not \
         have among the test items are left out.</dd>\n\
         <dt>Shuffled labels</dt><dd>The attribute permuted within every main class of both splits, then the same \
         procedure: what it finds where there is nothing to find.</dd>\n</dl>\n</section>\n"
    )
}
