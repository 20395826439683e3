//! Objects that people and authorities sign: audits, grants, approvals, proposals, parameters. Any text, and valid ones
//! with bytes changed: an accepted object has the signed content.

use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use encoder::Encoder;
use service::approval::{Approval, Subject};
use service::audit::{Evidence, SignedAudit};
use service::grant::GrantFile;
use service::hash::Hash;
use service::ledger::{EntrySignature, Grant};
use service::page::PageFile;
use service::parameters::{Parameters, ParametersSignature, Purpose};
use service::policy::Policy;
use service::proposal::{Proposal, SignedProposal};
use service::signature::{SigningKey, VerifyingKey};

use crate::edited;

const REPORT: &str = include_str!("../report.json");

const POLICY: &str = r#"
version = 1
[networks]
allow = []
[limits]
rank = 9
bits = 99.0
holders = 2
[approval]
above_rank = 1
above_bits = 1.0
people = 2
approvers = { anna = "KEY", ben = "BEN" }
"#;

struct Valid {
    key: VerifyingKey,
    policy: Policy,
    subject: Subject,
    audit: SignedAudit,
    grant: GrantFile,
    proposal: Proposal,
    parameters: Parameters,
    signature: ParametersSignature,
    approval: Approval,
    texts: [Vec<u8>; 6],
}

static VALID: LazyLock<Valid> = LazyLock::new(|| {
    let signing = SigningKey::generate().expect("the system gives randomness");
    let (public_key, network, audits) = (Hash([1; 32]), Hash([2; 32]), Subject::audits_of(&[Hash([3; 32])].into()));
    let evidence =
        Evidence { date: 1_795_355_100, data: None, panel: Some("quick".into()), attackers: 9, items: 4000, seeds: 1 };
    let audit = SignedAudit::sign(network, REPORT, &evidence, &signing).expect("it is a report");
    let subject = Subject { public_key, network, holder: "ward".into(), rank: 3, bits: 4.5, audits };
    let ben = SigningKey::generate().expect("the system gives randomness").verifying_key().to_string();
    let policy = POLICY.replace("KEY", &signing.verifying_key().to_string()).replace("BEN", &ben);
    let policy = Policy::parse(&policy, Path::new("policy.toml")).expect("it is a policy");
    // Approvals of the past count for nothing.
    let day = SystemTime::now() + Duration::from_secs(86_400);
    let day = day.duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970").as_secs() as i64;
    let approval = Approval::sign(&subject, day, &signing);
    assert!(approval.check(&subject, &policy).is_ok());
    let encoder = Encoder::pixels(2, 2, 8).expect("four pixels");
    let parameters = Parameters::new(public_key, network, 2, vec!["a".into(), "b".into()], encoder);
    let purpose = Purpose { project: "wards".into(), epoch: 2, date: 1_795_355_100 };
    let signature = ParametersSignature::sign(&parameters, purpose, &signing);
    let grant: Grant = serde_json::from_str(include_str!("../grant.json")).expect("it is a grant");
    let grant = GrantFile::sign(grant, 7, Hash([5; 32]), &signing);
    let (project, date) = ("wards".into(), 1_795_355_100);
    let proposal =
        Proposal { project, subject: subject.clone(), rank_before: 2, bits_before: 3.0, audits: vec![], date };
    let signed = SignedProposal::sign(&proposal, &signing);
    let texts = [
        audit.to_bytes(),
        grant.to_bytes(),
        serde_json::to_vec(&signed).expect("it is text"),
        parameters.to_bytes(),
        signature.to_string().into_bytes(),
        approval.to_string().into_bytes(),
    ];
    Valid {
        key: signing.verifying_key(),
        policy,
        subject,
        audit,
        grant,
        proposal,
        parameters,
        signature,
        approval,
        texts,
    }
});

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let valid = &*VALID;
    let ours = usize::from(*mode) % 12;
    let bytes = valid.texts.get(ours).map_or_else(|| data.to_vec(), |text| edited(text, data));
    let ours = ours < valid.texts.len();
    if let Ok(audit) = SignedAudit::from_bytes(&bytes) {
        assert!(SignedAudit::from_bytes(&audit.to_bytes()).is_ok());
        let same = |valid: &SignedAudit| {
            (audit.report(), audit.network(), audit.evidence()) == (valid.report(), valid.network(), valid.evidence())
        };
        assert!(!ours || same(&valid.audit), "a forged audit");
    }
    if let Ok(grant) = GrantFile::from_bytes(&bytes) {
        let same = |valid: &GrantFile| {
            (&grant.grant, grant.sequence, grant.entry) == (&valid.grant, valid.sequence, valid.entry)
        };
        assert!(!ours || same(&valid.grant), "a forged grant");
    }
    if let Ok(signed) = serde_json::from_slice::<SignedProposal>(&bytes)
        && let Ok(proposal) = signed.open(&valid.key)
    {
        assert!(proposal == valid.proposal, "forged figures");
    }
    if let Ok(parameters) = Parameters::from_bytes(&bytes, None)
        && valid.signature.check(&parameters, Hash::of_bytes(&bytes)).is_ok()
    {
        assert!(parameters == valid.parameters, "forged parameters");
    }
    let _ = PageFile::from_bytes(&bytes);
    let Ok(text) = std::str::from_utf8(&bytes) else { return };
    if let Ok(signature) = text.parse::<ParametersSignature>() {
        assert_eq!(signature.to_string().parse::<ParametersSignature>().expect("it was read before"), signature);
        let holds = signature.check(&valid.parameters, valid.parameters.pin()).is_ok();
        assert!(!holds || signature == valid.signature, "a forged signature of parameters");
    }
    if let Ok(approval) = text.parse::<Approval>() {
        // Bits may be NaN, which equals nothing.
        let again: Approval = approval.to_string().parse().expect("it was read before");
        assert_eq!(again.to_string(), approval.to_string());
        let counts = approval.check(&valid.subject, &valid.policy).is_ok();
        assert!(!counts || approval == valid.approval, "a forged approval");
    }
    if let Ok(signature) = text.parse::<EntrySignature>() {
        assert_eq!(signature.to_string().parse::<EntrySignature>().expect("it was read before"), signature);
    }
}
