//! Waiting for the first of several things.
//!
//! [`select!`](crate::sync::select!) is the usual way. It rests on [`Select`], which also takes a list of
//! any length:
//!
//! ```
//! use greenwire_runtime::sync::select::{Select, join};
//! use greenwire_runtime::thread;
//!
//! let mut handles: Vec<_> = (0..3).map(|n| thread::spawn(move || n)).collect();
//! while !handles.is_empty() {
//!     let arms: Vec<_> = handles.iter_mut().map(join).collect();
//!     let (index, result) = Select::new(arms).wait();
//!     println!("{} has ended first", result.unwrap());
//!     handles.remove(index);
//! }
//! ```

use std::cell::Cell;
use std::convert::Infallible;
use std::fmt;
use std::sync::mpsc::RecvError;
use std::time::{Duration, Instant};

use super::source::{Source, charge, deadline_in};
use super::{Event, mpmc, mpsc, oneshot};
use crate::insight::Reason;
use crate::thread::{self, JoinHandle};
use crate::wait::{self, Key, Outcome};

/// Something that [`Select`] can wait for, made by [`recv`], [`join`] and [`wait`](wait()). A list of arms
/// is one, too, and its output comes with the index of the arm that was ready.
pub trait Arm: sealed::Sealed {
    /// What there is once it is ready.
    type Output;

    #[doc(hidden)]
    fn count(&self) -> usize;

    /// Takes the output of an arm that is ready, of `first` rather than of another one. The caller joins
    /// those who are told when one that is not ready may be. Never parks.
    #[doc(hidden)]
    fn poll(&mut self, first: usize) -> Option<Self::Output>;

    /// Undoes that.
    #[doc(hidden)]
    fn leave(&mut self);
}

mod sealed {
    pub trait Sealed {}
}

/// Waits for the first of its arms that is ready, and takes its output. Nothing is taken from the others:
/// a value that comes at the same time stays in its channel.
///
/// If several are ready, chance decides, so that none is starved.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::sync::{mpsc, select::{Either, Select, recv}};
///
/// let (_sender, numbers) = mpsc::channel::<u32>();
/// let (sender, words) = mpsc::channel();
/// sender.send("one").unwrap();
/// match Select::new(recv(&numbers)).or(recv(&words)).wait() {
///     Either::Left(number) => println!("the number {}", number.unwrap()),
///     Either::Right(word) => assert_eq!(word, Ok("one")),
/// }
/// ```
#[derive(Debug)]
#[must_use = "nothing is waited for before `wait`"]
pub struct Select<A>(A);

impl<A: Arm> Select<A> {
    /// To wait for `arm`, usually a list.
    pub fn new(arm: A) -> Select<A> {
        Select(arm)
    }

    /// To wait for `other` as well.
    pub fn or<B: Arm>(self, other: B) -> Select<Or<A, B>> {
        Select(Or(self.0, other))
    }

    /// Parks until an arm is ready.
    ///
    /// A cancellation or a [`timeout`](crate::time::timeout) meanwhile takes nothing from any arm.
    pub fn wait(self) -> A::Output {
        self.wait_until(None)
            .expect("a wait ends only with an output if there is no deadline")
    }

    /// As [`wait`](Select::wait), for at most `timeout`, and then gives none.
    pub fn wait_timeout(self, timeout: Duration) -> Option<A::Output> {
        self.wait_until(deadline_in(timeout))
    }

    /// The output of an arm that is ready now, if there is one. Never parks.
    pub fn try_wait(self) -> Option<A::Output> {
        charge();
        Standing(self.0).poll()
    }

    fn wait_until(self, deadline: Option<Instant>) -> Option<A::Output> {
        charge();
        let mut standing = Standing(self.0);
        let mut late = false;
        loop {
            let output = standing.poll();
            if output.is_some() || late {
                return output;
            }
            match wait::wait(Reason::Select, deadline) {
                Outcome::Woken => {}
                Outcome::TimedOut => late = true,
                Outcome::Interrupted(interrupt) => {
                    drop(standing);
                    interrupt.unwind()
                }
            }
        }
    }
}

/// Arms in whose lists the caller may stand, until this is dropped.
struct Standing<A: Arm>(A);

