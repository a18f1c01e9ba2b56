//! The ring of [`super::lane`] as `loom` can see it: the same interface and the same orderings as `rtrb`, with indices
//! whose every access is a place where the other side may come in between.

#[expect(clippy::disallowed_types, reason = "loom runs one thread at a time, so it is never waited for")]
type Slot<T> = std::sync::Mutex<Option<T>>;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

pub(super) struct Ring<T> {
    slots: Vec<Slot<T>>,
    head: AtomicUsize,
    tail: AtomicUsize,
    abandoned: AtomicBool,
}

pub(super) struct RingBuffer<T>(std::marker::PhantomData<T>);

impl<T> RingBuffer<T> {
    #[expect(clippy::new_ret_no_self, reason = "as rtrb has it")]
    pub(super) fn new(capacity: usize) -> (Producer<T>, Consumer<T>) {
        let slots = (0..capacity).map(|_| Slot::new(None)).collect();
        let (head, tail) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let ring = Arc::new(Ring { slots, head, tail, abandoned: AtomicBool::new(false) });
        (Producer { ring: Arc::clone(&ring), head: 0.into(), tail: 0 }, Consumer { ring, head: 0 })
    }
}

impl<T> Ring<T> {
    fn slot(&self, at: usize) -> std::sync::MutexGuard<'_, Option<T>> {
        self.slots[at % self.slots.len()].lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }
}

pub(super) struct Producer<T> {
    ring: Arc<Ring<T>>,
    /// The other side's index as last seen.
    head: std::cell::Cell<usize>,
    tail: usize,
}

impl<T> Producer<T> {
    pub(super) fn slots(&self) -> usize {
        self.head.set(self.ring.head.load(Ordering::Acquire));
        self.cached_slots()
    }

    pub(super) fn cached_slots(&self) -> usize {
        self.ring.capacity() - (self.tail - self.head.get())
    }

    pub(super) fn push(&mut self, value: T) -> Result<(), T> {
        if self.cached_slots() == 0 && self.slots() == 0 {
            return Err(value);
        }
        *self.ring.slot(self.tail) = Some(value);
        self.tail += 1;
        self.ring.tail.store(self.tail, Ordering::Release);
        Ok(())
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.ring.abandoned.store(true, Ordering::Release);
    }
}

pub(super) struct Consumer<T> {
    ring: Arc<Ring<T>>,
    head: usize,
}

impl<T> Consumer<T> {
    pub(super) fn slots(&self) -> usize {
        self.ring.tail.load(Ordering::Acquire) - self.head
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots() == 0
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.ring.abandoned.load(Ordering::Acquire)
    }

    pub(super) fn buffer(&self) -> &Ring<T> {
        &self.ring
    }

    pub(super) fn pop(&mut self) -> Result<T, ()> {
        if self.is_empty() {
            return Err(());
        }
        let value = self.ring.slot(self.head).take().ok_or(())?;
        self.head += 1;
        self.ring.head.store(self.head, Ordering::Release);
        Ok(value)
    }
}
