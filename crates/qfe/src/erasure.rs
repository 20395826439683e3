//! Secrets must not remain in freed memory: an allocator for tests inspects every block before it is freed.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering},
    },
};

struct Inspector;

#[global_allocator]
static ALLOCATOR: Inspector = Inspector;

static WATCHING: AtomicBool = AtomicBool::new(false);
static PATTERNS: AtomicPtr<[u64; 2]> = AtomicPtr::new(std::ptr::null_mut());
static COUNT: AtomicUsize = AtomicUsize::new(0);
static FOUND: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does the work; a block is read before it is freed.
unsafe impl GlobalAlloc for Inspector {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed: bytes that nobody wrote may be read below.
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WATCHING.load(Ordering::Acquire) && layout.align() >= 8 {
            // SAFETY: the block is aligned, initialised, and still ours; patterns live as long as they are watched.
            let (words, patterns) = unsafe {
                (
                    std::slice::from_raw_parts(block.cast::<u64>(), layout.size() / 8),
                    std::slice::from_raw_parts(PATTERNS.load(Ordering::Acquire), COUNT.load(Ordering::Acquire)),
                )
            };
            let found = words.windows(2).filter(|pair| patterns.iter().any(|pattern| pair == pattern)).count();
            FOUND.fetch_add(found, Ordering::Relaxed);
        }
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

/// How often one of the patterns (two neighbouring words) lies in a block that `work` frees.
pub(crate) fn freed_with(patterns: Vec<[u64; 2]>, work: impl FnOnce()) -> usize {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap();
    let patterns = Vec::leak(patterns);
    FOUND.store(0, Ordering::Relaxed);
    COUNT.store(patterns.len(), Ordering::Release);
    PATTERNS.store(patterns.as_mut_ptr(), Ordering::Release);
    WATCHING.store(true, Ordering::Release);
    work();
    WATCHING.store(false, Ordering::Release);
    FOUND.load(Ordering::Relaxed)
}

#[test]
fn the_inspector_finds_what_is_left() {
    let pattern = [0x5eed_5eed_0123_4567, 0x89ab_cdef_5eed_5eed];
    assert!(freed_with(vec![pattern], || drop(std::hint::black_box(vec![1, pattern[0], pattern[1]]))) > 0);
    assert_eq!(freed_with(vec![pattern], || drop(std::hint::black_box(vec![pattern[0], 1]))), 0);
}
