//! Timers: a hierarchical wheel for each worker, with one timer for each slot of its table.
//!
//! Time is in nanoseconds since the runtime began. Six levels of 64 buckets cover ticks of 2^20 ns
//! (about 1 ms); a timer lies in the level of the highest bit group in which its tick differs from
//! the present one, so arming and cancelling are O(1). When the present reaches a bucket, its
//! timers move down, and those of the present tick are kept in exact order: a timer fires in the
//! nanosecond it was armed for, never before, and no tick is visible from outside.
//!
//! Most timers are limits of waits that end before: cancelled, and soon armed again for later. So a cancelled
//! one stays where it is until its bucket is reached, or until it is armed again, mostly in the same place.
//!
//! This file reads no clock.

use std::collections::BTreeSet;

const TICK_BITS: u32 = 20;
const LEVEL_BITS: u32 = 6;
const LEVELS: usize = 6;
const BUCKETS: usize = 1 << LEVEL_BITS;

/// Ticks further away than this wait in the last level, and are looked at again on the way.
const HORIZON: u64 = (1 << (LEVEL_BITS * LEVELS as u32)) - 1;

const NONE: u32 = u32::MAX;
/// `Node::place` of a timer that is not armed, or of one in `present`.
const IDLE: u16 = u16::MAX;
const PRESENT: u16 = u16::MAX - 1;

/// The timers of a worker.
pub(crate) struct Wheel {
    /// The tick up to which buckets were emptied.
    elapsed: u64,
    /// Timers of that tick (and of missed ones), earliest first.
    present: BTreeSet<(u64, u32)>,
    levels: [Level; LEVELS],
    /// By timer.
    nodes: Vec<Node>,
    /// How many are armed.
    armed: usize,
}

struct Level {
    /// Bit n: bucket n is not empty.
    occupied: u64,
    buckets: [Bucket; BUCKETS],
}

#[derive(Clone, Copy)]
struct Bucket {
    first: u32,
    /// No timer of the bucket is earlier; perhaps none is that early any more.
    earliest: u64,
}

/// A link of its bucket's list.
#[derive(Clone, Copy)]
struct Node {
    deadline: u64,
    next: u32,
    previous: u32,
    place: u16,
    /// Whether it only lies there.
    cancelled: bool,
}

impl Wheel {
    pub(crate) fn new() -> Wheel {
        const EMPTY: Bucket = Bucket {
            first: NONE,
            earliest: u64::MAX,
        };
        Wheel {
            elapsed: 0,
            present: BTreeSet::new(),
            levels: [const {
                Level {
                    occupied: 0,
                    buckets: [EMPTY; BUCKETS],
                }
            }; LEVELS],
            nodes: Vec::new(),
            armed: 0,
        }
    }

    /// Arms `timer`, which must not be armed.
    pub(crate) fn arm(&mut self, timer: u32, deadline: u64) {
        let index = timer as usize;
        if index >= self.nodes.len() {
            let idle = Node {
                deadline: 0,
                next: NONE,
                previous: NONE,
                place: IDLE,
                cancelled: false,
            };
            self.nodes.resize(index + 1, idle);
        }
        self.armed += 1;
        let node = &mut self.nodes[index];
        node.deadline = deadline;
        if std::mem::take(&mut node.cancelled) {
            let (node, place) = (*node, node.place);
            if deadline >= self.bucket(place).earliest {
                // The bucket is looked at in time, and the timer finds its place then.
                return;
            }
            self.unlink(node, place);
        }
        self.insert(timer);
    }

    /// Disarms `timer`, if it is armed.
    pub(crate) fn cancel(&mut self, timer: u32) {
        let Some(node) = self.nodes.get_mut(timer as usize) else {
            return;
        };
        match node.place {
            IDLE => return,
            PRESENT => {
                self.present.remove(&(node.deadline, timer));
                node.place = IDLE;
            }
            _ if node.cancelled => return,
            _ => node.cancelled = true,
        }
        self.armed -= 1;
    }

