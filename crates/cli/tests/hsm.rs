//! An authority whose master key is sealed to a key in a PKCS#11 token: SoftHSM here.

mod workshop;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use workshop::Workshop;

const MODULES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];

/// A workshop with a token called `safe` of PIN 1234, and the address of a key in it; none without SoftHSM.
fn furnished() -> Option<(Workshop, String)> {
    let module = MODULES.iter().find(|module| Path::new(module).exists());
    let (Some(module), true) = (module, Command::new("softhsm2-util").arg("--version").output().is_ok()) else {
        println!("skipped: there is no SoftHSM");
        return None;
    };
    let shop = Workshop::furnished();
    fs::create_dir(shop.path("tokens")).unwrap();
    let config = format!("directories.tokendir = {}\nobjectstore.backend = file\n", shop.path("tokens").display());
    fs::write(shop.path("softhsm2.conf"), config).unwrap();
    for label in ["safe", "other"] {
        softhsm(&shop, &["--init-token", "--free", "--label", label, "--so-pin", "4321", "--pin", "1234"]);
    }
    secret(&shop, "pin", "1234\n");
    let pin = shop.path("pin").display().to_string();
    Some((shop, format!("pkcs11:token=safe;object=authority?module-path={module}&pin-source={pin}")))
}

fn secret(shop: &Workshop, name: &str, text: &str) {
    fs::write(shop.path(name), text).unwrap();
    fs::set_permissions(shop.path(name), fs::Permissions::from_mode(0o600)).unwrap();
}

