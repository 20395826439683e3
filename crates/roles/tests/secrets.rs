//! Secrets at rest: master keys, masks, tables.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use host::Silent;
use qfe::{Encryptor, LogTable, MaskPool, Origin, TableError, setup};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use roles::keyfile::{KeyFileError, Lock, Unlock, load_master_key, save_master_key, save_new_identity};
use roles::{MaskStore, MaskStoreError};
use sha2::{Digest, Sha256};

#[test]
fn master_keys_are_private_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.age");
    let (master, _) = setup(3, 2, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
    let (identity, recipient) = Unlock::generate_identity();
    save_master_key(&path, &master, &Lock::recipient(&recipient).unwrap()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = load_master_key(&path, &identity).unwrap();
    assert!(again.to_bytes() == master.to_bytes());
    let exists = save_master_key(&path, &master, &Lock::recipient(&recipient).unwrap());
    assert!(matches!(exists, Err(KeyFileError::Exists { .. })));
    let (stranger, _) = Unlock::generate_identity();
    assert!(matches!(load_master_key(&path, &stranger), Err(KeyFileError::Decrypt { .. })));
    let mut damaged = fs::read(&path).unwrap();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let path = folder.path().join("damaged.age");
    fs::write(&path, &damaged).unwrap();
    assert!(matches!(load_master_key(&path, &identity), Err(KeyFileError::Decrypt { .. })));
    assert!(Lock::recipient("age1nonsense").is_err() && Unlock::identity("# only a comment").is_err());
    let path = folder.path().join("identity");
    let recipient = save_new_identity(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(save_new_identity(&path), Err(KeyFileError::Exists { .. })));
    let (kept, identity) = (folder.path().join("kept.age"), fs::read_to_string(&path).unwrap());
    save_master_key(&kept, &master, &Lock::recipient(&recipient).unwrap()).unwrap();
    assert!(load_master_key(&kept, &Unlock::identity(&identity).unwrap()).is_ok());
    let nowhere = folder.path().join("none/master.age");
    let missing = save_master_key(&nowhere, &master, &Lock::recipient(&recipient).unwrap());
    assert!(matches!(missing, Err(KeyFileError::Io { .. })));
}

#[test]
fn a_passphrase_opens_what_it_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.age");
    let (master, _) = setup(1, 1, &mut ChaCha20Rng::seed_from_u64(2)).unwrap();
    save_master_key(&path, &master, &Lock::passphrase("correct horse".into())).unwrap();
    assert!(load_master_key(&path, &Unlock::passphrase("correct horse".into())).is_ok());
    let wrong = load_master_key(&path, &Unlock::passphrase("battery staple".into()));
    assert!(matches!(wrong, Err(KeyFileError::Decrypt { .. })));
}

#[test]
fn every_mask_is_taken_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (_, public) = setup(2, 2, &mut rng).unwrap();
    let (_, other) = setup(2, 2, &mut rng).unwrap();
    let hidden = Silent;
    let encryptor = Encryptor::new(&public, &hidden);
    let stranger = Encryptor::new(&other, &hidden);
    let (identity, recipient) = Unlock::generate_identity();
    let store = MaskStore::new(folder.path());
    for _ in 0..12 {
        store.put(encryptor.draw_mask(&mut rng), &Lock::recipient(&recipient).unwrap()).unwrap();
    }
    assert_eq!(store.len(public.id()).unwrap(), 12);
    assert!(matches!(store.take(&stranger, &identity), Err(MaskStoreError::Empty { .. })));
    let taken = AtomicUsize::new(0);
    let seen = std::sync::Mutex::new(std::collections::HashSet::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Ok(mask) = store.take(&encryptor, &identity) {
                    taken.fetch_add(1, Ordering::Relaxed);
                    // Equal masks and inputs would give equal ciphertexts.
                    let ciphertext = encryptor.encrypt_with_mask(&[1, 2], &[3, 4], mask).unwrap();
                    seen.lock().unwrap().insert(ciphertext.to_bytes());
                }
            });
        }
    });
    assert_eq!(taken.into_inner(), 12);
    assert_eq!(seen.into_inner().unwrap().len(), 12);
    assert!(store.is_empty(public.id()).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // What a crashed process had taken is discarded, not used.
    fs::write(folder.path().join("taken-0-mask-x.age"), b"left over").unwrap();
    assert_eq!(store.discard_taken().unwrap(), 1);

    let pool = MaskPool::new();
    pool.fill(&encryptor, 3, &mut rng, &hidden);
    assert_eq!(pool.len(), 3);
    for left in [2, 1, 0, 0] {
        pool.encrypt(&encryptor, &[1, 2], &[3, 4], &mut rng).unwrap();
        assert_eq!(pool.len(), left);
    }
    let foreign = stranger.draw_mask(&mut rng);
    assert!(encryptor.encrypt_with_mask(&[1, 2], &[3, 4], foreign).is_err());
}

