//! `halflight demo --serve`: authority and predictor of the defended network, on this machine.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use dataset::Dataset;
use dataset::draw::{DrawSpec, Generator};
use experiments::Certified;
use experiments::audit::Audited;
use host::Silent;
use model::CompiledNetwork;
use qfe::{FunctionalKey, PublicKey};
use roles::ModelFolder;
use roles::keyfile::{self, Unlock};
use service::audit::{Evidence, SignedAudit};
use service::authority::{Issuer, KeyRequest, POLICY};
use service::hash::Hash;
use service::opened::opened;
use service::page::PageFile;
use service::policy::starting_policy;
use service::predictor::PredictorOptions;
use service::run::{self, AuthorityPart, Listen, PredictorPart};
use service::signature::SigningKey;
use service::transport::{self, Scope, ServerOptions, new_token};

use crate::commands::page;
use crate::commands::token::{DAYS, in_days};
use crate::console::Console;
use crate::files;
use crate::keys;

/// Name of the model.
const MODEL: &str = "digits";
/// Test images that are kept for owners to send.
const SAMPLES: usize = 200;
/// The network that comes with the program, its report, and its certificate.
const READY: &[u8] = include_bytes!("ready.safetensors");
const READY_REPORT: &str = include_str!("ready.json");
const READY_CERTIFICATE: &str = include_str!("ready.certificate.json");
/// Random seed of the ready network's test images: that of its report, different from everything that it was trained
/// on.
const READY_SEED: u64 = 1;
/// Name of the file with the token of the authority.
const TOKEN: &str = "authority.token";
/// Who makes requests at this authority.
const BY: &str = "the demo";

/// Where to serve.
#[derive(Args)]
pub struct Serve {
    /// At the end, serve the defended network: an authority and a predictor on this machine, until interrupted
    #[arg(long)]
    pub serve: bool,
    /// Folder for keys, ledger and model; one left by an earlier run is served at once, without training
    #[arg(long, default_value = "halflight-demo", value_name = "FOLDER", requires = "serve")]
    folder: PathBuf,
    /// Train nothing: serve the network of drawn digits that comes with the program, trained for its certificate
    /// (`networks/digits-certified`; `halflight paper --networks` makes it again)
    #[arg(long, requires = "serve")]
    pub ready: bool,
    /// Address of the predictor and its page
    #[arg(long, default_value = "127.0.0.1:8481", value_name = "ADDRESS", requires = "serve")]
    listen: SocketAddr,
    /// Address of the authority
    #[arg(long, default_value = "127.0.0.1:8480", value_name = "ADDRESS", requires = "serve")]
    authority_listen: SocketAddr,
}

impl Serve {
    /// Whether an earlier run left everything that is needed.
    pub fn is_prepared(&self) -> bool {
        // Written last.
        self.model().join("functional.key").is_file()
    }

    /// Where everything is kept.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Refuses a folder that holds something else, before anything is trained.
    pub fn check(&self) -> Result<()> {
        match fs::read_dir(&self.folder).is_ok_and(|mut entries| entries.next().is_some()) {
            true => {
                bail!(
                    "{}: holds something else than a complete demo; name another with --folder",
                    self.folder.display()
                )
            }
            false => files::check_folder(&self.folder, &[], false),
        }
    }

    /// As [`prepare`](Self::prepare), for the network that comes with the program.
    pub fn prepare_ready(&self) -> Result<()> {
        let mut audited: Audited = serde_json::from_str(READY_REPORT).context("networks/digits-certified.json")?;
        let certified: Certified =
            serde_json::from_str(READY_CERTIFICATE).context("networks/digits-certified.certificate.json")?;
        audited.certificate = Some(certified.certificate);
        fs::create_dir_all(&self.folder).with_context(|| format!("{}: cannot be made", self.folder.display()))?;
        let path = self.folder.join("network.safetensors");
        files::write(&path, READY)?;
        let network = CompiledNetwork::load(&path)?;
        let samples = Generator::new(&DrawSpec::default())?.draw(SAMPLES, READY_SEED, &Silent);
        self.prepare(&network, &audited, &samples)
    }

