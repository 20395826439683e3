//! The policy file, and what it decides.

use std::collections::BTreeSet;
use std::path::Path;

use service::audit::{BoundFigure, CertificateSummary, Evidence, VoteBoundFigure};
use service::hash::Hash;
use service::policy::{AuditEvidence, Opened, Policy, Request};

const NETWORK: Hash = Hash([5; 32]);
const DAY: i64 = 86_400;
const LAB: &str = "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const BEN: &str = "ed25519:3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

fn text() -> String {
    format!(
        "version = 1\n[networks]\nallow = [\"{NETWORK}\"]\n[limits]\nrank = 4\nbits = 100.0\n\
         [audit]\nattributes = [\"font\"]\nstrongest_below = 60.0\nmax_age_days = 30\nauditors = {{ lab = \"{LAB}\" }}\n\
         [keys]\nvalid_days = 90\n\
         [approval]\nabove_rank = 3\nabove_bits = 80.0\npeople = 2\napprovers = {{ anna = \"{LAB}\", ben = \"{BEN}\" }}\n"
    )
}

fn parse(text: &str) -> Result<Policy, String> {
    Policy::parse(text, Path::new("policy.toml")).map_err(|error| error.to_string())
}

fn audit(high: f64, at: i64) -> AuditEvidence {
    let evidence = Evidence { date: at, data: None, panel: Some("quick".into()), attackers: 10, items: 500, seeds: 1 };
    let (attribute, auditor, key) = ("font".into(), "lab".into(), Some(LAB.parse().unwrap()));
    AuditEvidence {
        network: NETWORK,
        audit: Hash([0; 32]),
        attribute,
        high,
        balanced: None,
        auditor,
        key,
        evidence: Some(evidence),
        certificate: None,
        at,
    }
}

fn opened(rank: usize, bits: f64) -> Opened {
    Opened { rank, bits, noise_free: rank, unnoised_bits: bits }
}

fn refusals<'a>(change: impl FnOnce(&mut Request<'a>)) -> Vec<String> {
    static NOBODY: BTreeSet<String> = BTreeSet::new();
    let audits: &'static [AuditEvidence] = Box::leak(Box::new([audit(55.0, 100 * DAY)]));
    let mut request = Request {
        network: NETWORK,
        registered: true,
        before: opened(0, 0.0),
        after: opened(3, 70.0),
        audits,
        approved_by: &NOBODY,
        new_holder: true,
        holders: 1,
        others_open: false,
        now: 110 * DAY,
    };
    change(&mut request);
    parse(&text()).unwrap().decide(&request).refusals
}

#[test]
fn what_is_within_everything_is_allowed_until_it_expires() {
    assert_eq!(refusals(|_| ()), Vec::<String>::new());
    let (audits, nobody) = ([audit(55.0, 0)], BTreeSet::new());
    let (before, after) = (opened(0, 0.0), opened(1, 1.0));
    let request = Request {
        network: NETWORK,
        registered: true,
        before,
        after,
        audits: &audits,
        approved_by: &nobody,
        new_holder: true,
        holders: 1,
        others_open: false,
        now: 7,
    };
    assert_eq!(parse(&text()).unwrap().decide(&request).expires, Some(7 + 90 * DAY));
    let forever = text().replace("valid_days = 90", "valid_days = 0");
    assert_eq!(parse(&forever).unwrap().decide(&request).expires, None);
}

#[test]
fn every_rule_refuses_with_its_reason() {
    let both: BTreeSet<String> = ["anna".to_owned(), "ben".to_owned()].into();
    let one: BTreeSet<String> = ["anna".to_owned(), "otto".to_owned()].into();
    let none: &[AuditEvidence] = &[];
    let worse = [audit(55.0, 90 * DAY), audit(60.0, 100 * DAY)];
    let (old, other) =
        ([audit(55.0, 79 * DAY)], [AuditEvidence { key: Some(BEN.parse().unwrap()), ..audit(5.0, 100 * DAY) }]);
    let only = |list: Vec<String>, word: &str| {
        assert!(list.len() == 1 && list[0].contains(word), "{word}: {list:?}");
    };
    only(refusals(|r| r.registered = false), "not registered");
    only(refusals(|r| (r.after, r.approved_by) = (opened(5, 70.0), &both)), "rank: 0");
    only(refusals(|r| (r.after, r.approved_by) = (opened(3, 100.1), &both)), "bits: 0.0");
    only(refusals(|r| r.audits = none), "none recorded");
    only(refusals(|r| r.audits = &worse), "60.00 %");
    only(refusals(|r| r.audits = &old), "older than 30 days");
    only(refusals(|r| r.audits = &other), "none recorded");
    only(refusals(|r| r.after = opened(4, 70.0)), "2 people must sign, but 0 did");
    only(refusals(|r| (r.after, r.approved_by) = (opened(3, 81.0), &one)), "2 people must sign, but 1 did");
    assert!(refusals(|r| (r.after, r.approved_by) = (opened(4, 99.0), &both)).is_empty());
    assert!(refusals(|r| r.network = Hash([6; 32])).len() >= 2);
}