    /// When the worker must look again: no later than the earliest timer. `None` if none is armed.
    pub(crate) fn next(&self) -> Option<u64> {
        if self.armed == 0 {
            return None;
        }
        let present = self.present.first().map(|(deadline, _)| *deadline);
        // Everything in a level lies beyond all of the level below it.
        let level = self.levels.iter().find(|level| level.occupied != 0);
        let later = level.map(|l| l.buckets[l.occupied.trailing_zeros() as usize].earliest);
        present.into_iter().chain(later).min()
    }

    /// Takes the earliest timer that is due at `now`.
    pub(crate) fn pop(&mut self, now: u64) -> Option<u32> {
        self.advance(now >> TICK_BITS);
        let (deadline, timer) = *self.present.first()?;
        if deadline > now {
            return None;
        }
        self.present.pop_first();
        self.nodes[timer as usize].place = IDLE;
        self.armed -= 1;
        Some(timer)
    }

    /// When `timer` fires, if it is armed.
    pub(crate) fn deadline(&self, timer: u32) -> Option<u64> {
        let node = self.nodes.get(timer as usize)?;
        (node.place != IDLE && !node.cancelled).then_some(node.deadline)
    }

    fn insert(&mut self, timer: u32) {
        let node = &mut self.nodes[timer as usize];
        let tick = (node.deadline >> TICK_BITS).min(self.elapsed | HORIZON);
        if tick <= self.elapsed {
            node.place = PRESENT;
            self.present.insert((node.deadline, timer));
            return;
        }
        let level = (63 - (tick ^ self.elapsed).leading_zeros()) / LEVEL_BITS;
        let index = (tick >> (level * LEVEL_BITS)) as usize % BUCKETS;
        let Level { occupied, buckets } = &mut self.levels[level as usize];
        let bucket = &mut buckets[index];
        *occupied |= 1 << index;
        bucket.earliest = bucket.earliest.min(node.deadline);
        node.place = (level as usize * BUCKETS + index) as u16;
        node.previous = NONE;
        node.next = bucket.first;
        let next = std::mem::replace(&mut bucket.first, timer);
        if next != NONE {
            self.nodes[next as usize].previous = timer;
        }
    }

    fn bucket(&self, place: u16) -> &Bucket {
        &self.levels[place as usize / BUCKETS].buckets[place as usize % BUCKETS]
    }

    fn unlink(&mut self, node: Node, place: u16) {
        if node.next != NONE {
            self.nodes[node.next as usize].previous = node.previous;
        }
        if node.previous != NONE {
            self.nodes[node.previous as usize].next = node.next;
            return;
        }
        let (level, index) = (place as usize / BUCKETS, place as usize % BUCKETS);
        self.levels[level].buckets[index].first = node.next;
        if node.next == NONE {
            self.levels[level].clear(index);
        }
    }

    /// Makes `tick` the present one: empties every bucket that begins by then.
    fn advance(&mut self, tick: u64) {
        while let Some((begin, level, index)) = self.next_bucket()
            && begin <= tick
        {
            self.elapsed = begin;
            let mut timer = self.levels[level].clear(index);
            while timer != NONE {
                let node = &mut self.nodes[timer as usize];
                let next = node.next;
                if std::mem::take(&mut node.cancelled) {
                    node.place = IDLE;
                } else {
                    self.insert(timer);
                }
                timer = next;
            }
        }
        self.elapsed = self.elapsed.max(tick);
    }

    /// The first bucket that is not empty: the tick where it begins, its level and index.
    fn next_bucket(&self) -> Option<(u64, usize, usize)> {
        let level = self.levels.iter().position(|level| level.occupied != 0)?;
        let index = self.levels[level].occupied.trailing_zeros() as usize;
        let shift = level as u32 * LEVEL_BITS;
        let above = self.elapsed >> (shift + LEVEL_BITS) << (shift + LEVEL_BITS);
        Some((above | (index as u64) << shift, level, index))
    }
}