/// Each try with a wrong passphrase destroyed a mask.
#[test]
fn a_wrong_passphrase_costs_no_mask() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let (_, public) = setup(1, 1, &mut rng).unwrap();
    let encryptor = Encryptor::new(&public, &Silent);
    let store = MaskStore::new(folder.path());
    store.put(encryptor.draw_mask(&mut rng), &Lock::passphrase("correct horse".into())).unwrap();
    for _ in 0..2 {
        let wrong = store.take(&encryptor, &Unlock::passphrase("battery staple".into()));
        assert!(matches!(wrong, Err(MaskStoreError::File(KeyFileError::Decrypt { .. }))));
        assert_eq!(store.len(public.id()).unwrap(), 1);
    }
    // A damaged one is discarded: it would always stand in the way.
    let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    fs::write(&path, damaged).unwrap();
    let right = || Unlock::passphrase("correct horse".into());
    assert!(store.take(&encryptor, &right()).is_err());
    assert!(store.is_empty(public.id()).unwrap());
    fs::write(&path, whole).unwrap();
    assert!(store.take(&encryptor, &right()).is_ok());
}

/// The masks of a copied or restored folder were used a second time, unnoticed.
#[test]
fn a_copied_or_restored_mask_store_is_refused() {
    let [folder, copy, outside] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let (_, public) = setup(1, 1, &mut rng).unwrap();
    let encryptor = Encryptor::new(&public, &Silent);
    let (identity, recipient) = Unlock::generate_identity();
    let open = |folder: &tempfile::TempDir| MaskStore::open(folder.path(), outside.path());
    let store = open(&folder).unwrap();
    for _ in 0..4 {
        store.put(encryptor.draw_mask(&mut rng), &Lock::recipient(&recipient).unwrap()).unwrap();
    }
    let files = |from: &tempfile::TempDir, to: &tempfile::TempDir| {
        for entry in fs::read_dir(from.path()).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, to.path().join(path.file_name().unwrap())).unwrap();
        }
    };
    files(&folder, &copy);
    store.take(&encryptor, &identity).unwrap();
    open(&folder).unwrap().take(&encryptor, &identity).unwrap();
    assert!(matches!(open(&copy), Err(MaskStoreError::Copy { .. })));
    // Put back over the folder itself: two masks that were taken are there again.
    files(&copy, &folder);
    assert_eq!(store.len(public.id()).unwrap(), 2);
    assert!(matches!(store.take(&encryptor, &identity), Err(MaskStoreError::Copy { .. })));
    assert!(matches!(open(&folder), Err(MaskStoreError::Copy { .. })));
    assert_eq!(store.len(public.id()).unwrap(), 2);
    fs::write(folder.path().join("store"), "else").unwrap();
    assert!(matches!(open(&folder), Err(MaskStoreError::Binding { .. })));
    // A counter is read completely or not at all: a truncated one would make used masks free again.
    let counted = tempfile::tempdir().unwrap();
    MaskStore::open(counted.path(), outside.path()).unwrap();
    let store = fs::read_to_string(counted.path().join("store")).unwrap();
    let mut counter =
        fs::OpenOptions::new().append(true).open(outside.path().join(store.lines().nth(1).unwrap())).unwrap();
    counter.write_all(format!("key 9{}\n", " 1".repeat(1 << 19)).as_bytes()).unwrap();
    assert!(matches!(open(&counted), Err(MaskStoreError::Binding { .. })));
    // Another machine has other counters.
    let elsewhere = tempfile::tempdir().unwrap();
    let fresh = tempfile::tempdir().unwrap();
    MaskStore::open(fresh.path(), outside.path()).unwrap();
    assert!(matches!(MaskStore::open(fresh.path(), elsewhere.path()), Err(MaskStoreError::Copy { .. })));
}

