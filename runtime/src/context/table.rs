//! A list that grows without moving what it holds, in address space that is reserved at once.

use std::cell::Cell;
use std::iter;
use std::ops::Deref;
use std::ptr;
use std::slice;

use super::maps;

/// A list of at most `MOST` values. Each keeps its address for as long as the table lives, and takes
/// memory only once it is there.
pub(crate) struct Table<T, const MOST: usize> {
    /// Dangling until the first value comes.
    first: Cell<*mut T>,
    len: Cell<usize>,
    capacity: Cell<usize>,
}

impl<T, const MOST: usize> Table<T, MOST> {
    pub(crate) const fn new() -> Table<T, MOST> {
        Table {
            first: Cell::new(ptr::dangling_mut()),
            len: Cell::new(0),
            capacity: Cell::new(0),
        }
    }

    /// Adds a value, and tells where it is; `None` if there is no room.
    pub(crate) fn push(&self, value: T) -> Option<usize> {
        let index = self.len.get();
        if index == self.capacity.get() && !self.reserve() {
            return None;
        }
        // SAFETY: `index` is below the capacity, so the place is in the memory that `reserve` got for
        // `T`s. No reference reaches it: those that `deref` gave end before `len`.
        unsafe { self.first.get().add(index).write(value) };
        self.len.set(index + 1);
        Some(index)
    }

    /// Gets the memory, which happens once. Where address space is limited, less must do.
    fn reserve(&self) -> bool {
        if self.capacity.get() > 0 {
            return false;
        }
        let most = MOST.min(maps::share() / size_of::<T>());
        let tries = iter::successors(Some(most), |most| Some(most / 2));
        let memory = tries
            .take_while(|most| *most > 0)
            .find_map(|most| Some((most, maps::allocate(most * size_of::<T>())?)));
        let Some((capacity, first)) = memory else {
            return false;
        };
        self.first.set(first.cast());
        self.capacity.set(capacity);
        true
    }
}

impl<T, const MOST: usize> Deref for Table<T, MOST> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `push` has written the first `len` values, and nothing moves, changes or ends them before
        // the table does.
        unsafe { slice::from_raw_parts(self.first.get(), self.len.get()) }
    }
}

impl<T, const MOST: usize> Drop for Table<T, MOST> {
    fn drop(&mut self) {
        let values = ptr::slice_from_raw_parts_mut(self.first.get(), self.len.get());
        // SAFETY: the values are this table's own, and it ends.
        unsafe { ptr::drop_in_place(values) };
        if self.capacity.get() > 0 {
            maps::free(
                self.first.get().cast(),
                self.capacity.get() * size_of::<T>(),
            );
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Table;
    use std::rc::Rc;

    #[test]
    fn values_stay_where_they_are() {
        let table: Table<usize, 1000> = Table::new();
        assert!(table.is_empty());
        assert_eq!(table.push(7), Some(0));
        let first = &table[0];
        (1..1000).for_each(|n| assert_eq!(table.push(n), Some(n)));
        assert_eq!((*first, table[999], table.len()), (7, 999, 1000));
        assert_eq!(table.push(0), None);
    }

    #[test]
    fn values_end_with_it() {
        let table: Table<Rc<u32>, 4> = Table::new();
        let value = Rc::new(1);
        table.push(value.clone());
        assert_eq!(Rc::strong_count(&table[0]), 2);
        drop(table);
        assert_eq!(Rc::strong_count(&value), 1);
    }
}
