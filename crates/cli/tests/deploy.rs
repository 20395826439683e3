//! What `deploy/` gives to stock tools: units that systemd takes, and no option that the command does not have.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(deploy().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|own| own == end))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{folder}");
    found
}

/// Options that a verb has.
fn options(verb: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_halflight")).args(verb).arg("--help").output().unwrap();
    assert!(output.status.success(), "{verb:?}");
    words(&String::from_utf8(output.stdout).unwrap()).collect()
}

/// Long options in a text.
fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| c.is_whitespace() || "\",[]'=`(),".contains(c));
    words
        .map(|word| word.trim_end_matches(['.', ':', ';']))
        .filter(|word| {
            word.strip_prefix("--").is_some_and(|name| name.starts_with(|first: char| first.is_alphabetic()))
        })
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

/// An option that was renamed would stop a server at its next start, in somebody's night.
#[test]
fn every_option_of_the_deployments_is_one_of_the_command() {
    let known: BTreeSet<String> = [
        &["serve", "authority"][..],
        &["serve", "predictor"],
        &["health"],
        &["token", "new"],
        &["authority", "init"],
        &["authority", "issue"],
        &["keygen"],
    ]
    .into_iter()
    .flat_map(options)
    .collect();
    let mut texts = vec![std::fs::read_to_string(deploy().join("compose.yaml")).unwrap()];
    for (folder, end) in [("systemd", "service"), ("kubernetes", "yaml")] {
        texts.extend(files(folder, end).iter().map(|path| std::fs::read_to_string(path).unwrap()));
    }
    let others = ["--rm", "--now"];
    let mut seen = 0;
    for option in texts.iter().flat_map(|text| words(text)).filter(|option| !others.contains(&option.as_str())) {
        assert!(known.contains(&option), "{option}");
        seen += 1;
    }
    assert!(seen > 30, "{seen} options");
}

#[test]
fn systemd_takes_the_units_and_finds_them_confined() {
    if !Command::new("systemd-analyze").arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!("skipped: there is no systemd-analyze");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for unit in files("systemd", "service") {
        let text = std::fs::read_to_string(&unit).unwrap();
        let text = text.replace("/usr/bin/halflight", env!("CARGO_BIN_EXE_halflight"));
        let path = folder.path().join(unit.file_name().unwrap());
        std::fs::write(&path, text).unwrap();
        let analyze = |arguments: &[&str]| {
            let output = Command::new("systemd-analyze").args(arguments).arg(&path).output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            (output.status.success(), String::from_utf8_lossy(&said).into_owned())
        };
        let (well, said) = analyze(&["verify"]);
        assert!(well && said.trim().is_empty(), "{said}");
        // Of 100; services without confinement have 96.
        let (well, said) = analyze(&["security", "--offline=true", "--threshold=20"]);
        assert!(well, "{said}");
    }
}

#[test]
fn no_build_takes_secrets_along() {
    let ignored = std::fs::read_to_string(deploy().join("../.dockerignore")).unwrap();
    assert_eq!(ignored, std::fs::read_to_string(deploy().join("Containerfile.dockerignore")).unwrap());
    let lines: Vec<&str> = ignored.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines[0], "*", "only what is named is taken");
    for secret in ["**/*.identity", "**/*.token", "**/*.key", "**/*.age", "**/*.pem", "**/tokens.toml"] {
        assert!(lines.contains(&secret), "{secret}");
    }
    let compose = std::fs::read_to_string(deploy().join("compose.yaml")).unwrap();
    assert!(compose.contains("${HALFLIGHT_SECRETS:?"), "secrets come from outside the sources");
    let container = std::fs::read_to_string(deploy().join("Containerfile")).unwrap();
    assert!(container.contains("USER 10001:10001") && container.contains("HEALTHCHECK"));
}