#[test]
fn what_is_inside_the_span_is_never_too_much() {
    let both: BTreeSet<String> = ["anna".to_owned(), "ben".to_owned()].into();
    let full = opened(9, 900.0);
    assert!(refusals(|r| (r.before, r.after, r.new_holder, r.approved_by) = (full, full, false, &both)).is_empty());
}

/// After the first issue anyone else got the same key without approval: it opens nothing new.
#[test]
fn a_new_holder_needs_approval_where_nothing_new_is_opened() {
    let both: BTreeSet<String> = ["anna".to_owned(), "ben".to_owned()].into();
    let full = opened(4, 90.0);
    let refused = refusals(|r| (r.before, r.after) = (full, full));
    assert!(refused.len() == 1 && refused[0].contains("2 people must sign, but 0 did"), "{refused:?}");
    assert!(refusals(|r| (r.before, r.after, r.approved_by) = (full, full, &both)).is_empty());
    let old = parse(&text().replace("people = 2", "people = 2\nnew_holders = false")).unwrap();
    let (audits, nobody) = ([audit(55.0, 0)], BTreeSet::new());
    let request = Request {
        network: NETWORK,
        registered: true,
        before: full,
        after: full,
        audits: &audits,
        approved_by: &nobody,
        new_holder: true,
        holders: 1,
        others_open: false,
        now: 7,
    };
    assert!(old.decide(&request).refusals.is_empty());
    // Who has it needs people again for every renewal, whatever new holders need.
    let renewal = Request { new_holder: false, ..request };
    assert!(old.decide(&renewal).refusals[0].contains("2 people must sign, but 0 did"));
    let refused = refusals(|r| (r.before, r.after, r.new_holder) = (full, full, false));
    assert!(refused.len() == 1 && refused[0].contains("2 people must sign, but 0 did"), "{refused:?}");
    let within = opened(3, 70.0);
    assert!(refusals(|r| (r.before, r.after, r.new_holder) = (within, within, false)).is_empty());
}

/// 950 holders got keys in 40 seconds.
#[test]
fn holders_are_limited() {
    assert!(refusals(|r| r.holders = 16).is_empty());
    let refused = refusals(|r| r.holders = 17);
    assert!(refused.len() == 1 && refused[0].contains("17 would have keys"), "{refused:?}");
    assert!(refusals(|r| (r.holders, r.new_holder) = (17, false)).is_empty());
}

/// A key that was replaced under the same name kept its audits valid, and an undated one passed for new.
#[test]
fn audits_count_by_key_and_signed_date() {
    let one = |audit: AuditEvidence| -> &'static [AuditEvidence] { Box::leak(Box::new([audit])) };
    let replaced = one(AuditEvidence { key: Some(BEN.parse().unwrap()), ..audit(55.0, 100 * DAY) });
    assert!(refusals(|r| r.audits = replaced)[0].contains("none recorded"));
    // Signed long ago and recorded today.
    let mut old = audit(55.0, 20 * DAY);
    old.at = 110 * DAY;
    assert!(refusals(|r| r.audits = one(old))[0].contains("older than 30 days"));
    let undated = AuditEvidence { evidence: None, ..audit(55.0, 100 * DAY) };
    let refused = refusals(|r| r.audits = one(undated.clone()));
    assert!(refused.len() == 1 && refused[0].contains("no signed date"), "{refused:?}");
    let mut coming = audit(55.0, 112 * DAY);
    coming.at = 110 * DAY;
    assert!(refusals(|r| r.audits = one(coming))[0].contains("in the future"));
    // The newest by its date counts, whenever it was recorded.
    let mut late = audit(55.0, 90 * DAY);
    late.at = 109 * DAY;
    let both: &'static [AuditEvidence] = Box::leak(Box::new([audit(90.0, 100 * DAY), late]));
    assert!(refusals(|r| r.audits = both)[0].contains("90.00 %"));
}

