//! Small networks, keys and servers for the tests.
#![allow(dead_code)]

pub mod tls;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use host::Silent;
use model::{CompiledNetwork, ImportOptions, Inputs};
use qfe::{Ciphertext, Encryptor, LogTable, MasterKey, PublicKey, QuadraticMap};
use rand::{RngExt, SeedableRng};
use roles::keyfile::Unlock;
use safetensors::tensor::{Dtype, TensorView};
use service::authority::{Issuer, POLICY};
use service::hash::Hash;
use service::opened::opened;
use service::policy::starting_policy;
use service::predictor::{PredictorOptions, PredictorServer, router};
use service::transport::{Server, ServerOptions, Tokens};
use tempfile::TempDir;

/// Side of the images: 16 pixels, 17 inputs.
pub const SIDE: usize = 4;
const INPUTS: usize = SIDE * SIDE + 1;

/// A network of random small integers over images of 4×4 pixels with 4 bits, with as many classes as outputs.
pub fn network(folder: &Path, seed: u64, outputs: usize) -> (CompiledNetwork, PathBuf) {
    let units = outputs + 1;
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut draw =
        |count: usize| -> Vec<u8> { (0..count).flat_map(|_| rng.random_range(-3i32..=3).to_le_bytes()).collect() };
    let (p, d) = (draw(units * INPUTS), draw(outputs * units));
    let view = |shape: [usize; 2], data| TensorView::new(Dtype::I32, shape.to_vec(), data).unwrap();
    let tensors = HashMap::from([("P", view([units, INPUTS], &p)), ("D", view([outputs, units], &d))]);
    let raw = folder.join(format!("raw-{seed}.safetensors"));
    safetensors::serialize_to_file(tensors, None, &raw).unwrap();
    let inputs = Inputs::Pixels { height: SIDE, width: SIDE, bits: 4 };
    let network = CompiledNetwork::import(&raw, &ImportOptions { inputs, ..ImportOptions::default() }).unwrap();
    let path = folder.join(format!("network-{seed}.safetensors"));
    network.save(&path).unwrap();
    (network, path)
}

/// The map of a network.
pub fn map_of(network: &CompiledNetwork) -> QuadraticMap {
    network.map().clone()
}

/// A folder of models with one model, `digits`, and what belongs to it.
pub struct World {
    pub folder: TempDir,
    pub network: CompiledNetwork,
    pub master: MasterKey,
    pub public: PublicKey,
    pub encryptor: Encryptor,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (network, _) = network(folder.path(), 7, 3);
        let (n, m) = network.inputs();
        let (master, public) = qfe::setup(n, m, &mut rand::rng()).unwrap();
        let encryptor = Encryptor::new(&public, &Silent);
        let world = Self { folder, network, master, public, encryptor };
        world.add_model("digits");
        world
    }

    pub fn models(&self) -> PathBuf {
        self.folder.path().join("models")
    }

    pub fn add_model(&self, name: &str) -> PathBuf {
        let model = self.models().join(name);
        std::fs::create_dir_all(&model).unwrap();
        let key = self.master.issue(&map_of(&self.network)).unwrap();
        std::fs::write(model.join("functional.key"), key.to_bytes()).unwrap();
        std::fs::write(model.join("public.key"), self.public.to_bytes()).unwrap();
        self.network.save(&model.join("network.safetensors")).unwrap();
        model
    }

    pub fn public_key(&self) -> Hash {
        Hash(*self.public.id().as_bytes())
    }

    /// A fresh ciphertext of an image.
    pub fn encrypt(&self, image: &[u8]) -> Vec<u8> {
        let item = self.network.encoder().encode(image).unwrap();
        let ciphertext: Ciphertext = self.encryptor.encrypt(&item.u, &item.v, &mut rand::rng()).unwrap();
        ciphertext.to_bytes()
    }

    /// What the network in the clear gives.
    pub fn expected(&self, image: &[u8]) -> Vec<i64> {
        self.network.evaluate(&self.network.encoder().encode(image).unwrap()).unwrap()
    }
}

/// An authority whose starting policy allows the network with seed 1, registered, with the project `p`.
pub fn issuer(folder: &Path, identity: &str) -> (Issuer, Hash) {
    let (network, path) = network(folder, 1, 3);
    let hash = Hash(network.hash());
    let home = folder.join("home");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join(POLICY), starting_policy(hash, &opened(&[&network]).unwrap())).unwrap();
    let authority = service::run::block_on(async {
        let authority = Issuer::open(&home, None, Unlock::identity(identity).unwrap()).await.unwrap();
        authority.register(std::fs::read(path).unwrap(), "test").await.unwrap();
        if !authority.state().await.unwrap().projects.contains_key("p") {
            authority.create_project("p", hash, "test").await.unwrap();
        }
        authority
    });
    (authority.unwrap(), hash)
}

/// Who may do everything at an authority, by this header.
pub const BEARER: (&str, &str) = ("authorization", "Bearer a token of the tests");