/// Mask files that were put back one by one, or into another folder, were handed out again.
#[test]
fn a_mask_file_that_was_put_back_or_copied_is_not_handed_out_again() {
    let [folder, other, copy, outside] = [(); 4].map(|()| tempfile::tempdir().unwrap());
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let (_, public) = setup(1, 1, &mut rng).unwrap();
    let encryptor = Encryptor::new(&public, &Silent);
    let (identity, recipient) = Unlock::generate_identity();
    let lock = Lock::recipient(&recipient).unwrap();
    let open = |folder: &tempfile::TempDir| MaskStore::open(folder.path(), outside.path());
    let masks = |folder: &tempfile::TempDir| {
        let paths = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some()).collect();
        paths.sort();
        paths
    };
    let copy_to = |from: &tempfile::TempDir, to: &tempfile::TempDir| {
        for path in masks(from) {
            fs::copy(&path, to.path().join(path.file_name().unwrap())).unwrap();
        }
    };
    let (store, second) = (open(&folder).unwrap(), open(&other).unwrap());
    for _ in 0..3 {
        store.put(encryptor.draw_mask(&mut rng), &lock).unwrap();
    }
    copy_to(&folder, &copy);
    // A wrong identity costs no mask.
    let (stranger, _) = Unlock::generate_identity();
    assert!(matches!(store.take(&encryptor, &stranger), Err(MaskStoreError::File(_))));
    assert_eq!(store.len(public.id()).unwrap(), 3);
    store.take(&encryptor, &identity).unwrap();
    store.take(&encryptor, &identity).unwrap();
    // The files of the two come back, and the store's own file is the new one: only the third is left.
    copy_to(&copy, &folder);
    assert_eq!(store.len(public.id()).unwrap(), 1);
    open(&folder).unwrap().take(&encryptor, &identity).unwrap();
    assert!(matches!(store.take(&encryptor, &identity), Err(MaskStoreError::Used { files: 2, .. })));
    // A used file under the name of the next serial.
    store.put(encryptor.draw_mask(&mut rng), &lock).unwrap();
    let next = masks(&folder).pop().unwrap();
    fs::copy(&masks(&copy)[0], &next).unwrap();
    assert!(matches!(store.take(&encryptor, &identity), Err(MaskStoreError::Renamed { .. })));
    // In another bound folder, as it is or under a name of that store.
    second.put(encryptor.draw_mask(&mut rng), &lock).unwrap();
    let own = masks(&other).pop().unwrap();
    copy_to(&copy, &other);
    assert_eq!(second.len(public.id()).unwrap(), 1);
    fs::copy(&masks(&copy)[1], own).unwrap();
    assert!(matches!(second.take(&encryptor, &identity), Err(MaskStoreError::Renamed { .. })));
    assert!(matches!(second.take(&encryptor, &identity), Err(MaskStoreError::Used { files: 3, .. })));
    // A copy whose own file was removed is not bound anew, and is none that need not be bound.
    assert!(matches!(open(&copy), Err(MaskStoreError::Unbound { .. })));
    assert!(MaskStore::new(copy.path()).is_empty(public.id()).unwrap());
}

/// Whether a type implements `Debug`: its own method, where it has one, comes before that of the trait.
macro_rules! can_be_printed {
    ($type:ty) => {{
        struct Of<T>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: std::fmt::Debug> Of<T> {
            fn answer(&self) -> bool {
                true
            }
        }
        #[allow(dead_code)]
        trait No {
            fn answer(&self) -> bool {
                false
            }
        }
        impl<T> No for Of<T> {}
        Of::<$type>(std::marker::PhantomData).answer()
    }};
}

/// What cannot be printed stands in no log.
#[test]
fn secrets_cannot_be_printed() {
    assert!(can_be_printed!(qfe::PublicKey) && can_be_printed!(roles::Published));
    assert!(!can_be_printed!(qfe::MasterKey) && !can_be_printed!(qfe::shares::KeyShare));
    assert!(!can_be_printed!(qfe::Mask) && !can_be_printed!(MaskPool) && !can_be_printed!(qfe::MaskSteps));
    assert!(!can_be_printed!(qfe::shares::ceremony::Participant) && !can_be_printed!(qfe::shares::ceremony::Dealing));
    assert!(!can_be_printed!(Lock) && !can_be_printed!(Unlock));
}

/// An identity that everybody on the machine can read was used without a word.
#[test]
fn an_identity_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("identity");
    save_new_identity(&path).unwrap();
    assert!(Unlock::load_identity(&path).is_ok());
    for mode in [0o644, 0o640, 0o604] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(Unlock::load_identity(&path), Err(KeyFileError::Readable { .. })), "{mode:o}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(Unlock::load_identity(&path).is_ok());
}

