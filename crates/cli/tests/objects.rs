//! Jobs over the objects of a store, by the real command and a real server that speaks S3: moto, where it is installed.

mod workshop;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use workshop::Workshop;

fn python() -> String {
    std::env::var("HALFLIGHT_PYTHON").unwrap_or_else(|_| "python3".into())
}

/// A store of its own, until it is dropped.
struct Store {
    address: String,
    child: Child,
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Store {
    /// None where there is no such server.
    fn start() -> Option<Self> {
        let python = python();
        let there = Command::new(&python).args(["-c", "import moto.server, boto3"]).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            println!(
                "skipped: {python} has no moto; install 'moto[server]' and boto3, or name another HALFLIGHT_PYTHON"
            );
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(&python);
        command.args(["-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", &port.to_string()]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let store = Self { address: format!("127.0.0.1:{port}"), child };
        let answers = (0..600).any(|_| {
            thread::sleep(Duration::from_millis(100));
            TcpStream::connect(&store.address).is_ok()
        });
        assert!(answers, "moto does not listen on {}", store.address);
        store.tell("s3.create_bucket(Bucket='bucket')");
        Some(store)
    }

    fn variables(&self, command: &mut Command) {
        let endpoint = format!("http://{}", self.address);
        let variables = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "someone"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ];
        command.envs(variables);
    }

    /// What a line of Python about `s3` prints.
    fn tell(&self, line: &str) -> String {
        let mut command = Command::new(python());
        command.args(["-c", &format!("import boto3; s3 = boto3.client('s3'); {line}")]);
        self.variables(&mut command);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let list = format!(
            "print('\\n'.join(o['Key'] for o in s3.list_objects_v2(Bucket='bucket', Prefix='{folder}')['Contents']))"
        );
        self.tell(&list).lines().map(str::to_owned).collect()
    }

    fn fetch(&self, key: &str, path: &Path) -> Vec<u8> {
        self.tell(&format!("s3.download_file('bucket', '{key}', r'{}')", path.display()));
        fs::read(path).unwrap()
    }

    fn run(&self, shop: &Workshop, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halflight"));
        command.args(arguments.split_whitespace()).current_dir(shop.path(""));
        self.variables(&mut command);
        command.output().unwrap()
    }

    fn json(&self, shop: &Workshop, arguments: &str) -> serde_json::Value {
        let output = self.run(shop, &format!("{arguments} --json"));
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn refuses(&self, shop: &Workshop, arguments: &str, words: &[&str]) {
        let output = self.run(shop, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && !said.contains("panicked"), "{arguments}: {said}");
        words.iter().for_each(|word| assert!(said.contains(word), "{arguments}: no `{word}` in {said}"));
    }
}

#[test]
fn objects_are_scored_as_files_are_and_taken_up_again() {
    let Some(store) = Store::start() else { return };
    let shop = Workshop::furnished();
    fs::create_dir_all(shop.path("model")).unwrap();
    for (from, to) in [
        ("compiled.safetensors", "network.safetensors"),
        ("functional.key", "functional.key"),
        ("authority/public/public.key", "public.key"),
    ] {
        fs::copy(shop.path(from), shop.path("model").join(to)).unwrap();
    }
    // The last object is larger than what goes in one request.
    let encrypt = "encrypt --parameters authority/public --data data.safetensors --items 0..620 --rows 600 --tables kept \
                   --parquet s3://bucket/day/sealed";
    let sealed = store.json(&shop, encrypt);
    assert_eq!((sealed["rows"].as_u64(), sealed["errors"].as_u64()), (Some(620), Some(0)), "{sealed}");
    assert_eq!(store.names("day/sealed/"), ["day/sealed/part-00000.parquet", "day/sealed/part-00001.parquet"]);
    assert!(shop.path("_jobs.jsonl").exists() && !shop.path("s3:").exists());
    let large = store.fetch("day/sealed/part-00000.parquet", &shop.path("large.parquet"));
    assert!(large.len() > 16 << 20, "{} bytes", large.len());
    assert_eq!(store.json(&shop, encrypt)["rows_skipped"], 620, "ciphertexts that are there are not made again");

    // As by files: the same bytes, from a store to a folder and from a store to a store.
    fs::create_dir_all(shop.path("local")).unwrap();
    for part in ["part-00000.parquet", "part-00001.parquet"] {
        store.fetch(&format!("day/sealed/{part}"), &shop.path("local").join(part));
    }
    let score =
        |input: &str, output: &str| format!("score --model model --tables kept --input {input} --output {output}");
    shop.works(&score("local", "expected"));
    for (input, output) in
        [("s3://bucket/day/sealed", "s3://bucket/day/scored"), ("s3://bucket/day/sealed/part-*1.parquet", "mine")]
    {
        store.json(&shop, &score(input, output));
    }
    let expected = |part: &str| fs::read(shop.path("expected").join(part)).unwrap();
    assert_eq!(store.names("day/scored/"), ["day/scored/part-00000.parquet", "day/scored/part-00001.parquet"]);
    for part in ["part-00000.parquet", "part-00001.parquet"] {
        let scored = store.fetch(&format!("day/scored/{part}"), &shop.path("fetched.parquet"));
        assert!(scored == expected(part), "{part}");
    }
    assert!(fs::read(shop.path("mine/part-00001.parquet")).unwrap() == expected("part-00001.parquet"));
    assert!(!shop.path("mine/part-00000.parquet").exists());

    // What is missing is made, and nothing else.
    store.tell("s3.delete_object(Bucket='bucket', Key='day/scored/part-00001.parquet')");
    let again = store.json(&shop, &score("s3://bucket/day/sealed/", "s3://bucket/day/scored/"));
    assert_eq!((again["rows"].as_u64(), again["rows_skipped"].as_u64()), (Some(620), Some(600)), "{again}");
    assert!(
        store.fetch("day/scored/part-00001.parquet", &shop.path("fetched.parquet")) == expected("part-00001.parquet")
    );

    // Refusals name the object and what helps.
    let other = format!("{} --prefix other_", score("s3://bucket/day/sealed", "s3://bucket/day/scored"));
    store.refuses(&shop, &other, &["s3://bucket/day/scored/part-00000.parquet", "belongs to another job"]);
    let itself = score("s3://bucket/day/sealed", "s3://bucket/day/sealed");
    store.refuses(&shop, &itself, &["s3://bucket/day/sealed/part-00000.parquet", "also the input"]);
    store.refuses(&shop, &score("s3://bucket/night", "out"), &["s3://bucket/night", "matches no Parquet file"]);
    store.refuses(&shop, &score("s3://elsewhere/day/", "out"), &["s3://elsewhere", "404", "AWS_ENDPOINT_URL"]);
    store.refuses(&shop, &score("s3:///day", "out"), &["names no bucket"]);
    store.tell("s3.put_object(Bucket='bucket', Key='bad/short.parquet', Body=b'PAR1')");
    store.refuses(
        &shop,
        &score("s3://bucket/bad", "out"),
        &["s3://bucket/bad/short.parquet", "not a readable Parquet file"],
    );
    let huge =
        "s3.put_object(Bucket='bucket', Key='worse/footer.parquet', Body=b'x' * 100 + b'\\xff\\xff\\xff\\x7fPAR1')";
    store.tell(huge);
    store.refuses(&shop, &score("s3://bucket/worse", "out"), &["s3://bucket/worse/footer.parquet"]);
    // A page that is damaged, under a footer that is sound.
    store.tell(
        "b = bytearray(s3.get_object(Bucket='bucket', Key='day/sealed/part-00001.parquet')['Body'].read()); \
         b[4:2000] = bytes(1996); s3.put_object(Bucket='bucket', Key='torn/part.parquet', Body=bytes(b))",
    );
    store.refuses(&shop, &score("s3://bucket/torn", "out"), &["s3://bucket/torn/part.parquet"]);
}

#[test]
fn nothing_is_sent_in_the_clear_and_a_store_that_is_away_is_named() {
    let shop = Workshop::empty();
    let run = |endpoint: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halflight"));
        command.args(["score", "--input", "s3://bucket/day", "--output", "out", "--model", "model"]);
        let output = command.current_dir(shop.path("")).env("AWS_ENDPOINT_URL", endpoint).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = run("http://store.example:9000");
    assert!(said.contains("in the clear") && said.contains("AWS_ENDPOINT_URL"), "{said}");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let said = run(&format!("http://127.0.0.1:{port}"));
    assert!(said.contains("s3://bucket/day") && said.contains("no answer from 127.0.0.1"), "{said}");
}