/// The tokens that know it, as `test`.
pub fn tokens(folder: &Path) -> Tokens {
    let path = folder.join("all-tokens.toml");
    let hash = Hash::of_bytes(b"a token of the tests");
    let scopes = r#"["admin", "register", "issue", "ledger", "metrics", "infer"]"#;
    std::fs::write(&path, format!("[[token]]\nname = \"test\"\nsha256 = \"{hash}\"\nscopes = {scopes}\n")).unwrap();
    Tokens::load(&path).unwrap()
}

/// A fresh age identity: what unlocks master keys.
pub fn identity() -> String {
    use age::secrecy::ExposeSecret;
    age::x25519::Identity::generate().to_string().expose_secret().to_owned()
}

/// Some image.
pub fn image(seed: u64) -> Vec<u8> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    (0..SIDE * SIDE).map(|_| rng.random()).collect()
}

/// A server on a port of its own, in a thread of its own, until the process ends.
pub fn serve(router: impl FnOnce() -> Router + Send + 'static, options: ServerOptions) -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        service::run::block_on(async {
            let server = Server::bind(options).await.unwrap();
            tell.send(server.address()).unwrap();
            server.run(router(), std::future::pending()).await;
        })
    });
    told.recv_timeout(Duration::from_secs(20)).unwrap()
}

/// A port of our own on loopback.
pub fn loopback() -> ServerOptions {
    ServerOptions::on("127.0.0.1:0".parse().unwrap())
}

/// A predictor over the models of a world.
pub fn predictor(world: &World, change: impl FnOnce(&mut PredictorOptions)) -> SocketAddr {
    predictor_with(world, Tokens::none(), loopback(), change)
}

/// A predictor with tokens and server options.
pub fn predictor_with(
    world: &World,
    tokens: Tokens,
    server: ServerOptions,
    change: impl FnOnce(&mut PredictorOptions),
) -> SocketAddr {
    let mut options = PredictorOptions::over(world.models());
    options.watch = Duration::from_millis(50);
    change(&mut options);
    let table = Arc::new(LogTable::build(12, &Silent).unwrap());
    let authenticated = tokens.required();
    let routes = move || {
        let predictor = PredictorServer::start(options, tokens, table).unwrap();
        tokio::spawn(Arc::clone(&predictor).watch());
        router(predictor)
    };
    serve(routes, ServerOptions { authenticated, ..server })
}

/// An answer, read by hand so that nothing between test and server helps.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The detail of a problem, once it is shown to be one.
    pub fn problem(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status);
        json["detail"].as_str().unwrap().to_owned()
    }
}

/// The head of a request whose body is JSON or bytes, as it looks.
pub fn head(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    let mut own = vec![("host", "localhost".to_owned()), ("connection", "close".to_owned())];
    if !body.is_empty() || method == "POST" {
        own.push(("content-length", body.len().to_string()));
    }
    if !body.is_empty() {
        let kind = if body.starts_with(b"{") { "application/json" } else { "application/octet-stream" };
        own.push(("content-type", kind.to_owned()));
    }
    let given = |name: &str| headers.iter().any(|(given, _)| *given == name);
    for (name, value) in own.iter().filter(|(name, _)| !given(name)) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

/// Sends a request and reads the answer.
pub fn send(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head(method, path, headers, body).as_bytes()).unwrap();
    // A server that refuses early may close before it has read all.
    let _ = stream.write_all(body);
    receive(stream)
}

pub fn get(address: SocketAddr, path: &str) -> Reply {
    send(address, "GET", path, &[], b"")
}

pub fn post(address: SocketAddr, path: &str, body: &[u8]) -> Reply {
    send(address, "POST", path, &[], body)
}

/// Reads an answer to its end.
pub fn receive(stream: TcpStream) -> Reply {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    read(stream)
}

/// The same over any connection.
pub fn read(mut stream: impl Read) -> Reply {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&bytes)));
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Reply { status, headers, body: bytes[end + 4..].to_vec() }
}

/// The body of an inference request for some items, in the binary form, with its header.
pub fn infer_body(items: &[Vec<u8>]) -> (Vec<u8>, String) {
    let tail: Vec<u8> =
        items.iter().flat_map(|item| [&(item.len() as u32).to_le_bytes(), item.as_slice()].concat()).collect();
    let json = format!(
        r#"{{"inputs":[{{"name":"ciphertext","datatype":"BYTES","shape":[{}],"parameters":{{"binary_data_size":{}}}}}]}}"#,
        items.len(),
        tail.len()
    );
    ([json.as_bytes(), &tail].concat(), json.len().to_string())
}

/// Asks for predictions.
pub fn infer(address: SocketAddr, model: &str, items: &[Vec<u8>]) -> Reply {
    let (body, length) = infer_body(items);
    let headers = [("inference-header-content-length", length.as_str())];
    send(address, "POST", &format!("/v2/models/{model}/infer"), &headers, &body)
}