/// The release archive of a binary that is there: what it holds, that its digests are right, and that stock tools take its
/// bill of materials.
#[test]
fn a_release_archive_has_the_command_its_bill_and_its_licences() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let run = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        // Symbols would be most of it.
        let output = command.args(arguments).current_dir(folder.path()).env("STRIP", "strip").output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    };
    let packed = format!("{target}={}", env!("CARGO_BIN_EXE_halflight"));
    let out = folder.path().join("dist");
    let out = out.to_str().unwrap();
    run(&deploy().join("release.sh"), &["--out", out, &packed]);
    let name = format!("halflight-{}-{target}", env!("CARGO_PKG_VERSION"));
    let archive = format!("dist/{name}.tar.gz");
    let listed = run(Path::new("tar"), &["--list", "--file", &archive]);
    for file in [
        "halflight",
        "LICENSE-MIT",
        "NOTICE",
        "README.md",
        "THIRD-PARTY.txt",
        "sbom.cdx.json",
        "share/man/man1/halflight-token-new.1",
        "share/bash-completion/completions/halflight",
        "share/fish/vendor_completions.d/halflight.fish",
        "share/zsh/site-functions/_halflight",
    ] {
        assert!(listed.lines().any(|line| line == format!("{name}/{file}")), "{file}: {listed}");
    }
    run(Path::new("sh"), &["-c", "cd dist && sha256sum --check --strict SHA256SUMS"]);
    run(Path::new("tar"), &["--extract", "--file", &archive]);
    let said = run(&folder.path().join(&name).join("halflight"), &["--version"]);
    assert_eq!(said.trim(), format!("halflight {}", env!("CARGO_PKG_VERSION")));
    let bill = folder.path().join(&name).join("sbom.cdx.json");
    let bill: serde_json::Value = serde_json::from_slice(&std::fs::read(&bill).unwrap()).unwrap();
    let components = bill["components"].as_array().unwrap();
    let has = |name: &str| components.iter().any(|part| part["name"] == name && part["hashes"][0]["alg"] == "SHA-256");
    assert!(has("rustls") && has("burn") && !components.iter().any(|part| part["name"] == "proptest"));
    let licences = std::fs::read_to_string(folder.path().join(&name).join("THIRD-PARTY.txt")).unwrap();
    assert!(licences.contains("Permission is hereby granted") && licences.contains("rustls@"));
    let python = std::env::var("HALFLIGHT_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = "import sys\n\
        from cyclonedx.schema import SchemaVersion\n\
        from cyclonedx.validation.json import JsonStrictValidator\n\
        sys.exit(str(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()) or '') or 0)";
    let present = Command::new(&python).args(["-c", "import cyclonedx.validation.json, jsonschema"]).output();
    if present.is_ok_and(|output| output.status.success()) {
        run(Path::new(&python), &["-c", script, &format!("{name}/sbom.cdx.json")]);
    } else {
        println!("skipped: {python} has no cyclonedx");
    }
}

/// An image over no other image, built without a daemon: its command runs as a user without rights and answers a probe.
#[test]
fn an_image_from_scratch_serves_as_a_user_without_rights() {
    let folder = tempfile::tempdir().unwrap();
    let [root, run] = ["root", "run"].map(|name| folder.path().join(name).display().to_string());
    let storage = ["--root", &root, "--runroot", &run, "--storage-driver", "vfs"];
    let buildah = |arguments: &[&str]| Command::new("buildah").args(storage).args(arguments).output();
    // It must be there, and this machine must let it begin a container at all.
    let scratch = buildah(&["from", "--name", "trial", "scratch"]);
    if !scratch.is_ok_and(|output| output.status.success()) {
        println!("skipped: buildah is missing or cannot work here");
        return;
    }
    let says = |arguments: &[&str]| {
        let output = buildah(arguments).unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), said)
    };
    let mut image = Command::new(deploy().join("image.sh"));
    image.args([env!("CARGO_BIN_EXE_halflight"), "halflight-trial"]).env("STRIP", "strip");
    let built = image.env("BUILDAH", format!("buildah {}", storage.join(" "))).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let about = buildah(&["inspect", "--type", "image", "halflight-trial"]).unwrap().stdout;
    let about: serde_json::Value = serde_json::from_slice(&about).unwrap();
    let config = &about["Docker"]["config"];
    assert_eq!((&config["User"], &config["Healthcheck"]["Test"][2]), (&"10001:10001".into(), &"health".into()));
    assert!(says(&["from", "--name", "served", "halflight-trial"]).0);
    let run =
        |command: &[&str]| says(&[&["run", "--isolation", "chroot", "served", "--", "halflight"], command].concat());
    let (works, said) = run(&["--version"]);
    if !works && said.contains("chroot") && said.contains("not permitted") {
        println!("skipped: this machine gives no chroot: {said}");
        return;
    }
    assert!(works && said.contains(env!("CARGO_PKG_VERSION")), "{said}");
    // It may write to /data, and nowhere else.
    assert!(run(&["keygen", "--out", "/data/a.key"]).0);
    assert!(!run(&["keygen", "--out", "/usr/a.key"]).0);
    assert!(!run(&["health", "http://127.0.0.1:1"]).0);
    let serve = ["serve", "predictor", "--models", "/data", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let marked = format!("trial-{}.example", std::process::id());
    let mut child = Command::new("buildah")
        .args(storage)
        .args(["run", "--isolation", "chroot", "served", "--", "halflight"])
        .args(serve)
        .args(["--public-name", &marked])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stderr.take().unwrap());
    let admin = std::io::BufRead::lines(lines)
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("health and metrics at ").map(str::to_owned));
    let probed = admin.as_ref().map(|admin| run(&["health", admin]));
    // The server ends as it is asked to, and the container with it.
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ours = processes.filter(|process| {
        let command = std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        command.starts_with("/usr/local/bin/halflight\0") && command.contains(&marked)
    });
    for process in ours {
        assert!(Command::new("kill").arg(process.file_name()).status().unwrap().success());
    }
    child.wait().unwrap();
    let (works, said) = probed.expect("the server started");
    assert!(works && said.contains("0 of 0 models"), "{said}");
}
