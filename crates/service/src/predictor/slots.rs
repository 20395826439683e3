//! Models by key, while files, requests and an administrator change them at once.

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

/// A model, or the older one that stays in service, and why it is not the newest.
pub(super) type Loaded<M> = (Option<Arc<M>>, String);

/// All models: those that can predict, and why others cannot.
pub(super) struct Slots<K, M> {
    slots: RwLock<BTreeMap<K, Slot<M>>>,
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

impl<K: Clone + Ord, M> Slots<K, M> {
    pub fn new() -> Self {
        Self { slots: RwLock::new(BTreeMap::new()), loading: Mutex::new(()) }
    }

    /// Something of each model, in the order of their keys: of its key, of the model where it is ready, of the reason why
    /// it is not or not the newest.
    pub fn each<T>(&self, of: impl Fn(&K, Option<&Arc<M>>, &str) -> T) -> Vec<T> {
        self.read().iter().map(|(key, slot)| of(key, slot.model.as_ref(), &slot.reason)).collect()
    }

    /// Loads the new and changed models that `list` finds, and drops removed ones; nothing where it finds nothing to
    /// look at. `load` is given the model that is there.
    pub fn scan(
        &self,
        list: impl FnOnce() -> Option<BTreeMap<K, Files>>,
        load: impl Fn(&K, Option<Arc<M>>) -> Loaded<M>,
    ) {
        let _one = self.loading();
        let Some(found) = list() else { return };
        self.write().retain(|key, _| found.contains_key(key));
        for (key, files) in found {
            if self.read().get(&key).is_none_or(|slot| slot.files != files) {
                self.replace(key, files, &load);
            }
        }
    }

    /// Loads what `list` finds now, even if it was unloaded or is unchanged. False if it finds nothing.
    pub fn load(
        &self,
        list: impl FnOnce() -> BTreeMap<K, Files>,
        load: impl Fn(&K, Option<Arc<M>>) -> Loaded<M>,
    ) -> bool {
        let _one = self.loading();
        let found = list();
        let any = !found.is_empty();
        found.into_iter().for_each(|(key, files)| self.replace(key, files, &load));
        any
    }

    /// Stops models until their files change or they are loaded by request: also those that are being loaded meanwhile.
    /// False where no such model is.
    pub fn unload(&self, which: impl Fn(&K) -> bool) -> bool {
        let mut slots = self.write();
        let mut any = false;
        for (_, slot) in slots.iter_mut().filter(|(key, _)| which(key)) {
            slot.stop();
            slot.unloads += 1;
            any = true;
        }
        any
    }

    /// For who holds the turn to load.
    fn replace(&self, key: K, files: Files, load: &impl Fn(&K, Option<Arc<M>>) -> Loaded<M>) {
        let known = self.read().get(&key).map(|slot| (slot.model.clone(), slot.unloads));
        let (old, unloads) = known.unwrap_or((None, 0));
        // Takes long: readers must not wait.
        let (model, reason) = load(&key, old);
        let mut slots = self.write();
        let unloaded = slots.get(&key).map_or(0, |slot| slot.unloads);
        let mut slot = Slot { files, model, reason, unloads: unloaded };
        if unloaded != unloads {
            slot.stop();
        }
        slots.insert(key, slot);
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<K, Slot<M>>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<K, Slot<M>>> {
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

    fn folder(version: u64) -> Option<BTreeMap<&'static str, Files>> {
        files(version).map(|files| BTreeMap::from([("ward", files)]))
    }

    /// A model of a version, in use.
    fn serving(version: u64) -> Arc<Slots<&'static str, u64>> {
        let slots = Arc::new(Slots::new());
        slots.scan(|| folder(version), |_, _| (Some(Arc::new(version)), String::new()));
        assert_eq!(ward(&slots), Some(version));
        slots
    }

    fn ward(slots: &Slots<&'static str, u64>) -> Option<u64> {
        slots.each(|_, model, _| model.map(|model| **model)).into_iter().flatten().next()
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
            assert!(slots.unload(|&key| key == "ward"));
            assert_eq!(ward(&slots), None);
            watch.join().unwrap();
            assert_eq!(ward(&slots), None);
        });
    }

    #[test]
    fn in_every_interleaving_readers_have_one_of_the_versions_and_the_newest_at_the_end() {
        interleaved(3, || {
            let slots = serving(1);
            let (watching, asking) = (Arc::clone(&slots), Arc::clone(&slots));
            let load = |version: u64| move |_: &&str, _: Option<Arc<u64>>| (Some(Arc::new(version)), String::new());
            let watch = thread::spawn(move || watching.scan(|| folder(2), load(2)));
            // Whoever asks after that has at least what was there.
            let ask = thread::spawn(move || assert!(asking.load(|| folder(2).unwrap_or_default(), load(2))));
            let seen = ward(&slots);
            assert!(matches!(seen, Some(1 | 2)), "{seen:?}");
            watch.join().unwrap();
            ask.join().unwrap();
            assert_eq!(ward(&slots), Some(2));
        });
    }

    #[test]
    fn what_is_gone_is_dropped_and_what_is_unchanged_stays() {
        loom::model(|| {
            let slots = serving(1);
            slots.scan(|| folder(1), |_, _| panic!("it is loaded already"));
            slots.scan(|| None, |_, _| panic!("there is nothing to look at"));
            assert_eq!(slots.each(|key, model, _| (*key, model.map(|model| **model))), [("ward", Some(1))]);
            assert!(slots.unload(|&key| key == "ward") && !slots.unload(|&key| key == "other"));
            slots.scan(|| folder(1), |_, _| panic!("its files did not change"));
            assert!(slots.load(|| folder(1).unwrap_or_default(), |_, _| (Some(Arc::new(1)), String::new())));
            assert_eq!(ward(&slots), Some(1));
            slots.scan(|| Some(BTreeMap::new()), |_, _| panic!("it is gone"));
            assert_eq!(ward(&slots), None);
        });
    }
}