#[test]
fn a_policy_may_demand_how_much_an_audit_rests_on() {
    let decide = |more: &str| {
        let policy = parse(&text().replace("max_age_days = 30", &format!("max_age_days = 30\n{more}"))).unwrap();
        let (audits, nobody) = ([audit(55.0, 0)], BTreeSet::new());
        let request = Request {
            network: NETWORK,
            registered: true,
            before: opened(0, 0.0),
            after: opened(1, 1.0),
            audits: &audits,
            approved_by: &nobody,
            new_holder: true,
            holders: 1,
            others_open: false,
            now: 7,
        };
        policy.decide(&request).refusals
    };
    assert!(decide("min_items = 500\nmin_attackers = 10\nmin_seeds = 1\npanel = \"quick\"").is_empty());
    for (more, word) in [
        ("min_items = 501", "is based on 500 items"),
        ("min_attackers = 11", "is based on 10 attackers"),
        ("min_seeds = 2", "is based on 1 seeds"),
        ("panel = \"full\"", "demands the full panel"),
    ] {
        let refused = decide(more);
        assert!(refused.len() == 1 && refused[0].contains(word), "{more}: {refused:?}");
    }
}

/// Of an attribute with rare values plain accuracy hardly moves, so a policy may look at the balanced one.
#[test]
fn a_policy_may_demand_balanced_accuracy() {
    let demanding = text().replace("max_age_days = 30", "max_age_days = 30\nbalanced_below = 55.0");
    let policy = parse(&demanding).unwrap();
    let decide = |balanced: Option<f64>| {
        let (audits, nobody) = ([AuditEvidence { balanced, ..audit(55.0, 0) }], BTreeSet::new());
        let request = Request {
            network: NETWORK,
            registered: true,
            before: opened(0, 0.0),
            after: opened(1, 1.0),
            audits: &audits,
            approved_by: &nobody,
            new_holder: true,
            holders: 1,
            others_open: false,
            now: 7,
        };
        policy.decide(&request).refusals
    };
    assert!(decide(Some(54.9)).is_empty());
    for (balanced, word) in [(Some(55.0), "55.00 %"), (Some(f64::NAN), "NaN"), (None, "has no balanced accuracy")] {
        let refused = decide(balanced);
        assert!(refused.len() == 1 && refused[0].contains(word), "{refused:?}");
    }
    assert!(
        parse(&demanding.replace("balanced_below = 55.0", "balanced_below = 0.0"))
            .unwrap_err()
            .contains("balanced_below")
    );
}

/// Four outputs of 30 bits in which noise covers all but a few, against as many without.
#[test]
fn bits_without_noise_are_limited() {
    let policy = parse(&text().replace("rank = 4", "rank = 4\nunnoised_bits = 20.0")).unwrap();
    let (audits, nobody) = ([audit(55.0, 100 * DAY)], BTreeSet::new());
    let decide = |before: f64, after: f64| {
        let of = |unnoised_bits| Opened { rank: 3, bits: 70.0, noise_free: 0, unnoised_bits };
        let request = Request {
            network: NETWORK,
            registered: true,
            before: of(before),
            after: of(after),
            audits: &audits,
            approved_by: &nobody,
            new_holder: true,
            holders: 1,
            others_open: false,
            now: 110 * DAY,
        };
        policy.decide(&request).refusals
    };
    assert!(decide(0.0, 20.0).is_empty());
    // Nothing more than is open already.
    assert!(decide(60.0, 60.0).is_empty());
    let refused = decide(0.0, 60.0);
    assert!(refused.len() == 1 && refused[0].contains("unnoised bits: 0.0"), "{refused:?}");
    assert!(refused[0].contains("the policy allows 20.0"), "{refused:?}");
}

#[test]
fn noise_is_demanded_where_it_is_required() {
    let noisy = parse(&format!("{}\n[noise]\nrequired = true\n", text())).unwrap();
    let (audits, nobody) = ([audit(55.0, 0)], BTreeSet::new());
    let after = |noise_free| Opened { rank: 2, bits: 5.0, noise_free, unnoised_bits: 5.0 };
    let decide = |after| {
        let before = opened(0, 0.0);
        let request = Request {
            network: NETWORK,
            registered: true,
            before,
            after,
            audits: &audits,
            approved_by: &nobody,
            new_holder: true,
            holders: 1,
            others_open: false,
            now: 7,
        };
        noisy.decide(&request).refusals
    };
    assert!(decide(after(0)).is_empty());
    assert!(decide(after(1))[0].contains("free of noise"));
}

