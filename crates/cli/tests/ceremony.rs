//! Three institutions hold one key: made over a folder, issued over TLS, renewed, recovered, each under its own policy.

mod institutions;
mod workshop;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use institutions::Institutions;
use workshop::Served;

const WAIT: &str = "--wait 50";

/// Three servers with a key in shares: homes `home1` to `home3`, parameters in `parameters`, seats `seat1` to `seat3`.
fn made() -> Institutions {
    let three = Institutions::new(3);
    three.shop.works(&format!(
        "authority ceremony init --network good.safetensors --threshold 1 --clerk s2 {} --out ceremony",
        three.cards()
    ));
    three.all_join("ceremony", "home", |_| WAIT.into());
    three.shop.works("authority ceremony verify home1/transcript --out parameters");
    for server in 1..=3 {
        three.shop.works(&format!(
            "authority init --network good.safetensors --folder seat{server} --identity s{server}.identity \
             --share home{server}"
        ));
    }
    three
}

/// A certificate for all servers.
fn certificate(three: &Institutions) {
    if !three.path("server.pem").exists() {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        fs::write(three.path("server.pem"), made.cert.pem()).unwrap();
        fs::write(three.path("server.key"), made.signing_key.serialize_pem()).unwrap();
        fs::set_permissions(three.path("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Servers over TLS, by name and address.
fn served(three: &Institutions, seats: &[(usize, &str)]) -> (Vec<Served>, Vec<(String, String)>) {
    let flags = "--tls-certificates server.pem --tls-key server.key";
    certificate(three);
    let mut running = Vec::new();
    let mut addresses = Vec::new();
    for (server, seat) in seats {
        let server_ = three.serve(seat, *server, flags);
        assert!(server_.address.starts_with("https://"), "{}", server_.address);
        addresses.push((format!("s{server}"), server_.address.clone()));
        running.push(server_);
    }
    (running, addresses)
}

const SEATS: [(usize, &str); 3] = [(1, "seat1"), (2, "seat2"), (3, "seat3")];
const GOOD: &str = "--server-authorities server.pem --parameters parameters --network good.safetensors";

fn verdicts(issued: &std::process::Output) -> Vec<(String, String)> {
    let said: serde_json::Value = serde_json::from_slice(&issued.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&issued.stderr)));
    let reply = |reply: &serde_json::Value| {
        (reply["server"].as_str().unwrap().into(), reply["verdict"].as_str().unwrap().into())
    };
    said["servers"].as_array().unwrap().iter().map(reply).collect()
}

/// What each server would say to a key, and whether the command ended well.
fn opinions(considered: &std::process::Output) -> (bool, Vec<String>) {
    let said: serde_json::Value = serde_json::from_slice(&considered.stdout).unwrap();
    assert_eq!(said["dry_run"], true);
    let opinion = |said: &serde_json::Value| format!("{}: {}", said["server"], said["opinion"]).replace('"', "");
    (considered.status.success(), said["servers"].as_array().unwrap().iter().map(opinion).collect())
}

fn text(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn three_processes_issue_over_tls_each_under_its_own_policy() {
    let three = made();
    let mode = |name: &str| fs::metadata(three.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("home1"), mode("home1/share.age")), (0o700, 0o600));
    assert!(!three.path("home1/dealing.age").exists());
    let (running, urls) = served(&three, &SEATS);
    // A dry run leaves nothing, here or there.
    let entries = |seat: usize| {
        three.shop.json(&format!("authority ledger show --folder seat{seat}"))["entries"].as_array().unwrap().len()
    };
    let before: Vec<usize> = (1..=3).map(entries).collect();
    let considered = three.issue(&urls, &format!("{GOOD} --dry-run --out none.key"));
    let all = ["s1: willing", "s2: willing", "s3: willing"].map(str::to_owned).to_vec();
    assert_eq!(opinions(&considered), (true, all), "{}", text(&considered));
    assert_eq!((1..=3).map(entries).collect::<Vec<_>>(), before);
    assert!(!three.path("none.key").exists());
    let issued = three.issue(&urls, &format!("{GOOD} --out first.key --model models/kinds"));
    assert!(issued.status.success(), "{}", text(&issued));
    let of = |server: usize, verdict: &str| (format!("s{server}"), verdict.to_owned());
    assert_eq!(verdicts(&issued), [of(1, "used"), of(2, "used"), of(3, "spare")]);
    assert_eq!(mode("first.key"), 0o600);
    three.shop.works("authority verify-key first.key --parameters parameters --network good.safetensors");
    // Each ledger has its own part.
    for seat in 1..=3 {
        let shown = three.shop.json(&format!("authority ledger show --folder seat{seat}"));
        let last = &shown["entries"].as_array().unwrap().last().unwrap()["event"];
        assert_eq!((&last["event"], &last["part"]["server"]), (&"key-issued".into(), &seat.into()));
    }
    // No seat makes a key alone.
    let alone = three.shop.run(
        "authority issue --folder seat1 --identity s1.identity --network good.safetensors --holder other --out alone.key",
    );
    assert!(!alone.status.success() && text(&alone).contains("part 1 of 3") && !three.path("alone.key").exists());
    drop(running);

    // South allows another network alone: named with its reason, and not needed.
    let evil = institutions::network(7);
    let digits =
        |network: &model::CompiledNetwork| network.hash().iter().map(|b| format!("{b:02x}")).collect::<String>();
    let forbid = |seat: &str| {
        let path = three.path(seat).join("policy.toml");
        let good = digits(&institutions::network(255));
        let policy = fs::read_to_string(&path).unwrap();
        assert!(policy.contains(&good));
        fs::write(&path, policy.replace(&good, &digits(&evil))).unwrap();
    };
    forbid("seat2");
    let (running, urls) = served(&three, &SEATS);
    let issued = three.issue(&urls, &format!("{GOOD} --holder ward --out second.key"));
    assert_eq!(verdicts(&issued), [of(1, "used"), of(2, "refused"), of(3, "used")]);
    assert!(text(&issued).contains("s2 refused") && text(&issued).contains("allow-list"), "{}", text(&issued));
    assert_eq!(fs::read(three.path("first.key")).unwrap(), fs::read(three.path("second.key")).unwrap());
    drop(running);
    // Two refuse: no key, and both are named.
    forbid("seat3");
    let (running, urls) = served(&three, &SEATS);
    let considered = three.issue(&urls, &format!("{GOOD} --holder ward --dry-run"));
    let one = ["s1: willing", "s2: unwilling", "s3: unwilling"].map(str::to_owned).to_vec();
    assert_eq!(opinions(&considered), (false, one));
    assert!(text(&considered).contains("1 of 2 servers would give"), "{}", text(&considered));
    assert!(String::from_utf8_lossy(&considered.stdout).contains("allow-list"));
    let issued = three.issue(&urls, &format!("{GOOD} --holder ward --out third.key"));
    assert!(!issued.status.success() && issued.stdout.is_empty() && !three.path("third.key").exists());
    let said = text(&issued);
    assert!(said.contains("1 of 2 parts") && said.contains("s2 refused") && said.contains("s3 refused"), "{said}");
    // One is down: named as silent, not as a liar.
    drop(running);
    let issued = three.issue(&urls, &format!("{GOOD} --holder ward --out fourth.key"));
    assert!(text(&issued).contains("s1 gave no answer"), "{}", text(&issued));
}

#[test]
fn shares_are_renewed_a_lost_one_comes_back_and_epochs_never_mix() {
    let three = made();
    let (running, urls) = served(&three, &SEATS);
    assert!(three.issue(&urls, &format!("{GOOD} --out before.key")).status.success());
    drop(running);
    // West lost everything but its keys.
    fs::remove_dir_all(three.path("home3")).unwrap();
    three.shop.works("authority ceremony refresh --from home1 --transcript home1/transcript --out renewal");
    let join = |server: usize| match server {
        3 => format!("{WAIT} --patience 2 --lost"),
        server => format!("{WAIT} --patience 2 --share home{server}"),
    };
    // Whoever forgets its share is told.
    three.shop.refuses(
        "authority ceremony join --ceremony renewal --key s1.key --identity s1.identity --home forgot",
        &["'s1' holds a share"],
    );
    three.all_join("renewal", "new", join);
    let verified =
        three.shop.json("authority ceremony verify home1/transcript new3/transcript --parameters parameters");
    assert_eq!((&verified["epoch"], &verified["from_the_beginning"]), (&1.into(), &true.into()));
    three.shop.refuses("authority ceremony verify new3/transcript home1/transcript", &["new key"]);
    // West's new share opens a seat of its own; one of the others takes its new share, the third forgets to.
    three.shop.works("authority renew --folder seat1 --identity s1.identity --share new1");
    three.shop.works("authority init --network good.safetensors --folder seat3b --identity s3.identity --share new3");
    three.shop.refuses("authority renew --folder seat1 --identity s1.identity --share home1", &["newer epoch"]);
    three.shop.refuses("authority renew --folder seat1 --identity s1.identity --share new2", &["new2/share.age"]);
    let (running, urls) = served(&three, &[(1, "seat1"), (2, "seat2"), (3, "seat3b")]);
    let renewed = GOOD.replace("--parameters parameters", "--parameters new1");
    let considered = three.issue(&urls, &format!("{renewed} --holder ward --dry-run"));
    let two = ["s1: willing", "s2: stale", "s3: willing"].map(str::to_owned).to_vec();
    assert_eq!(opinions(&considered), (true, two), "{}", text(&considered));
    let issued = three.issue(&urls, &format!("{renewed} --holder ward --out after.key"));
    assert!(issued.status.success(), "{}", text(&issued));
    let of = |server: usize, verdict: &str| (format!("s{server}"), verdict.to_owned());
    assert_eq!(verdicts(&issued), [of(1, "used"), of(2, "stale"), of(3, "used")]);
    assert!(text(&issued).contains("epoch 0, not of 1"), "{}", text(&issued));
    assert_eq!(fs::read(three.path("before.key")).unwrap(), fs::read(three.path("after.key")).unwrap());
    // One old part and one new one make nothing.
    let mixed = three.issue(&urls[..2], &format!("{renewed} --holder ward --out mixed.key"));
    assert!(!mixed.status.success() && text(&mixed).contains("1 of 2 parts"), "{}", text(&mixed));
    drop(running);
    // The seat that published commitments has the new ones, and the old share is gone.
    assert_eq!(
        fs::read(three.path("seat1/public/commitments")).unwrap(),
        fs::read(three.path("new1/commitments")).unwrap()
    );
}

/// Over a network: a board that keeps messages, over TLS, with a token for each server.
#[test]
fn institutions_meet_at_a_board() {
    let three = Institutions::new(3);
    let made = three.shop.json(&format!(
        "authority ceremony init --network good.safetensors --threshold 1 {} --out ceremony",
        three.cards()
    ));
    let session = made["session"].as_str().unwrap();
    let entries: String = (1..=3)
        .map(|server| three.shop.works(&format!("keygen --token s{server} --scopes ceremony --out s{server}.token")))
        .collect();
    fs::write(three.path("board.toml"), entries).unwrap();
    certificate(&three);
    let board = three.shop.serve(
        "serve board --ceremony ceremony --tokens board.toml --listen 127.0.0.1:0 --tls-certificates server.pem \
         --tls-key server.key",
        "board at ",
    );
    let join = |server: usize, token: usize, flags: &str| {
        format!(
            "authority ceremony join --board {} --session {session} --token-file s{token}.token \
             --server-authorities server.pem --key s{server}.key --identity s{server}.identity --home far{server} {flags}",
            board.address
        )
    };
    // A server puts no messages in the name of another.
    three.shop.run(&join(1, 2, ""));
    assert!(!three.path("ceremony/messages/commit-1").exists());
    let run = |server: usize| three.shop.json(&join(server, server, ""));
    let mut ended = std::collections::BTreeSet::new();
    for _ in 0..6 {
        for server in
            (1..=3).filter(|server| !three.path(&format!("far{server}/transcript")).exists()).collect::<Vec<_>>()
        {
            if run(server)["ended"] == true {
                ended.insert(server);
            }
        }
    }
    assert_eq!(ended.len(), 3);
    three.shop.works("authority ceremony verify far2/transcript --out parameters");
    assert_eq!(
        fs::read(three.path("parameters/public.key")).unwrap(),
        fs::read(three.path("far3/public.key")).unwrap()
    );
}

#[test]
fn a_server_that_holds_shares_alone_takes_no_whole_key() {
    let three = made();
    three.shop.works("authority init --network good.safetensors --folder whole --identity s1.identity");
    three.shop.refuses(
        "serve authority --share --folder whole --identity s1.identity --tokens tokens.toml --listen 127.0.0.1:0",
        &["only shares", "whole key"],
    );
    // A share belongs to one project.
    three.shop.refuses(
        "authority project second --network good.safetensors --folder seat1 --identity s1.identity --share home1",
        &["belongs to a project already"],
    );
    three.shop.refuses(
        "authority init --network good.safetensors --folder thief --identity s2.identity --share home1",
        &["home1/share.age"],
    );
}

#[test]
fn ledgers_are_witnessed_by_the_other_holders() {
    let three = made();
    // Keys of ledgers and witnesses, as `authority init` prints them for the other policies.
    let mut keys = Vec::new();
    for server in 1..=3 {
        let seat = format!("seat{server}");
        let entry = three.shop.json(&format!("authority ledger checkpoint --folder {seat} --out {seat}.json"));
        let secret = fs::read_to_string(three.path(&seat).join("witness.key")).unwrap();
        let seed: [u8; 32] = std::array::from_fn(|byte| {
            let digits = secret.trim().trim_start_matches("ed25519-secret:");
            u8::from_str_radix(&digits[2 * byte..2 * byte + 2], 16).unwrap()
        });
        let witness = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        let witness: String = witness.iter().map(|byte| format!("{byte:02x}")).collect();
        keys.push((entry["ledger_key"].as_str().unwrap().to_owned(), format!("ed25519:{witness}")));
    }
    for server in 1..=3usize {
        let others = (1..=3).filter(|other| *other != server);
        let witnesses: Vec<_> = others.clone().map(|other| format!("s{other} = \"{}\"", keys[other - 1].1)).collect();
        let ledgers: Vec<_> = others.map(|other| format!("\"{}\"", keys[other - 1].0)).collect();
        let path = three.path(&format!("seat{server}/policy.toml"));
        let policy = fs::read_to_string(&path).unwrap();
        let part = format!(
            "{policy}\n[ledger]\nwitnesses = {{ {} }}\nquorum = 2\n[witness]\nname = \"s{server}\"\nledgers = [{}]\n",
            witnesses.join(", "),
            ledgers.join(", ")
        );
        fs::write(path, part).unwrap();
    }
    let (running, urls) = served(&three, &SEATS);
    let issued = three.issue(&urls, &format!("{GOOD} --out witnessed.key"));
    assert!(issued.status.success(), "{}", text(&issued));
    three.shop.works("authority verify-key witnessed.key --parameters parameters");
    assert!(fs::read_dir(three.path("seat2/witness")).unwrap().count() >= 2);
    drop(running);
    // A seat that goes back to an older ledger is not cosigned, and its issue stays where it is.
    let files = ["ledger.sqlite", "ledger.sqlite-wal", "ledger.head"];
    for name in files {
        let _ = fs::copy(three.path("seat1").join(name), three.path(&format!("old-{name}")));
    }
    let (running, urls) = served(&three, &SEATS);
    assert!(three.issue(&urls, &format!("{GOOD} --holder ward --out more.key")).status.success());
    drop(running);
    for name in files.into_iter().chain(["ledger.sqlite-shm"]) {
        let _ = fs::remove_file(three.path("seat1").join(name));
        let _ = fs::copy(three.path(&format!("old-{name}")), three.path("seat1").join(name));
    }
    let _ = fs::remove_file(three.path("seat1/ledger.witnessed"));
    let (_running, urls) = served(&three, &SEATS);
    let issued = three.issue(&urls, &format!("{GOOD} --holder thief --out stolen.key"));
    let said = verdicts(&issued);
    assert_eq!((said[0].1.as_str(), said[1].1.as_str(), said[2].1.as_str()), ("refused", "used", "used"));
    assert!(text(&issued).contains("not witnessed") && text(&issued).contains("not cosigned"), "{}", text(&issued));
}

#[test]
fn a_dealers_shares_work_and_the_command_says_that_it_is_weaker() {
    let three = Institutions::new(3);
    let dealt = three.shop.run(&format!(
        "authority ceremony deal --network good.safetensors --threshold 1 {} --out dealt",
        three.cards()
    ));
    assert!(dealt.status.success() && text(&dealt).contains("held the whole key"), "{}", text(&dealt));
    for server in [1, 3] {
        three.shop.works(&format!(
            "authority init --network good.safetensors --folder seat{server} --identity s{server}.identity \
             --share dealt/s{server}"
        ));
    }
    let (_running, urls) = served(&three, &[(1, "seat1"), (3, "seat3")]);
    let flags = GOOD.replace("--parameters parameters", "--parameters dealt/s1");
    let issued = three.issue(&urls, &format!("{flags} --out first.key"));
    assert!(issued.status.success(), "{}", text(&issued));
    // Renewed by the holders, what the dealer may have kept is worth nothing.
    let holders = three.holders();
    three.shop.works(&format!("authority ceremony refresh --from dealt/s1 {holders} --out renewal"));
    three.all_join("renewal", "new", |server| format!("{WAIT} --share dealt/s{server}"));
    let alone = three.shop.json("authority ceremony verify new1/transcript");
    assert_eq!((&alone["epoch"], &alone["from_the_beginning"]), (&1.into(), &false.into()));
}

#[test]
fn joins_that_cannot_be_are_refused() {
    let three = Institutions::new(3);
    let cards = three.cards();
    let init = format!("authority ceremony init --network good.safetensors {cards} --out ceremony");
    three.shop.refuses(&format!("{init} --threshold 2"), &["threshold 2"]);
    three.shop.refuses(&init, &["--threshold"]);
    three.shop.refuses(&format!("{init} --threshold 1 --clerk s9"), &["s9"]);
    three.shop.refuses(
        "authority ceremony init --network good.safetensors --threshold 0 --server s1 --out ceremony",
        &["NAME=ed25519"],
    );
    three.shop.works(&format!("{init} --threshold 1"));
    three.shop.refuses(&format!("{init} --threshold 1"), &["exists"]);
    let join = "authority ceremony join --ceremony ceremony --home home1";
    three.shop.refuses(&format!("{join} --key s1.key --identity s2.identity"), &["identity", "s1"]);
    three.shop.works("keygen --out stranger.key");
    three.shop.refuses(&format!("{join} --key stranger.key --identity s2.identity"), &["no server of this ceremony"]);
    let zero = "0".repeat(64);
    three.shop.refuses(&format!("{join} --key s1.key --identity s1.identity --session {zero}"), &["agreed on"]);
    // Round after round, by hand: it says what it waits for.
    let waiting = three.shop.json(&format!("{join} --key s1.key --identity s1.identity"));
    assert_eq!((&waiting["ended"], &waiting["missing"]), (&false.into(), &serde_json::json!(["commit-2", "commit-3"])));
    // Alone, it does not go on however late.
    let waiting = three.shop.json(&format!("{join} --key s1.key --identity s1.identity --late"));
    assert_eq!(waiting["step"], 1);
    fs::remove_file(three.path("home1/dealing.age")).unwrap();
    three.shop.refuses(&format!("{join} --key s1.key --identity s1.identity"), &["dealing.age is missing"]);
}