fn softhsm(shop: &Workshop, arguments: &[&str]) {
    let mut command = Command::new("softhsm2-util");
    let output = command.args(arguments).env("SOFTHSM2_CONF", shop.path("softhsm2.conf")).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Runs what must fail with these words and leave no file `x.…`; tokens and ledgers may write for themselves.
fn fails(shop: &Workshop, arguments: &str, words: &[&str]) {
    let output = shop.run(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !said.contains("panicked"), "{arguments}: {said}");
    assert!(words.iter().all(|word| said.contains(word)), "{arguments}: {said}");
    assert!(!shop.path("x.key").exists() && !shop.path("x.identity").exists());
}

/// Every way of an authority that opens or seals a key: it begins, issues, serves, rotates, and issues again.
#[test]
fn an_authority_lives_with_its_key_in_a_token() {
    let Some((shop, uri)) = furnished() else { return };
    let made = shop.json(&format!("keygen --pkcs11 {uri} --out authority.identity"));
    let recipient = made["public"].as_str().unwrap();
    assert!(recipient.starts_with("age1tag1") && made["drawn"] == true, "{made}");
    let identity = fs::read_to_string(shop.path("authority.identity")).unwrap();
    assert!(identity.contains(&uri) && !identity.contains("1234\n"), "{identity}");
    // The key is there now, and is found, not drawn a second time.
    let found = shop.json(&format!("keygen --pkcs11 {uri} --out again.identity"));
    assert_eq!((&found["public"], &found["drawn"]), (&made["public"], &false.into()));

    let unlock = "--identity authority.identity --folder home";
    shop.works(&format!("authority init {unlock} --network compiled.safetensors"));
    let keys: Vec<_> = fs::read_dir(shop.path("home/keys")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!keys.is_empty());
    for key in &keys {
        let sealed = fs::read(key.join("master.age")).unwrap();
        assert!(String::from_utf8_lossy(&sealed).contains("-> p256tag "), "{}", key.display());
    }
    let issue = format!("authority issue {unlock} --network compiled.safetensors");
    shop.works(&format!("{issue} --out token.key"));
    shop.works("encrypt --parameters home/public --data data.safetensors --items 0..1 --out sealed");
    let predicted = shop.json("predict --key token.key --network compiled.safetensors sealed/0.ct");
    assert!(predicted["results"][0]["label"].is_string() || predicted["results"][0]["label"].is_number());

    // The server issues too, and draws a new key when the project is rotated.
    fs::write(shop.path("tokens.toml"), shop.works("token new ops --scopes admin,issue,ledger --out ops.token"))
        .unwrap();
    let server = shop
        .serve(&format!("serve authority {unlock} --tokens tokens.toml --listen 127.0.0.1:0"), "authority at http://");
    let url = format!("http://{}", server.address);
    let network = shop.json("authority ledger show --folder home")["entries"].to_string();
    let network = network.split("\"network\":\"").nth(1).unwrap()[..64].to_owned();
    let ops = fs::read_to_string(shop.path("ops.token")).unwrap();
    let post = |path: &str, body: String| {
        let output = Command::new("curl")
            .args(["-sS", "-f", "-H", &format!("Authorization: Bearer {}", ops.trim())])
            .args(["-H", "Content-Type: application/json", "-d", &body, &format!("{url}{path}")])
            .output();
        output.map(|output| (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    };
    if let Ok((rotated, said)) = post("/v1/projects/main/rotate", r#"{"reason":"test"}"#.into()) {
        assert!(rotated, "{said}");
        let (issued, said) =
            post("/v1/projects/main/keys", format!(r#"{{"network":"{network}","holder":"ward"}}"#)).unwrap();
        assert!(issued && said.contains("\"grant\""), "{said}");
    } else {
        println!("skipped: there is no curl");
    }
    drop(server);

    // Without the token the file opens for nobody: not with its PIN, nor with another token or an identity.
    shop.works("keygen --identity --out stolen.identity");
    fails(&shop, &format!("{} --out x.key", issue.replace("authority.identity", "stolen.identity")), &[]);
    let moved = identity.replace("token=safe", "token=other");
    secret(&shop, "moved.identity", &moved);
    fails(
        &shop,
        &format!("{} --out x.key", issue.replace("authority.identity", "moved.identity")),
        &["0 private keys"],
    );
    fs::rename(shop.path("tokens"), shop.path("away")).unwrap();
    fs::create_dir(shop.path("tokens")).unwrap();
    fails(&shop, &format!("{issue} --out x.key"), &["0 tokens are called 'safe'"]);
}

#[test]
fn what_is_wrong_with_a_token_is_named() {
    let Some((shop, uri)) = furnished() else { return };
    let refuses = |uri: &str, words: &[&str]| fails(&shop, &format!("keygen --pkcs11 {uri} --out x.identity"), words);
    refuses(&uri.replace("/libsofthsm2.so", "/none.so"), &["none.so", "name the file that the maker"]);
    refuses(&uri.replace("token=safe", "token=none"), &["0 tokens are called 'none'"]);
    refuses(&uri.replace("?", "?pin-value=1234&"), &["must not be in an address"]);
    fs::set_permissions(shop.path("pin"), fs::Permissions::from_mode(0o644)).unwrap();
    refuses(&uri, &["the PIN of token 'safe'", "others can read it"]);
    secret(&shop, "pin", "9999\n");
    refuses(&uri, &["refused to take the PIN"]);
    let (before, _) = uri.split_once("&pin-source").unwrap();
    refuses(before, &["nobody gave it", "HALFLIGHT_PIN"]);
    // From the environment.
    let output = Command::new(env!("CARGO_BIN_EXE_halflight"))
        .args(["keygen", "--pkcs11", before, "--out", "environment.identity"])
        .current_dir(shop.path("."))
        .env("SOFTHSM2_CONF", shop.path("softhsm2.conf"))
        .env("HALFLIGHT_PIN", "1234")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // A key of another kind that somebody made with another tool.
    secret(&shop, "pin", "1234\n");
    let module = before.split_once("module-path=").unwrap().1;
    let made = Command::new("pkcs11-tool")
        .args(["--module", module, "--token-label", "safe", "--login", "--pin", "1234", "--keypairgen"])
        .args(["--key-type", "EC:secp384r1", "--label", "wide"])
        .env("SOFTHSM2_CONF", shop.path("softhsm2.conf"))
        .output();
    match made {
        Ok(made) if made.status.success() => {
            refuses(&uri.replace("object=authority", "object=wide"), &["another curve"])
        }
        _ => println!("skipped: there is no pkcs11-tool"),
    }
}
