//! The authority on files: what the policy refuses, and that the ledger says so.

mod workshop;

use std::fs;

use workshop::Workshop;

// An identity: a passphrase costs a second of work each time.
const INIT: &str = "authority init --identity home.identity --network compiled.safetensors --folder home";
const ISSUE: &str = "authority issue --identity home.identity --folder home --network compiled.safetensors";

/// Every kind of file, and the identity.
fn furnished() -> Workshop {
    let shop = Workshop::furnished();
    shop.works("keygen --identity --out home.identity");
    shop
}

/// The last entry of the ledger, which must hold.
fn last(shop: &Workshop) -> serde_json::Value {
    shop.works("authority ledger verify --folder home");
    let shown = shop.json("authority ledger show --folder home");
    shown["entries"].as_array().unwrap().last().unwrap()["event"].clone()
}

fn entries(shop: &Workshop) -> u64 {
    shop.json("authority ledger verify --folder home")["entries"].as_u64().unwrap()
}

/// Runs a request that the policy must refuse: nothing is written but one entry with the reason.
fn refused(shop: &Workshop, arguments: &str, reason: &str) {
    let before = entries(shop);
    let output = shop.run(&format!("{arguments} --out refused.key"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains(reason), "{arguments}: {said}");
    assert!(!shop.path("refused.key").exists());
    let event = last(shop);
    // One more where the policy was edited before.
    assert!((before + 1..=before + 2).contains(&entries(shop)));
    assert_eq!(event["event"], "refused");
    assert!(event["reasons"].to_string().contains(reason), "{event}");
}

/// Runs what must fail with these words, though the ledger may have grown by it.
fn fails(shop: &Workshop, arguments: &str, words: &[&str]) {
    let output = shop.run(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && words.iter().all(|word| said.contains(word)), "{arguments}: {said}");
}

/// Changes the policy, as a person would.
fn edit_policy(shop: &Workshop, edit: impl Fn(&str) -> String) {
    let path = shop.path("home/policy.toml");
    let text = fs::read_to_string(&path).unwrap();
    let edited = edit(&text);
    assert_ne!(text, edited);
    fs::write(path, edited).unwrap();
}

#[test]
fn the_starting_policy_allows_one_network_and_no_more() {
    let shop = furnished();
    shop.works(INIT);
    // The policy, the network, the project.
    assert_eq!(entries(&shop), 3);
    // A dry run needs no secret and leaves no entry.
    let dry = shop.json(&format!("{} --dry-run", ISSUE.replace("home.identity", "nowhere")));
    assert_eq!((&dry["decision"]["before"]["rank"], &dry["decision"]["after"]["rank"]), (&0.into(), &4.into()));
    assert_eq!((dry["decision"]["refusals"].as_array().unwrap().len(), entries(&shop)), (0, 3));
    let issued = shop.json(&format!("{ISSUE} --out first.key --holder ward-3"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(shop.path("first.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "a functional key is for its holder alone: {mode:o}");
    }
    let event = last(&shop);
    assert_eq!((&event["event"], &event["holder"]), (&"key-issued".into(), &"ward-3".into()));
    assert_eq!(issued["grant"]["grant"]["rank"], 4);
    // The same key again adds nothing.
    shop.works(&format!("{ISSUE} --out again.key"));
    assert!(fs::read(shop.path("first.key")).unwrap() == fs::read(shop.path("again.key")).unwrap());

    shop.works("compile network.safetensors --data data.safetensors --bits 3 --out coarse.safetensors");
    let coarse = "authority issue --identity home.identity --folder home --network coarse.safetensors";
    refused(&shop, coarse, "not registered");
    let known = shop.json("authority register --folder home --network coarse.safetensors");
    refused(&shop, coarse, "allow-list");
    let hash = known["networks"][0].as_str().unwrap();
    edit_policy(&shop, |text| text.replace("allow = [", &format!("allow = [\"{hash}\",")));
    refused(&shop, coarse, "rank: 4 functions are open");
    refused(&shop, coarse, "bits:");
    // A script sees by the exit code that the key would be refused.
    let output = shop.run(&format!("{coarse} --dry-run"));
    let dry = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{dry}");
    assert!(dry.contains("rank 4 before, 8 after") && dry.contains("refused"), "{dry}");

    // A new public key has room again, and is what owners find.
    let rotated = shop.json("authority rotate --identity home.identity --folder home --reason due");
    assert_eq!(rotated["epoch"], 2);
    let key = qfe::PublicKey::from_bytes(&fs::read(shop.path("home/public/public.key")).unwrap()).unwrap();
    assert_eq!(rotated["public_key"], key.id().to_string());
    shop.works(&format!("{coarse} --out second.key"));
    shop.works("encrypt --parameters home/public --data data.safetensors --items 0 --out rotated");
    shop.works("predict --key second.key --network coarse.safetensors rotated/0.ct");
    shop.refuses("predict --key first.key --network compiled.safetensors rotated/0.ct", &["public key"]);
    let shown = shop.works("authority ledger show --folder home --after 4");
    assert!(shown.contains("rotated to epoch 2") && !shown.contains("project 'main' with"), "{shown}");
}

#[test]
fn anybody_checks_a_key_against_the_public_key() {
    let shop = furnished();
    shop.works(INIT);
    shop.works(&format!("{ISSUE} --out first.key"));
    let verify = "authority verify-key --parameters home/public";
    let valid = shop.json(&format!("{verify} first.key --network compiled.safetensors"));
    assert_eq!((&valid["valid"], &valid["outputs"]), (&true.into(), &4.into()));
    // Two outputs change places, under a fresh checksum.
    let mut bytes = fs::read(shop.path("first.key")).unwrap();
    let body = bytes.len() - 32;
    let (first, second) = bytes[body - 2 * 192..body].split_at_mut(192);
    first.swap_with_slice(second);
    let checksum: [u8; 32] =
        sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), &bytes[..body])).into();
    bytes[body..].copy_from_slice(&checksum);
    fs::write(shop.path("swapped.key"), &bytes).unwrap();
    shop.refuses(&format!("{verify} swapped.key"), &["swapped.key", "output 2"]);
    shop.works("compile network.safetensors --data data.safetensors --bits 3 --out coarse.safetensors");
    shop.refuses(&format!("{verify} first.key --network coarse.safetensors"), &["another function"]);
    shop.works("authority rotate --identity home.identity --folder home --reason due");
    shop.refuses(&format!("{verify} first.key"), &["belongs to public key"]);
}

#[test]
fn a_key_needs_the_audit_and_the_people_that_the_policy_names() {
    let shop = furnished();
    let [lab, anna, ben] = ["lab", "anna", "ben"].map(|name| {
        let made = shop.json(&format!("keygen --out {name}.key"));
        made["public"].as_str().unwrap().to_owned()
    });
    let authority = shop.json(INIT)["authority"].as_str().unwrap().to_owned();
    edit_policy(&shop, |text| {
        format!(
            "{text}\n[audit]\nattributes = [\"ink\"]\nstrongest_below = 70.0\nauditors = {{ lab = \"{lab}\" }}\n\
             [approval]\nabove_rank = 2\nabove_bits = 1e6\npeople = 2\napprovers = {{ anna = \"{anna}\", ben = \"{ben}\" }}\n"
        )
    });
    refused(&shop, ISSUE, "audit: none recorded for attribute 'ink'");
    let report = |high: f64| {
        let strongest = serde_json::json!({ "family": "forest", "accuracy": 60, "high": high, "chance": 50 });
        let report = serde_json::json!({ "attribute": "ink", "strongest": strongest });
        fs::write(shop.path("report.json"), report.to_string()).unwrap();
    };
    let sign = |key: &str, out: &str| {
        shop.works(&format!(
            "authority sign-audit --key {key} --network compiled.safetensors --report report.json --out {out}"
        ))
    };
    report(75.0);
    sign("lab.key", "weak.json");
    shop.works("authority register --folder home --audit weak.json");
    refused(&shop, ISSUE, "may reach 75.00 %");
    report(65.0);
    sign("anna.key", "stranger.json");
    let stranger = shop.run("authority register --folder home --audit stranger.json");
    assert!(!stranger.status.success());
    assert!(last(&shop)["reasons"].to_string().contains("is not an auditor of the policy"));
    // Of two audits of one second the worse counts.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    sign("lab.key", "audit.json");
    shop.works("authority register --folder home --audit audit.json");

    refused(&shop, ISSUE, "2 people must sign, but 0 did");
    let approve = |who: &str, holder: &str| {
        let dry = shop.run(&format!("{ISSUE} --holder {holder} --dry-run --json"));
        fs::write(shop.path("request.json"), &dry.stdout).unwrap();
        let approved = shop.run(&format!(
            "authority approve --key {who}.key --network compiled.safetensors --request request.json \
             --public-key home/public/public.key --holder {holder} --authority {authority}"
        ));
        // Who signs sees what for.
        let said = String::from_utf8(approved.stderr).unwrap();
        assert!(approved.status.success(), "{said}");
        assert!(said.contains("rank 0 before, 4 after") && said.contains(holder), "{said}");
        format!("--approval {}", String::from_utf8(approved.stdout).unwrap().trim())
    };
    let annas = approve("anna", "predictor");
    // Whoever passes the request on cannot change what approvers see of it.
    let request = fs::read_to_string(shop.path("request.json")).unwrap();
    let better = request.replace("\\\"high\\\":65.0", "\\\"high\\\":51.0");
    assert_ne!(better, request);
    fs::write(shop.path("better.json"), better).unwrap();
    let sign = "authority approve --key anna.key --network compiled.safetensors";
    shop.refuses(&format!("{sign} --request better.json --authority {authority}"), &["better.json", "was changed"]);
    shop.refuses(&format!("{sign} --request request.json --authority {anna}"), &["not by the authority", &anna]);
    refused(&shop, &format!("{ISSUE} {annas} {annas}"), "2 people must sign, but 1 did");
    refused(&shop, &format!("{ISSUE} {annas} {}", approve("ben", "somebody-else")), "approval");
    shop.works(&format!("{ISSUE} {annas} {} --model models/digits", approve("ben", "predictor")));
    assert_eq!(last(&shop)["approved_by"], serde_json::json!(["anna", "ben"]));
    assert!(fs::read(shop.path("models/digits/audit.json")).unwrap() == fs::read(shop.path("audit.json")).unwrap());
    shop.refuses(&format!("{ISSUE} --model models/digits"), &["models/digits/network.safetensors", "--force"]);

    let audit = "audit compiled.safetensors --train data.safetensors --test data.safetensors --main digit \
                 --collateral ink --families qda --sign lab.key";
    shop.refuses(audit, &["--report"]);
    shop.works(&format!("{audit} --report page.html"));
    shop.works("authority register --folder home --audit page.signed.json");
}

#[test]
fn a_tampered_ledger_issues_nothing() {
    let shop = furnished();
    shop.works(INIT);
    shop.works(&format!("{ISSUE} --out first.key"));
    fs::copy(shop.path("home/ledger.head"), shop.path("witness.head")).unwrap();
    let witnessed = "authority ledger verify --folder home --witness witness.head";
    shop.works(witnessed);
    shop.copy("home", "whole");
    // The rank of an issued key, made smaller in the file itself.
    shop.damaged("home/ledger.sqlite", "home/ledger.sqlite", |bytes| {
        let at = bytes.windows(8).position(|window| window == b"\"rank\":4").unwrap();
        bytes[at + 7] = b'0';
    });
    for verb in ["ledger verify", "ledger show"] {
        shop.refuses(&format!("authority {verb} --folder home"), &["entry 4", "was changed"]);
    }
    shop.refuses(&format!("{ISSUE} --out second.key"), &["entry 4", "restore the ledger"]);
    shop.refuses(&format!("{ISSUE} --dry-run"), &["entry 4"]);

    // An older ledger with an older head: only the witness knows.
    shop.works(&INIT.replace("home ", "young ").replace("folder home", "folder young"));
    let young = witnessed.replace("home", "young");
    shop.refuses(&young, &["entry 4", "witness"]);
    shop.refuses("authority ledger show --folder nowhere", &["nowhere", "no ledger"]);
    fs::remove_file(shop.path("whole/ledger.sqlite")).unwrap();
    shop.refuses("authority ledger verify --folder whole", &["no ledger"]);
    shop.refuses("authority issue --folder whole --network compiled.safetensors --dry-run", &["entry 4"]);
}

/// Witnesses on files: a key leaves once one of them saw its issue, and a restored ledger gets no cosignature.
#[test]
fn a_key_waits_for_its_witness() {
    let shop = furnished();
    let north = shop.json("keygen --out north.key")["public"].as_str().unwrap().to_owned();
    let made = shop.json(INIT);
    let log = made["ledger_key"].as_str().unwrap();
    edit_policy(&shop, |text| format!("{text}\n[ledger]\nwitnesses = {{ north = \"{north}\" }}\nquorum = 1\n"));
    let issue = format!("{ISSUE} --out first.key");
    fails(&shop, &issue, &["entry 5", "1 witnesses"]);
    assert!(!shop.path("first.key").exists());
    shop.copy("home", "backup");
    let hand = |from: &str, to: &str| {
        shop.works(&format!("authority ledger checkpoint --folder {from} --out {to}"));
    };
    let witness = |more: &str| {
        format!("authority witness --name north --key north.key --ledger-key {log} --state north.state {more}")
    };
    hand("home", "handover.json");
    fails(&shop, &witness("--handover handover.json --out north.head"), &["nothing was seen yet"]);
    let seen = shop.json(&witness("--first --handover handover.json --out north.head"));
    assert_eq!(seen["head"]["sequence"], 5);
    let kept = shop.json("authority ledger cosign --folder home north.head");
    assert_eq!((&kept["head"]["sequence"], &kept["witnesses"]), (&5.into(), &1.into()));
    shop.works(&issue);
    fails(&shop, &format!("{ISSUE} --holder other --out other.key"), &["entry 6"]);
    hand("home", "later.json");
    shop.works(&witness("--handover later.json --out later.head"));

    // Put back to before the second issue, and continued otherwise.
    let third = ISSUE.replace("folder home", "folder backup");
    fails(&shop, &format!("{third} --holder third --out third.key"), &["entry 6"]);
    hand("backup", "forked.json");
    fails(&shop, &witness("--handover forked.json --out forked.head"), &["does not continue the 6 entries"]);
    fails(&shop, "authority ledger cosign --folder backup later.head", &["not of this ledger"]);
    fails(&shop, &format!("{third} --holder third --out third.key"), &["entry 6"]);
    hand("home", "whole.json");
    shop.works("authority ledger verify --folder home --witness later.head");
}

/// The identity that unlocks every master key, readable by everybody.
#[cfg(unix)]
#[test]
fn an_identity_open_to_others_unlocks_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let shop = furnished();
    fs::set_permissions(shop.path("home.identity"), fs::Permissions::from_mode(0o644)).unwrap();
    shop.refuses(INIT, &["home.identity", "others can read it", "chmod 600"]);
}