impl<A: Arm> Standing<A> {
    fn poll(&mut self) -> Option<A::Output> {
        let first = random_below(self.0.count());
        self.0.poll(first)
    }
}

impl<A: Arm> Drop for Standing<A> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// A number that is hard to fall into step with (Marsaglia's xorshift).
fn random_below(n: usize) -> usize {
    thread_local! {
        static STATE: Cell<u32> = const { Cell::new(0x9e37_79b9) };
    }
    let next = |state: &Cell<u32>| {
        let mut x = state.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        state.set(x);
        x
    };
    // While the thread's locals are being destroyed, the first arm is as good as any.
    let x = STATE.try_with(next).unwrap_or(0);
    ((u64::from(x) * n as u64) >> u32::BITS) as usize
}

/// The next value of a receiver, or that there will be none.
pub fn recv<R: Receive>(receiver: &R) -> On<'_, Result<R::Item, RecvError>> {
    receiver.arm()
}

/// That an event is set.
pub fn wait(event: &Event) -> On<'_, ()> {
    On::of(event)
}

/// The end of a thread, with its result.
///
/// This takes the result out of the handle. Afterwards its arm is never ready, and
/// [`JoinHandle::join`] panics.
pub fn join<T>(handle: &mut JoinHandle<T>) -> Join<'_, T> {
    Join(handle)
}

/// A receiver, of whatever channel, or of your own: see [`Take`].
pub trait Receive {
    /// What it receives.
    type Item;

    /// The arm that is ready when there is a value, or when there will be none.
    fn arm(&self) -> On<'_, Result<Self::Item, RecvError>>;
}

/// A queue of your own that can be an arm, by [`On::new`]. It has an event that tells of arrivals.
///
/// Who takes and finds nothing clears the event; who adds something sets it afterwards. Let a lock make
/// the look and the clearing one step, or an arrival in between stays unseen.
///
/// ```
/// use greenwire_runtime::sync::mpsc::RecvError;
/// use greenwire_runtime::sync::select::{On, Receive, Take};
/// use greenwire_runtime::sync::{Event, select};
/// use std::sync::Mutex;
///
/// /// Gives what is newest.
/// #[derive(Default)]
/// struct Latest(Mutex<Option<u32>>, Event);
///
/// impl Latest {
///     fn put(&self, value: u32) {
///         *self.0.lock().unwrap() = Some(value);
///         self.1.set();
///     }
/// }
///
/// impl Take for Latest {
///     type Output = Result<u32, RecvError>;
///
///     fn try_take(&self) -> Option<Self::Output> {
///         let mut latest = self.0.lock().unwrap();
///         if latest.is_none() {
///             self.1.clear();
///         }
///         latest.take().map(Ok)
///     }
///
///     fn arrival(&self) -> &Event {
///         &self.1
///     }
/// }
///
/// impl Receive for Latest {
///     type Item = u32;
///
///     fn arm(&self) -> On<'_, Result<u32, RecvError>> {
///         On::new(self)
///     }
/// }
///
/// let latest = Latest::default();
/// latest.put(1);
/// latest.put(2);
/// let value = select! { recv(latest) -> value => value };
/// assert_eq!(value, Ok(2));
/// ```
pub trait Take {
    /// What there is to take.
    type Output;

    /// Takes it if it is there, else clears [`arrival`](Take::arrival). Never parks.
    fn try_take(&self) -> Option<Self::Output>;

    /// Set whenever there may be something.
    fn arrival(&self) -> &Event;
}

/// An arm made by [`recv`] or [`wait`](wait()).
#[must_use = "give it to `Select`"]
pub struct On<'a, T> {
    source: &'a dyn Source<Output = T>,
    place: Option<Key>,
}

/// An arm made by [`join`].
#[must_use = "give it to `Select`"]
#[derive(Debug)]
pub struct Join<'a, T>(&'a mut JoinHandle<T>);

/// Either of two arms.
#[must_use = "give it to `Select`"]
#[derive(Debug)]
pub struct Or<A, B>(A, B);

/// The output of either of two arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// Of the first.
    Left(A),
    /// Of the second.
    Right(B),
}

/// An arm that is never ready.
#[must_use = "give it to `Select`"]
#[derive(Debug)]
pub struct Never;