#[test]
fn files_that_make_no_sense_are_refused_by_field() {
    let good = text();
    for (from, to, word) in [
        ("version = 1", "version = 2", "version is 2"),
        ("rank = 4", "rank = 0", "limits.rank"),
        ("rank = 4", "rank = -1", "rank"),
        ("bits = 100.0", "bits = nan", "limits.bits"),
        ("bits = 100.0", "", "missing field `bits`"),
        ("attributes = [\"font\"]", "attributes = []", "audit.attributes"),
        ("strongest_below = 60.0", "strongest_below = 160.0", "audit.strongest_below"),
        ("people = 2", "people = 1", "approval.people"),
        ("above_bits = 80.0", "above_bits = nan", "approval.above_bits"),
        ("people = 2", "people = 2\nmax_days = 0", "approval.max_days"),
        ("rank = 4", "rank = 4\nholders = 0", "limits.holders"),
        ("rank = 4", "rank = 4\nunnoised_bits = -1.0", "limits.unnoised_bits"),
        ("[keys]", "[ledger]\nquorum = 1\n[keys]", "ledger.quorum"),
        (BEN, LAB, "approval.approvers"),
        (LAB, "ed25519:00", "not a public key"),
        ("allow", "alow", "unknown field `alow`"),
        (&NETWORK.to_string(), "5", "is not a hash"),
        ("[limits]", "[limits", "policy.toml"),
    ] {
        assert!(good.contains(from));
        let error = parse(&good.replace(from, to)).unwrap_err();
        assert!(error.contains(word), "{to}: {error}");
    }
}

fn certificate(pooled: f64, class: f64, vote: f64) -> CertificateSummary {
    CertificateSummary {
        confidence: 0.999,
        pooled: BoundFigure { bound: pooled },
        classes: vec![BoundFigure { bound: class }],
        votes: vec![VoteBoundFigure { k: 50, bound: vote }],
        maximal_leakage_bits: 24.0,
    }
}

#[test]
fn a_policy_may_demand_a_certificate() {
    let demand = "[certificate]\npooled_below = 55.0\nclass_below = 58.0\nvotes = { 20 = 75.0 }\n\
                  confidence = 0.99\nmaximal_leakage_bits = 30.0\n";
    let policy = parse(&(text() + demand)).unwrap();
    let decide = |certificate: Option<CertificateSummary>, others_open| {
        let audits = [AuditEvidence { certificate, ..audit(55.0, 100 * DAY) }];
        let nobody = BTreeSet::new();
        let request = Request {
            network: NETWORK,
            registered: true,
            before: opened(0, 0.0),
            after: opened(3, 70.0),
            audits: &audits,
            approved_by: &nobody,
            new_holder: true,
            holders: 1,
            others_open,
            now: 110 * DAY,
        };
        policy.decide(&request).refusals
    };
    let good = certificate(52.0, 54.0, 70.0);
    assert_eq!(decide(Some(good.clone()), false), Vec::<String>::new());
    for (found, word) in [
        (None, "none"),
        (Some(certificate(55.0, 54.0, 70.0)), "55.00 %"),
        (Some(certificate(52.0, 58.5, 70.0)), "58.50 %"),
        (Some(certificate(52.0, 54.0, 80.0)), "20 items"),
        (Some(CertificateSummary { votes: Vec::new(), ..good.clone() }), "20 items"),
        (Some(CertificateSummary { confidence: 0.9, ..good.clone() }), "confidence"),
        (Some(CertificateSummary { maximal_leakage_bits: 31.0, ..good.clone() }), "31.0 bits"),
        (Some(certificate(52.0, f64::NAN, 70.0)), "NaN"),
    ] {
        let refusals = decide(found, false);
        assert!(refusals.len() == 1 && refusals[0].contains(word), "{word}: {refusals:?}");
    }
    assert!(decide(Some(good), true)[0].contains("other networks"));
}

#[test]
fn a_demand_for_certificates_makes_sense_or_is_refused() {
    for (demand, word) in [
        ("pooled_below = 0.0", "certificate.pooled_below"),
        ("pooled_below = 55.0\nclass_below = 101.0", "certificate.class_below"),
        ("pooled_below = 55.0\nvotes = { many = 75.0 }", "certificate.votes"),
        ("pooled_below = 55.0\nconfidence = 99.9", "certificate.confidence"),
        ("pooled_below = 55.0\nmaximal_leakage_bits = -1.0", "certificate.maximal_leakage_bits"),
    ] {
        let error = parse(&format!("{}[certificate]\n{demand}\n", text())).unwrap_err();
        assert!(error.contains(word), "{error}");
    }
    let without = text().replace(
        &text()[text().find("[audit]").unwrap()..text().find("[keys]").unwrap()],
        "[certificate]\npooled_below = 55.0\n",
    );
    assert!(parse(&without).unwrap_err().contains("[audit]"));
}
