//! Servers of a ceremony with their keys and folders, and a store of messages.

#![allow(dead_code)] // each test program uses its own part

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;

use qfe::{FunctionalKey, QuadraticMap};
use roles::ceremony::{
    AttendError, Attendance, Concluded, Credentials, Definition, Mail, MailError, ServerCard, Terms, Waiting,
};
use roles::keyfile::Unlock;
use roles::signature::SigningKey;
use roles::{ShareHolder, SharedKey};
use tempfile::TempDir;

pub const INPUTS: (usize, usize) = (4, 3);

/// A store of messages that anybody can read and change.
#[derive(Default)]
pub struct Post(pub Mutex<BTreeMap<String, Vec<u8>>>);

impl Mail for Post {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, MailError> {
        let found = self.0.lock().unwrap().get(name).cloned();
        if found.as_ref().is_some_and(|found| found.len() as u64 > limit) {
            return Err("too long".into());
        }
        Ok(found)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), MailError> {
        self.0.lock().unwrap().insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }
}

impl Post {
    pub fn take(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().remove(name)
    }
}

/// An institution: what it signs with, what opens its shares, and its folders.
pub struct Server {
    pub card: ServerCard,
    pub seed: [u8; 32],
    pub key: SigningKey,
    pub unlock: Unlock,
    pub folder: TempDir,
}

impl Server {
    pub fn new(index: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        let seed = [index; 32];
        let digits: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
        fs::write(&path, format!("ed25519-secret:{digits}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let key = SigningKey::load(&path).unwrap();
        let (unlock, recipient) = Unlock::generate_identity();
        let card = ServerCard { name: format!("server-{index}"), key: key.verifying_key(), recipient };
        Self { card, seed, key, unlock, folder }
    }

    pub fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn credentials(&self) -> Credentials<'_> {
        Credentials { key: &self.key, unlock: &self.unlock }
    }

    pub fn enter<'a>(
        &'a self,
        definition: &Definition,
        mail: &'a dyn Mail,
        home: &str,
        share: Option<&ShareHolder>,
    ) -> Result<Attendance<'a>, AttendError> {
        let lost = share.is_none();
        let share = share.map(ShareHolder::share);
        Attendance::enter(definition.clone(), mail, self.credentials(), &self.home(home), share, lost)
    }

    pub fn holder(&self, home: &str) -> ShareHolder {
        ShareHolder::load(&self.home(home), &self.unlock).unwrap()
    }
}

pub fn servers(indices: impl IntoIterator<Item = u8>) -> Vec<Server> {
    indices.into_iter().map(Server::new).collect()
}

pub fn cards(servers: &[Server]) -> Vec<ServerCard> {
    servers.iter().map(|server| server.card.clone()).collect()
}

pub fn terms(servers: &[Server], threshold: u16, clerk: u16) -> Terms<'static> {
    Terms { name: "test", servers: cards(servers), threshold, clerk }
}

pub fn new_key(servers: &[Server], threshold: u16, clerk: u16) -> Definition {
    Definition::generate(terms(servers, threshold, clerk), INPUTS).unwrap()
}

/// Lets all go on by turns until nobody can; `late` once nobody could go on in time.
pub fn run(attending: &mut BTreeMap<usize, Attendance<'_>>) -> BTreeMap<usize, Result<Box<Concluded>, Waiting>> {
    let mut ended = BTreeMap::new();
    for late in [false, false, false, false, true, true, true, true, true, true] {
        for (&place, attendance) in attending.iter_mut() {
            if !matches!(ended.get(&place), Some(Ok(_))) {
                ended.insert(place, attendance.advance(late).unwrap());
            }
        }
    }
    ended
}

pub fn whole(servers: &[Server], definition: &Definition, mail: &Post, home: &str) -> Vec<Concluded> {
    let enter = |place: usize| (place, servers[place].enter(definition, mail, home, None).unwrap());
    let mut attending: BTreeMap<_, _> = (0..servers.len()).map(enter).collect();
    run(&mut attending).into_values().map(|ended| *ended.unwrap_or_else(|waiting| panic!("{waiting:?}"))).collect()
}

pub fn map() -> QuadraticMap {
    QuadraticMap::new(4, 3, 2, 2, vec![1, -2, 3, 0, 2, 2, -1, 5], vec![2, 0, 1, -4, 1, 1], vec![1, 3, -2, 5]).unwrap()
}

pub fn issue(key: &SharedKey, holders: &[&ShareHolder]) -> FunctionalKey {
    let partials: Vec<_> = holders.iter().map(|holder| holder.issue_partial(&map()).unwrap()).collect();
    let combined = key.combiner(&map()).unwrap().combine(&partials).unwrap();
    assert!(combined.refused.is_empty());
    combined.key
}