impl<'a, T> On<'a, T> {
    /// An arm that is ready when there is something to take.
    pub fn new(queue: &'a impl Take<Output = T>) -> On<'a, T> {
        On::of(queue)
    }

    fn of(source: &'a dyn Source<Output = T>) -> On<'a, T> {
        let place = None;
        On { source, place }
    }
}

impl<Q: Take> Source for Q {
    type Output = Q::Output;

    fn poll(&self, place: &mut Option<Key>) -> Option<Q::Output> {
        loop {
            if let Some(output) = self.try_take() {
                place.take().inspect(|place| self.leave(*place));
                return Some(output);
            }
            // If it is set, something has come since.
            self.arrival().poll(place)?;
        }
    }

    fn reason(&self) -> Reason {
        self.arrival().reason()
    }

    fn leave(&self, place: Key) {
        self.arrival().leave(place);
    }
}

impl<T> Arm for On<'_, T> {
    type Output = T;

    fn count(&self) -> usize {
        1
    }

    fn poll(&mut self, _: usize) -> Option<T> {
        self.source.poll(&mut self.place)
    }

    fn leave(&mut self) {
        if let Some(place) = self.place.take() {
            self.source.leave(place);
        }
    }
}

impl<T> Arm for Join<'_, T> {
    type Output = thread::Result<T>;

    fn count(&self) -> usize {
        1
    }

    fn poll(&mut self, _: usize) -> Option<thread::Result<T>> {
        self.0.try_join()
    }

    fn leave(&mut self) {
        self.0.forget_joiner();
    }
}

impl<A: Arm, B: Arm> Arm for Or<A, B> {
    type Output = Either<A::Output, B::Output>;

    fn count(&self) -> usize {
        self.0.count() + self.1.count()
    }

    fn poll(&mut self, first: usize) -> Option<Self::Output> {
        let Or(a, b) = self;
        match first.checked_sub(a.count()) {
            None => {
                let left = a.poll(first).map(Either::Left);
                left.or_else(|| b.poll(0).map(Either::Right))
            }
            Some(first) => {
                let right = b.poll(first).map(Either::Right);
                right.or_else(|| a.poll(0).map(Either::Left))
            }
        }
    }

    fn leave(&mut self) {
        self.0.leave();
        self.1.leave();
    }
}

impl<A: Arm> Arm for Vec<A> {
    type Output = (usize, A::Output);

    fn count(&self) -> usize {
        self.len()
    }

    fn poll(&mut self, first: usize) -> Option<(usize, A::Output)> {
        let mut indices = (first..self.len()).chain(0..first);
        indices.find_map(|index| {
            let arm = &mut self[index];
            let output = arm.poll(random_below(arm.count()))?;
            Some((index, output))
        })
    }

    fn leave(&mut self) {
        self.iter_mut().for_each(Arm::leave);
    }
}

impl Arm for Never {
    type Output = Infallible;

    fn count(&self) -> usize {
        0
    }

    fn poll(&mut self, _: usize) -> Option<Infallible> {
        None
    }

    fn leave(&mut self) {}
}

impl<A, B> Or<A, B> {
    #[doc(hidden)]
    pub fn new(a: A, b: B) -> Or<A, B> {
        Or(a, b)
    }
}

impl<T> Receive for mpsc::Receiver<T> {
    type Item = T;

    fn arm(&self) -> On<'_, Result<T, RecvError>> {
        On::of(self.channel())
    }
}

impl<T> Receive for mpmc::Receiver<T> {
    type Item = T;

    fn arm(&self) -> On<'_, Result<T, RecvError>> {
        On::of(self.channel())
    }
}

impl<T> Receive for oneshot::Receiver<T> {
    type Item = T;

    fn arm(&self) -> On<'_, Result<T, RecvError>> {
        On::of(self)
    }
}

impl<R: Receive> Receive for &R {
    type Item = R::Item;

    fn arm(&self) -> On<'_, Result<R::Item, RecvError>> {
        R::arm(self)
    }
}

impl<T> sealed::Sealed for On<'_, T> {}
impl<T> sealed::Sealed for Join<'_, T> {}
impl<A, B> sealed::Sealed for Or<A, B> {}
impl<A> sealed::Sealed for Vec<A> {}
impl sealed::Sealed for Never {}

impl<T> fmt::Debug for On<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("On").finish_non_exhaustive()
    }
}