#[test]
fn damaged_tables_are_built_again() {
    let folder = tempfile::tempdir().unwrap();
    let (_, public) = setup(2, 3, &mut ChaCha20Rng::seed_from_u64(4)).unwrap();
    let hidden = Silent;
    let open = || {
        let bases = Encryptor::open_or_build(&public, folder.path(), &hidden).unwrap().1;
        let logs = LogTable::open_or_build(9, folder.path(), &hidden).unwrap().1;
        (bases, logs)
    };
    assert_eq!(open(), (Origin::Built, Origin::Built));
    assert_eq!(open(), (Origin::Mapped, Origin::Mapped));
    for entry in fs::read_dir(folder.path()).unwrap() {
        // What is mapped must not change under its reader.
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(open(), (Origin::Built, Origin::Built));
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    }
    assert_eq!(open(), (Origin::Built, Origin::Built));
    let (first, _) = Encryptor::open_or_build(&public, folder.path(), &hidden).unwrap();
    let second = Encryptor::new(&public, &hidden);
    let encrypt =
        |encryptor: &Encryptor| encryptor.encrypt(&[1, -2], &[300, 4, 5], &mut ChaCha20Rng::seed_from_u64(5)).unwrap();
    assert!(encrypt(&first) == encrypt(&second));
    assert!(LogTable::open_or_build(99, folder.path(), &hidden).is_err());
}

/// Tables of zeros under a right hash gave ciphertexts that show their plaintext.
#[test]
fn tables_of_something_else_are_not_used_though_their_hash_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let (_, public) = setup(2, 3, &mut ChaCha20Rng::seed_from_u64(4)).unwrap();
    let open = || Encryptor::open_or_build(&public, folder.path(), &Silent).unwrap();
    open();
    let path = folder.path().join(format!("{}.bases", public.id()));
    let honest = fs::read(&path).unwrap();
    let sealed = |points: &[u8]| {
        let mut file = [&honest[..64], &Sha256::digest(points)[..]].concat();
        file.extend_from_slice(&Sha256::digest(&file));
        [&file, points].concat()
    };
    assert!(sealed(&honest[128..]) == honest, "the header is not laid out as this test thinks");
    let points = &honest[128..];
    let zeros = vec![0; points.len()];
    let shifted = [&points[96..], &points[..96]].concat();
    for forged in [zeros, shifted] {
        fs::write(&path, sealed(&forged)).unwrap();
        let (encryptor, origin) = open();
        assert_eq!(origin, Origin::Built);
        let encrypt = |encryptor: &Encryptor| {
            encryptor.encrypt(&[1, -2], &[300, 4, 5], &mut ChaCha20Rng::seed_from_u64(5)).unwrap()
        };
        assert!(encrypt(&encryptor) == encrypt(&Encryptor::new(&public, &Silent)));
        assert!(fs::read(&path).unwrap() == honest);
    }
    assert_eq!(open().1, Origin::Mapped);
}

#[test]
fn a_folder_of_tables_that_others_can_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, public) = setup(1, 1, &mut ChaCha20Rng::seed_from_u64(4)).unwrap();
    for mode in [0o777, 0o770, 0o702] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        let refused = Encryptor::open_or_build(&public, folder.path(), &Silent).map(|(_, origin)| origin);
        assert!(matches!(refused, Err(TableError::Open(_))), "{mode:o}");
        let refused = LogTable::open_or_build(9, folder.path(), &Silent).map(|(_, origin)| origin);
        assert!(matches!(refused, Err(TableError::Open(_))), "{mode:o}");
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(LogTable::open_or_build(9, folder.path(), &Silent).unwrap().1, Origin::Built);
}

/// Neither a commit nor an image takes a secret along that lies in the source's folder, and none must lie there.
#[test]
fn secrets_stay_out_of_commits_and_images() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let (git, image) = (read(".gitignore"), read("deploy/Containerfile.dockerignore"));
    for pattern in ["*.age", "*.identity", "*.key", "identity"] {
        assert!(git.lines().any(|line| line == pattern), "{pattern} in .gitignore");
        assert!(image.lines().any(|line| line == format!("**/{pattern}")), "{pattern} in the image's list");
    }
    let compose = read("deploy/compose.yaml");
    let secrets = compose.split("\nsecrets:").nth(1).unwrap();
    let files: Vec<&str> = secrets.lines().filter_map(|line| line.trim().strip_prefix("file: ")).collect();
    assert!(!files.is_empty() && files.iter().all(|file| file.starts_with("${HALFLIGHT_SECRETS:?")), "{files:?}");
}
