//! Models by name, while files, requests and an administrator change them at once.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

// Tests run every interleaving of these.
#[cfg(test)]
use loom::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
#[cfg(not(test))]
use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Names, lengths and times of the files of a model: when they differ, it is loaded anew.
pub(super) type Files = Vec<(String, u64, SystemTime)>;

/// A model, or the one that goes on in its place, and why it is not the newest.
pub(super) type Loaded<M> = (Option<Arc<M>>, String);

/// All models: those that can predict, and why others cannot.
pub(super) struct Slots<M> {
    slots: RwLock<BTreeMap<String, Slot<M>>>,
    /// One who loads at a time.
    loading: Mutex<()>,
}

struct Slot<M> {
    files: Files,
    model: Option<Arc<M>>,
    reason: String,
    /// Counts how often it was unloaded.
    unloads: u64,
}

impl<M> Slots<M> {
    pub fn new() -> Self {
        Self { slots: RwLock::new(BTreeMap::new()), loading: Mutex::new(()) }
    }

    /// The model, if it is ready.
    pub fn get(&self, name: &str) -> Option<Arc<M>> {
        self.read().get(name)?.model.clone()
    }

    /// Something of each model: of its name, of the model where it is ready, of the reason why it is not or not the
    /// newest.
    pub fn each<T>(&self, of: impl Fn(&str, Option<&M>, &str) -> T) -> Vec<T> {
        self.read().iter().map(|(name, slot)| of(name, slot.model.as_deref(), &slot.reason)).collect()
    }

    /// Loads what is new or changed in what `list` finds, and drops what is gone; nothing where it finds nothing to
    /// look at. `load` is given the model that is there.
    pub fn scan(
        &self,
        list: impl FnOnce() -> Option<BTreeMap<String, Files>>,
        load: impl Fn(&str, Option<Arc<M>>) -> Loaded<M>,
    ) {
        let _one = self.loading();
        let Some(found) = list() else { return };
        self.write().retain(|name, _| found.contains_key(name));
        for (name, files) in found {
            if self.read().get(&name).is_none_or(|slot| slot.files != files) {
                self.replace(name, files, &load);
            }
        }
    }

    /// Loads one model now, also if it was unloaded or unchanged. False where `list` does not find it.
    pub fn load(
        &self,
        name: &str,
        list: impl FnOnce() -> Option<Files>,
        load: impl Fn(&str, Option<Arc<M>>) -> Loaded<M>,
    ) -> bool {
        let _one = self.loading();
        let Some(files) = list() else { return false };
        self.replace(name.to_owned(), files, &load);
        true
    }

    /// Stops a model until its files change or it is loaded by request: also one that is being loaded meanwhile. False
    /// where no such model is.
    pub fn unload(&self, name: &str) -> bool {
        let mut slots = self.write();
        let Some(slot) = slots.get_mut(name) else { return false };
        slot.stop();
        slot.unloads += 1;
        true
    }

    /// For who holds the turn to load.
    fn replace(&self, name: String, files: Files, load: &impl Fn(&str, Option<Arc<M>>) -> Loaded<M>) {
        let known = self.read().get(&name).map(|slot| (slot.model.clone(), slot.unloads));
        let (old, unloads) = known.unwrap_or((None, 0));
        // Takes long: readers must not wait.
        let (model, reason) = load(&name, old);
        let mut slots = self.write();
        let unloaded = slots.get(&name).map_or(0, |slot| slot.unloads);
        let mut slot = Slot { files, model, reason, unloads: unloaded };
        if unloaded != unloads {
            slot.stop();
        }
        slots.insert(name, slot);
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Slot<M>>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Slot<M>>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn loading(&self) -> MutexGuard<'_, ()> {
        self.loading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> Slot<M> {
    fn stop(&mut self) {
        (self.model, self.reason) = (None, "unloaded by request".into());
    }
}

#[cfg(test)]
mod tests {
    use loom::thread;

    use super::super::interleaved;
    use super::*;

    fn files(version: u64) -> Option<Files> {
        Some(vec![("network.safetensors".into(), version, SystemTime::UNIX_EPOCH)])
    }

    fn folder(version: u64) -> Option<BTreeMap<String, Files>> {
        files(version).map(|files| BTreeMap::from([("ward".into(), files)]))
    }

    /// A model of a version, in use.
    fn serving(version: u64) -> Arc<Slots<u64>> {
        let slots = Arc::new(Slots::new());
        slots.scan(|| folder(version), |_, _| (Some(Arc::new(version)), String::new()));
        assert_eq!(slots.get("ward").as_deref(), Some(&version));
        slots
    }

    /// An administrator stops a model while its damaged new files are read: the old one came back.
    #[test]
    fn in_every_interleaving_an_unloaded_model_does_not_come_back_by_a_reload_that_fails() {
        interleaved(3, || {
            let slots = serving(1);
            let other = Arc::clone(&slots);
            let watch = thread::spawn(move || {
                other.scan(|| folder(2), |_, old| (old, "damaged".to_owned()));
            });
            assert!(slots.unload("ward"));
            assert_eq!(slots.get("ward"), None);
            watch.join().unwrap();
            assert_eq!(slots.get("ward"), None);
        });
    }

    #[test]
    fn in_every_interleaving_readers_have_one_of_the_versions_and_the_newest_at_the_end() {
        interleaved(3, || {
            let slots = serving(1);
            let (watching, asking) = (Arc::clone(&slots), Arc::clone(&slots));
            let load = |version: u64| move |_: &str, _: Option<Arc<u64>>| (Some(Arc::new(version)), String::new());
            let watch = thread::spawn(move || watching.scan(|| folder(2), load(2)));
            // Whoever asks after that has at least what was there.
            let ask = thread::spawn(move || assert!(asking.load("ward", || files(2), load(2))));
            let seen = slots.get("ward").map(|model| *model);
            assert!(matches!(seen, Some(1 | 2)), "{seen:?}");
            watch.join().unwrap();
            ask.join().unwrap();
            assert_eq!(slots.get("ward").as_deref(), Some(&2));
        });
    }

    #[test]
    fn what_is_gone_is_dropped_and_what_is_unchanged_stays() {
        loom::model(|| {
            let slots = serving(1);
            slots.scan(|| folder(1), |_, _| panic!("it is loaded already"));
            slots.scan(|| None, |_, _| panic!("there is nothing to look at"));
            assert_eq!(slots.each(|name, model, _| (name.to_owned(), model.copied())), [("ward".to_owned(), Some(1))]);
            assert!(slots.unload("ward") && !slots.unload("other"));
            slots.scan(|| folder(1), |_, _| panic!("its files did not change"));
            assert!(slots.load("ward", || files(1), |_, _| (Some(Arc::new(1)), String::new())));
            assert_eq!(slots.get("ward").as_deref(), Some(&1));
            slots.scan(|| Some(BTreeMap::new()), |_, _| panic!("it is gone"));
            assert_eq!(slots.get("ward"), None);
        });
    }
}
