//! People who signed in with an identity provider: what their tokens open, and every way in which one is refused.

mod common;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{World, identity, issuer, loopback, send, serve};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256};
use ring::{hmac, rsa};
use serde_json::{Value, json};
use service::authority::{AuthorityServer, router};
use service::clock;
use service::predictor::PredictorOptions;
use service::run::{self, Listen, PredictorPart};
use service::transport::{ServerOptions, Tokens};

const ISSUER: &str = "https://login.clinic.example/realms/main";
/// The key of RFC 7515, A.2.
const RSA: [(&str, &str); 8] = [
    (
        "n",
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    ),
    ("e", "AQAB"),
    (
        "d",
        "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    ),
    (
        "p",
        "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    ),
    (
        "q",
        "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    ),
    (
        "dp",
        "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    ),
    (
        "dq",
        "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    ),
    (
        "qi",
        "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
    ),
];

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// What an identity provider holds.
struct Provider {
    rsa: rsa::KeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

impl Provider {
    fn new() -> Self {
        let random = SystemRandom::new();
        let part = |name: &str| {
            let text = RSA.iter().find(|(known, _)| *known == name).unwrap().1;
            URL_SAFE_NO_PAD.decode(text).unwrap()
        };
        let rsa = rsa::KeyPairComponents {
            public_key: rsa::PublicKeyComponents { n: part("n"), e: part("e") },
            d: part("d"),
            p: part("p"),
            q: part("q"),
            dP: part("dp"),
            dQ: part("dq"),
            qInv: part("qi"),
        };
        let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        Self {
            rsa: rsa::KeyPair::from_components(&rsa).unwrap(),
            ec: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, ec.as_ref(), &random).unwrap(),
            ed: Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap(),
        }
    }

    fn keys(&self) -> Value {
        let ec = self.ec.public_key().as_ref();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "keys": [
            { "kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256", "n": RSA[0].1, "e": RSA[1].1 },
            { "kty": "EC", "kid": "e", "crv": "P-256", "x": text(&ec[1..33]), "y": text(&ec[33..]) },
            { "kty": "OKP", "kid": "o", "crv": "Ed25519", "x": text(self.ed.public_key().as_ref()) },
            { "kty": "EC", "kid": "x", "use": "enc", "crv": "P-256", "x": text(&ec[1..33]), "y": text(&ec[33..]) },
        ] })
    }

    /// A token whose header says `algorithm` and whose signature is by `by`.
    fn token(&self, head: Value, by: &str, claims: &Value) -> String {
        let message = format!("{}.{}", encode(&head), encode(claims));
        let (bytes, random) = (message.as_bytes(), SystemRandom::new());
        let signature = match by {
            "RS256" => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signature).unwrap();
                signature
            }
            "ES256" => self.ec.sign(&random, bytes).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed.sign(bytes).as_ref().to_vec(),
            _ => Vec::new(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn signed(&self, claims: &Value) -> String {
        self.token(json!({ "alg": "RS256", "kid": "r" }), "RS256", claims)
    }
}

fn claims(change: Value) -> Value {
    let now = clock::now();
    let mut claims = json!({
        "iss": ISSUER, "aud": ["other", "halflight"], "sub": "1001", "exp": now + 600, "nbf": now - 5, "iat": now,
    });
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

/// A file of callers of one person and two groups.
fn callers(folder: &Path, keys: &Value) -> PathBuf {
    std::fs::write(folder.join("clinic.jwks"), keys.to_string()).unwrap();
    let text = format!(
        "[[issuer]]\nname = \"clinic\"\nissuer = \"{ISSUER}\"\naudience = \"halflight\"\nkeys = \"clinic.jwks\"\n\
         [[person]]\nname = \"maria\"\nissuer = \"clinic\"\nsubject = \"1001\"\nscopes = [\"admin\", \"issue\", \"ledger\"]\n\
         [[group]]\nname = \"auditors\"\nissuer = \"clinic\"\nclaim = \"groups\"\nvalue = \"audit\"\nscopes = [\"ledger\"]\n\
         [[group]]\nname = \"issuers\"\nissuer = \"clinic\"\nclaim = \"realm.roles\"\nvalue = \"issue\"\nscopes = [\"issue\"]\n"
    );
    let path = folder.join("callers.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn ask(address: SocketAddr, path: &str, token: &str) -> common::Reply {
    send(address, "GET", path, &[("authorization", &format!("Bearer {token}"))], b"")
}

#[test]
fn people_do_what_their_entry_or_their_groups_allow_and_the_ledger_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::new();
    let (authority, network) = issuer(folder.path(), &identity());
    let tokens = Tokens::load(&callers(folder.path(), &provider.keys())).unwrap();
    let address = serve(move || router(AuthorityServer::new(authority, tokens).unwrap()), loopback());
    // By each kind of key.
    for (algorithm, key) in [("RS256", "r"), ("ES256", "e"), ("EdDSA", "o")] {
        let token = provider.token(json!({ "alg": algorithm, "kid": key }), algorithm, &claims(json!({})));
        assert_eq!(ask(address, "/v1/ledger/0", &token).status, 200, "{algorithm}");
    }
    let body = format!(r#"{{"network":"{network}","holder":"a"}}"#);
    let issue = |change: Value| {
        let bearer = format!("Bearer {}", provider.signed(&claims(change)));
        send(address, "POST", "/v1/projects/p/keys", &[("authorization", &bearer)], body.as_bytes())
    };
    assert_eq!(issue(json!({})).status, 201);
    // An auditor reads and issues nothing; with the role of an issuer too, both.
    let auditor = json!({ "sub": "2002", "groups": ["staff", "audit"] });
    assert_eq!(issue(auditor.clone()).status, 403);
    assert_eq!(ask(address, "/v1/ledger/0", &provider.signed(&claims(auditor))).status, 200);
    let both = json!({ "sub": "2002", "groups": ["audit"], "realm": { "roles": ["issue"] } });
    assert_eq!(issue(both.clone()).status, 201);
    let ledger = ask(address, "/v1/ledger/0", &provider.signed(&claims(both))).json();
    let text = ledger.to_string();
    assert!(text.contains("maria") && text.contains("clinic:2002"), "{text}");
    let stranger = issue(json!({ "sub": "3003", "groups": ["staff"] }));
    assert_eq!((stranger.status, &stranger.json()["reason"]), (403, &json!("unknown")));
}

#[test]
fn a_token_is_refused_by_name_for_every_reason() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::new();
    let (authority, _) = issuer(folder.path(), &identity());
    let keys = provider.keys();
    let tokens = Tokens::load(&callers(folder.path(), &keys)).unwrap();
    let address = serve(move || router(AuthorityServer::new(authority, tokens).unwrap()), loopback());
    let good = claims(json!({}));
    let head = |algorithm: &str, key: &str| json!({ "alg": algorithm, "kid": key });
    let now = clock::now();
    let shared = |secret: &[u8]| {
        let message = format!("{}.{}", encode(&head("HS256", "r")), encode(&good));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
    };
    let modulus = URL_SAFE_NO_PAD.decode(RSA[0].1).unwrap();
    let signed = provider.signed(&good);
    let (rest, signature) = signed.rsplit_once('.').unwrap();
    let (header, _) = rest.split_once('.').unwrap();
    let swapped = format!("{header}.{}.{signature}", encode(&claims(json!({ "sub": "1001", "groups": ["audit"] }))));
    let mine = Provider::new();
    let own = mine.keys()["keys"][1].clone();
    let brought = json!({ "alg": "ES256", "kid": "e", "jwk": own, "jku": "https://evil.example/keys" });
    for (name, token, reason) in [
        ("no algorithm", provider.token(head("none", "r"), "none", &good), "algorithm"),
        ("another case of it", provider.token(head("NONE", "r"), "none", &good), "algorithm"),
        ("the modulus as a shared secret", shared(&modulus), "algorithm"),
        ("the key set as a shared secret", shared(keys.to_string().as_bytes()), "algorithm"),
        ("an algorithm that is not allowed", provider.token(head("PS256", "r"), "RS256", &good), "algorithm"),
        ("an algorithm of another key", provider.token(head("ES256", "r"), "ES256", &good), "algorithm"),
        ("a key that nobody knows", provider.token(head("RS256", "q"), "RS256", &good), "key"),
        ("a key for encryption", provider.token(head("ES256", "x"), "ES256", &good), "key"),
        ("no key named", provider.token(json!({ "alg": "RS256" }), "RS256", &good), "key"),
        ("a key that the token brings", mine.token(brought, "ES256", &good), "signature"),
        ("claims of another token", swapped, "signature"),
        ("no signature", format!("{rest}."), "signature"),
        (
            "a critical extension",
            provider.token(json!({ "alg": "RS256", "kid": "r", "crit": ["x"], "x": 1 }), "RS256", &good),
            "malformed",
        ),
        ("another issuer", provider.signed(&claims(json!({ "iss": "https://evil.example" }))), "issuer"),
        ("no issuer", provider.signed(&claims(json!({ "iss": null }))), "issuer"),
        ("another audience", provider.signed(&claims(json!({ "aud": "other" }))), "audience"),
        ("no audience", provider.signed(&claims(json!({ "aud": null }))), "claim"),
        ("expired", provider.signed(&claims(json!({ "exp": now - 31 }))), "expired"),
        ("no end", provider.signed(&claims(json!({ "exp": null }))), "claim"),
        ("an end in words", provider.signed(&claims(json!({ "exp": "never" }))), "claim"),
        ("a year", provider.signed(&claims(json!({ "exp": now + 31_536_000 }))), "lifetime"),
        ("later", provider.signed(&claims(json!({ "nbf": now + 300 }))), "not-yet"),
        ("no subject", provider.signed(&claims(json!({ "sub": null }))), "claim"),
        ("a subject that moves the cursor", provider.signed(&claims(json!({ "sub": "a\u{1b}[2J" }))), "claim"),
        ("three words", "a.b.c".into(), "malformed"),
        ("too long", provider.signed(&claims(json!({ "x": "x".repeat(16 << 10) }))), "malformed"),
    ] {
        let reply = ask(address, "/v1/ledger/0", &token);
        let body = reply.json();
        assert_eq!((reply.status, &body["reason"]), (401, &json!(reason)), "{name}: {body}");
    }
    assert_eq!(ask(address, "/v1/ledger/0", &signed).status, 200);
}

/// Keys of a provider that are rotated, and people who are removed, while a predictor runs.
#[test]
fn keys_and_people_are_read_again() {
    let world = World::new();
    let folder = world.folder.path();
    let (old, new) = (Provider::new(), Provider::new());
    let key = |provider: &Provider, id: &str| {
        let mut key = provider.keys()["keys"][1].clone();
        key["kid"] = json!(id);
        key
    };
    let path = callers(folder, &json!({ "keys": [key(&old, "2026")] }));
    let part = PredictorPart {
        listen: Listen {
            server: ServerOptions { reload: Duration::from_millis(50), ..loopback() },
            tokens: Some(path.clone()),
            admin: None,
        },
        options: PredictorOptions::over(world.models()),
        table: std::sync::Arc::new(qfe::LogTable::build(12, &host::Silent).unwrap()),
    };
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || run::predictor(part, |at| tell.send(at.main).unwrap()));
    let address: SocketAddr = told.recv_timeout(Duration::from_secs(30)).unwrap();
    let token = |provider: &Provider, id: &str| {
        provider.token(json!({ "alg": "ES256", "kid": id }), "ES256", &claims(json!({})))
    };
    // Known, and without the scope of what it asks: 403 says that it was let in.
    let status = |token: &str| ask(address, "/metrics", token).status;
    let (before, after) = (token(&old, "2026"), token(&new, "2027"));
    assert_eq!((status(&before), status(&after)), (403, 401));
    let until = |what: &dyn Fn() -> bool| {
        let seen = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(25));
            what()
        });
        assert!(seen, "not within 5 s");
    };
    let replace = |path: &Path, text: &str| {
        std::fs::write(path.with_extension("new"), text).unwrap();
        std::fs::rename(path.with_extension("new"), path).unwrap();
    };
    let set = folder.join("clinic.jwks");
    replace(&set, &json!({ "keys": [key(&old, "2026"), key(&new, "2027")] }).to_string());
    until(&|| status(&after) == 403);
    assert_eq!(status(&before), 403, "both keys count while they are rotated");
    replace(&set, "damaged");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(status(&after), 403, "a damaged set changes nothing");
    replace(&set, &json!({ "keys": [key(&new, "2027")] }).to_string());
    until(&|| status(&before) == 401);
    let text = std::fs::read_to_string(&path).unwrap();
    replace(&path, &text.replace("\"admin\", \"issue\", \"ledger\"", "\"metrics\""));
    until(&|| status(&after) == 200);
    replace(&path, &text.replace("1001", "1002"));
    until(&|| status(&after) == 403);
    assert_eq!(ask(address, "/metrics", &after).json()["reason"], "unknown");
}

#[test]
fn files_that_name_issuers_wrongly_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::new();
    let path = callers(folder.path(), &provider.keys());
    let good = std::fs::read_to_string(&path).unwrap();
    Tokens::load(&path).unwrap();
    for (from, to, word) in [
        ("keys = \"clinic.jwks\"", "keys = \"absent.jwks\"", "absent.jwks"),
        ("keys = \"clinic.jwks\"", "keys = \"clinic.jwks\"\nalgorithms = [\"HS256\"]", "HS256"),
        ("keys = \"clinic.jwks\"", "keys = \"clinic.jwks\"\nalgorithms = [\"none\"]", "none"),
        ("keys = \"clinic.jwks\"", "keys = \"clinic.jwks\"\nalgorithms = []", "empty"),
        ("audience = \"halflight\"", "audience = \"\"", "audience"),
        ("audience = \"halflight\"\n", "", "audience"),
        ("issuer = \"clinic\"\nsubject", "issuer = \"other\"\nsubject", "no [[issuer]]"),
        ("name = \"maria\"", "name = \"clinic:1001\"", "reserved for people of issuer 'clinic'"),
        ("claim = \"groups\"\n", "", "needs issuer, claim, value"),
        ("claim = \"groups\"", "dns = \"groups\"", "unknown field 'dns'"),
        (
            "claim = \"realm.roles\"\nvalue = \"issue\"",
            "claim = \"groups\"\nvalue = \"audit\"",
            "same proof of identity",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        std::fs::write(&path, good.replacen(from, to, 1)).unwrap();
        let error = Tokens::load(&path).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(word), "{to}: {error}");
    }
    let people = good.find("[[person]]").unwrap();
    std::fs::write(
        &path,
        format!("[[token]]\nname = \"a\"\nsha256 = \"{}\"\nscopes = []\n{}", "0".repeat(64), &good[..people]),
    )
    .unwrap();
    assert!(Tokens::load(&path).err().unwrap().to_string().contains("no [[person]]"));
}
