//! A cache of files that were read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::AuthorityError;
use super::archive::blocking;

/// Values by key, those that were asked for last, up to a number of bytes. One is made at a time, so that many who ask at
/// once, whoever they are, cost one.
pub(super) struct Cache<K, V> {
    /// With the bytes of each; asked for last at the end.
    kept: Arc<Mutex<VecDeque<(K, V, usize)>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
    most: usize,
}

impl<K, V> Cache<K, V>
where
    K: Clone + PartialEq + Send + 'static,
    V: Clone + Send + 'static,
{
    /// Of at most so many bytes together.
    pub fn new(most: usize) -> Self {
        Self { kept: Arc::default(), turn: Arc::default(), most }
    }

    /// The value of a key: kept, or made by `make`, which also says how many bytes it has.
    pub async fn get(
        &self,
        key: K,
        make: impl FnOnce() -> Result<(V, usize), AuthorityError> + Send + 'static,
    ) -> Result<V, AuthorityError> {
        if let Some(value) = find(&self.kept, &key) {
            return Ok(value);
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let (kept, most) = (Arc::clone(&self.kept), self.most);
        // The turn ends with the work, also where whoever asked went away.
        blocking(move || {
            let _turn = turn;
            if let Some(value) = find(&kept, &key) {
                return Ok(value);
            }
            let (value, bytes) = make()?;
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if bytes <= most {
                kept.push_back((key, value.clone(), bytes));
            }
            while kept.iter().map(|(.., bytes)| bytes).sum::<usize>() > most {
                kept.pop_front();
            }
            Ok(value)
        })
        .await?
    }
}

fn find<K: PartialEq, V: Clone>(kept: &Mutex<VecDeque<(K, V, usize)>>, key: &K) -> Option<V> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let found = kept.iter().position(|(known, ..)| known == key)?;
    let found = kept.remove(found)?;
    let value = found.1.clone();
    kept.push_back(found);
    Some(value)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_is_kept_is_bounded_and_made_once() {
        let (cache, made) = (Cache::new(10), Arc::new(AtomicUsize::new(0)));
        let get = async |key: u8, bytes: usize| {
            let made = Arc::clone(&made);
            let make = move || Ok((made.fetch_add(1, Ordering::Relaxed), bytes));
            cache.get(key, make).await.unwrap()
        };
        let together = tokio::join!(get(1, 4), get(1, 4), get(1, 4));
        assert_eq!(together, (0, 0, 0));
        assert_eq!((get(2, 4).await, get(1, 4).await), (1, 0));
        // Room for the third: the second was asked for before the first.
        assert_eq!((get(3, 4).await, get(1, 4).await, get(2, 4).await), (2, 0, 3));
        // Too long to be kept, and drives nothing out.
        assert_eq!((get(4, 11).await, get(4, 11).await, get(2, 4).await), (4, 5, 3));
        assert!(cache.get(9, || Err(AuthorityError::Locked)).await.is_err());
    }
}