#[test]
fn projects_have_keys_and_limits_of_their_own() {
    let shop = furnished();
    shop.works(INIT);
    shop.works(&format!("{ISSUE} --out main.key"));
    let made =
        shop.json("authority project wards --identity home.identity --folder home --network compiled.safetensors");
    let dry = shop.json(&format!("{ISSUE} --project wards --dry-run"));
    assert_eq!(dry["decision"]["before"]["rank"], 0);
    let issued = shop.json(&format!("{ISSUE} --project wards --out wards.key"));
    assert_eq!(issued["public_key"], made["public_key"]);
    shop.works("encrypt --parameters home/public/wards --data data.safetensors --items 0 --out wards");
    shop.works("predict --key wards.key --network compiled.safetensors wards/0.ct");
    shop.refuses("predict --key main.key --network compiled.safetensors wards/0.ct", &["public key"]);
    for (name, word) in [("../x", "letters"), ("wards", "exists")] {
        let refused = shop.run(&format!(
            "authority project {name} --identity home.identity --folder home --network compiled.safetensors"
        ));
        assert!(!refused.status.success() && String::from_utf8(refused.stderr).unwrap().contains(word), "{name}");
    }
    refused(&shop, &format!("{ISSUE} --project nobody"), "no project 'nobody'");
}

#[test]
fn a_policy_of_ones_own() {
    let shop = furnished();
    fs::write(shop.path("mine.toml"), "version = 1\n[networks]\nallow = []\n[limits]\nrank = 9\nbits = 99.0\n")
        .unwrap();
    fs::write(shop.path("broken.toml"), "version = 1\n[networks]\nallow = []\n[limits]\nrank = 0\nbits = 99.0\n")
        .unwrap();
    shop.refuses(&format!("{INIT} --policy broken.toml"), &["broken.toml", "limits.rank"]);
    shop.works(&format!("{INIT} --policy mine.toml"));
    refused(&shop, ISSUE, "allow-list");
}