impl Level {
    /// Empties a bucket and returns its first timer.
    fn clear(&mut self, index: usize) -> u32 {
        self.occupied &= !(1 << index);
        self.buckets[index].earliest = u64::MAX;
        std::mem::replace(&mut self.buckets[index].first, NONE)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// Fires everything up to `now`.
    fn fired(wheel: &mut Wheel, now: u64) -> Vec<u32> {
        std::iter::from_fn(|| wheel.pop(now)).collect()
    }

    #[test]
    fn a_timer_fires_in_its_nanosecond() {
        for deadline in [
            1,
            999,
            1 << 20,
            50_000_000,
            10 * SECOND,
            86_400 * SECOND,
            u64::MAX,
        ] {
            let mut wheel = Wheel::new();
            wheel.arm(0, deadline);
            assert_eq!(
                fired(&mut wheel, deadline - 1),
                [0; 0],
                "{deadline} fired early"
            );
            assert_eq!(fired(&mut wheel, deadline), [0], "{deadline} did not fire");
            assert_eq!(wheel.next(), None);
        }
    }

    #[test]
    fn timers_of_one_tick_fire_in_order() {
        let mut wheel = Wheel::new();
        for (timer, deadline) in [700, 100, 500].into_iter().enumerate() {
            wheel.arm(timer as u32, SECOND + deadline);
        }
        assert_eq!(fired(&mut wheel, SECOND + 600), [1, 2]);
        assert_eq!(wheel.next(), Some(SECOND + 700));
    }

    #[test]
    fn a_cancelled_timer_is_gone() {
        let mut wheel = Wheel::new();
        for timer in 0..5 {
            wheel.arm(timer, 3 * SECOND + u64::from(timer));
        }
        for timer in [0, 2, 4] {
            wheel.cancel(timer);
            wheel.cancel(timer);
        }
        wheel.cancel(77);
        assert_eq!(fired(&mut wheel, 4 * SECOND), [1, 3]);
    }

    #[test]
    fn a_cancelled_timer_is_armed_again() {
        let mut wheel = Wheel::new();
        for timer in 0..3 {
            wheel.arm(timer, 3 * SECOND);
            wheel.cancel(timer);
        }
        assert_eq!(wheel.next(), None);
        wheel.arm(0, 5 * SECOND);
        wheel.arm(1, SECOND);
        assert_eq!(fired(&mut wheel, 4 * SECOND), [1]);
        assert_eq!(
            (wheel.deadline(0), wheel.deadline(2)),
            (Some(5 * SECOND), None)
        );
        assert_eq!(fired(&mut wheel, 5 * SECOND - 1), [0; 0]);
        assert_eq!(fired(&mut wheel, 5 * SECOND), [0]);
        assert_eq!(wheel.next(), None);
    }

    /// A plain model: sorted pairs.
    #[test]
    fn it_agrees_with_a_sorted_list() {
        const ROUNDS: u32 = if cfg!(miri) { 1_000 } else { 20_000 };
        const TIMERS: u32 = if cfg!(miri) { 32 } else { 512 };
        let mut wheel = Wheel::new();
        let mut model = BTreeSet::new();
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let mut now = 0;
        for round in 0..ROUNDS {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let timer = round % TIMERS;
            if let Some(old) = model.iter().find(|(_, t)| *t == timer).copied() {
                wheel.cancel(timer);
                model.remove(&old);
            }
            let deadline = now + (random >> (24 + random % 40));
            wheel.arm(timer, deadline);
            model.insert((deadline, timer));
            if round % 16 == 0 {
                // Sleep as the worker does: until the wheel says so.
                now = wheel.next().unwrap().max(now);
                assert!(now <= model.first().unwrap().0.max(now));
                let due: Vec<u32> = model
                    .iter()
                    .take_while(|(d, _)| *d <= now)
                    .map(|(_, t)| *t)
                    .collect();
                model.retain(|(d, _)| *d > now);
                assert_eq!(fired(&mut wheel, now), due);
            }
        }
    }
}