    /// Sets up an authority that issues one key, for this network, to the predictor.
    pub fn prepare(&self, network: &CompiledNetwork, audited: &Audited, test: &Dataset) -> Result<()> {
        let home = self.folder.join("authority");
        fs::create_dir_all(&home).with_context(|| format!("{}: cannot be made", home.display()))?;
        let hash = Hash(network.hash());
        files::write(&home.join(POLICY), starting_policy(hash, &opened(&[network])?).as_bytes())?;
        keyfile::save_new_identity(&self.identity())?;
        let unlock = self.unlock()?;
        let path = self.folder.join("network.safetensors");
        network.save(&path)?;
        let bytes = files::read(&path, service::authority::MAX_NETWORK_BYTES as u64)?;
        let auditor = SigningKey::generate()?;
        auditor.save_new(&self.folder.join("auditor.key"))?;
        let text = serde_json::to_string_pretty(audited)?;
        let audit = SignedAudit::sign(hash, &text, &Evidence::now(&text, None, None)?, &auditor)?;
        let (issued, public) = run::block_on(async {
            let authority = Issuer::open(&home, None, unlock).await?;
            authority.register(bytes, BY).await?;
            authority.create_project("demo", hash, BY).await?;
            let request =
                KeyRequest { project: "demo", network: hash, holder: "the demo's predictor", approvals: &[], by: BY };
            let issued = authority.issue(&request).await?;
            let public = authority.public_key(issued.parameters.public_key).await?;
            authority.close().await;
            anyhow::Ok((issued, public))
        })??;
        let samples: Vec<usize> = (0..test.len().min(SAMPLES)).collect();
        test.subset(&samples).save(&self.samples())?;
        let attribute = &audited.report.attribute;
        let items = page::labelled(test, None, network.main(), attribute)?;
        let page = PageFile::new(network, items, items, attribute)?;
        let files = ModelFolder {
            network: network.clone(),
            key: FunctionalKey::from_bytes(&issued.key)?,
            public_key: Some(PublicKey::from_bytes(&public)?),
            grant: Some(issued.grant.to_bytes()),
            audit: Some(audit.to_bytes()),
            page: Some(page.to_bytes()),
        };
        Ok(files.write(&self.model())?)
    }

    /// Serves until the process is asked to stop.
    pub fn run(&self, console: &Console) -> Result<()> {
        let network = CompiledNetwork::load(&self.model().join("network.safetensors"))?;
        let table = keys::log_table([&network], None, console)?;
        transport::init_log(false, false);
        let on = |address, tokens| Listen { server: ServerOptions::on(address), tokens, admin: None };
        let authority = AuthorityPart {
            listen: on(self.authority_listen, Some(self.tokens()?)),
            folder: self.folder.join("authority"),
            ledger: None,
            unlock: self.unlock()?,
            shares_only: false,
        };
        let key = SigningKey::load(&self.folder.join("authority").join("signing.key"))?.verifying_key();
        let options = PredictorOptions::over(self.folder.join("models"));
        let predictor = PredictorPart { listen: on(self.listen, None), options, table };
        run::both(authority, predictor, |authority, predictor| {
            let token = self.folder.join(TOKEN);
            console.step(&format!("authority at http://{authority}; the token in {} opens it", token.display()));
            console.step(&format!("predictor at http://{predictor}"));
            let samples = self.samples();
            console.step(&format!(
                "open http://{predictor}/ in a browser, or send test images:\n  halflight encrypt --url \
                 http://{predictor} --model {MODEL} --authority {key} --data {} --items 0..5",
                samples.display()
            ));
        })?;
        Ok(())
    }

    /// The file with the authority's only token, drawn anew at each start, so that none expires unnoticed.
    fn tokens(&self) -> Result<PathBuf> {
        let path = self.folder.join("authority-tokens.toml");
        let token = self.folder.join(TOKEN);
        if token.exists() {
            fs::remove_file(&token).with_context(|| token.display().to_string())?;
        }
        let scopes = [Scope::Admin, Scope::Register, Scope::Issue, Scope::Ledger, Scope::Metrics];
        let entry = new_token(&token, "demo", &scopes, Some(in_days(DAYS)))?;
        files::write(&path, entry.as_bytes())?;
        Ok(path)
    }

    fn unlock(&self) -> Result<Unlock> {
        Ok(Unlock::load_identity(&self.identity())?)
    }

    fn identity(&self) -> PathBuf {
        self.folder.join("authority.identity")
    }

    fn model(&self) -> PathBuf {
        self.folder.join("models").join(MODEL)
    }

    fn samples(&self) -> PathBuf {
        self.folder.join("samples.safetensors")
    }
}
