//! `select!`, which makes a [`Select`](super::select::Select) of its arms and a `match` of their bodies.

/// Waits for the first of several arms that is ready, and runs its body.
///
/// | arm | ready when |
/// |---|---|
/// | `recv(receiver) -> result => body` | there is a value, or there will be none: a `Result<T, RecvError>` |
/// | `join(handle) -> result => body` | the thread has ended: its [`thread::Result`](crate::thread::Result) |
/// | `wait(event) => body` | the [`Event`](crate::sync::Event) is set |
/// | `after(duration) => body` | no other was ready for so long |
/// | `default => body` | no other is ready at once: then it never parks |
///
/// Receivers are those of [`mpsc`](crate::sync::mpsc), [`mpmc`](crate::sync::mpmc) and
/// [`oneshot`](crate::sync::oneshot), and those of your own that are
/// [`Receive`](crate::sync::select::Receive). They and events are borrowed, a handle mutably. In place
/// of `result` any pattern may stand that always matches. There can be one `after` or one `default`. If
/// several arms are ready, chance decides, so that none is starved.
///
/// A body is an expression followed by a comma, or a block, and may `break`, `continue`, `return` and
/// use `?`. All bodies have one type, that of the whole.
///
/// Nothing is taken from an arm but the one whose body runs, nor if the wait is cancelled or cut short by
/// a [`timeout`](crate::time::timeout). But a value that was sent with
/// [`try_send`](crate::sync::mpsc::SyncSender::try_send) over a channel with a bound of 0, because
/// this waited there, waits for the receiver's next call if another arm was quicker. `join` takes the
/// result out of the handle: afterwards its arm is never ready.
///
/// For lists of arms, see [`Select`](crate::sync::select::Select).
///
/// # Examples
///
/// ```
/// use greenwire_runtime::sync::{mpsc, select};
/// use greenwire_runtime::thread;
/// use std::time::Duration;
///
/// let (sender, lines) = mpsc::channel();
/// let mut reader = thread::spawn(move || {
///     for line in ["one", "two"] {
///         sender.send(line).unwrap();
///     }
///     thread::park(); // until it is cancelled
/// });
/// let mut seen = Vec::new();
/// loop {
///     select! {
///         recv(lines) -> line => match line {
///             Ok(line) => seen.push(line),
///             Err(_) => break,
///         },
///         join(reader) -> result => println!("the reader has ended: {result:?}"),
///         after(Duration::from_millis(10)) => reader.cancel().unwrap(),
///     }
/// }
/// assert_eq!(seen, ["one", "two"]);
/// ```
#[macro_export]
macro_rules! select {
    ($($arms:tt)*) => {
        $crate::__select!(@next [] [] $($arms)*)
    };
}

/// The steps of `select!`: `@next` reads the head of an arm, `@body` its body, `@add` sorts it into the
/// list of arms or the late one, `@end` writes the code.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    (@next $arms:tt $late:tt recv($receiver:expr) -> $result:pat => $($rest:tt)*) => {
        $crate::__select!(@body $arms $late ($crate::sync::select::recv(&$receiver), $result) $($rest)*)
    };
    (@next $arms:tt $late:tt join($handle:expr) -> $result:pat => $($rest:tt)*) => {
        $crate::__select!(@body $arms $late ($crate::sync::select::join(&mut $handle), $result) $($rest)*)
    };
    (@next $arms:tt $late:tt wait($event:expr) => $($rest:tt)*) => {
        $crate::__select!(@body $arms $late ($crate::sync::select::wait(&$event), ()) $($rest)*)
    };
    (@next $arms:tt $late:tt after($timeout:expr) => $($rest:tt)*) => {
        $crate::__select!(@body $arms $late (late wait_timeout($timeout)) $($rest)*)
    };
    (@next $arms:tt $late:tt default => $($rest:tt)*) => {
        $crate::__select!(@body $arms $late (late try_wait()) $($rest)*)
    };
    (@next $arms:tt $late:tt) => {
        $crate::__select!(@end $arms $late)
    };
    (@next $arms:tt $late:tt $($rest:tt)+) => {
        compile_error!(concat!(
            "an arm of select! is `recv(receiver) -> result => body`, `join(handle) -> result => body`, ",
            "`wait(event) => body`, `after(duration) => body` or `default => body`, not: ",
            stringify!($($rest)+)
        ))
    };

    (@body $arms:tt $late:tt $head:tt $body:block, $($rest:tt)*) => {
        $crate::__select!(@add $arms $late $head ($body) $($rest)*)
    };
    (@body $arms:tt $late:tt $head:tt $body:block $($rest:tt)*) => {
        $crate::__select!(@add $arms $late $head ($body) $($rest)*)
    };
    (@body $arms:tt $late:tt $head:tt $body:expr, $($rest:tt)*) => {
        $crate::__select!(@add $arms $late $head ($body) $($rest)*)
    };
    (@body $arms:tt $late:tt $head:tt $body:expr) => {
        $crate::__select!(@add $arms $late $head ($body))
    };

    (@add $arms:tt [] (late $wait:ident($($timeout:expr)?)) $body:tt $($rest:tt)*) => {
        $crate::__select!(@next $arms [$wait($($timeout)?) $body] $($rest)*)
    };
    (@add $arms:tt $late:tt (late $($again:tt)*) $body:tt $($rest:tt)*) => {
        compile_error!("select! takes one `after` or one `default`")
    };
    (@add [$($arms:tt)*] $late:tt ($arm:expr, $result:pat) $body:tt $($rest:tt)*) => {
        $crate::__select!(@next [$($arms)* { $arm, $result, $body }] $late $($rest)*)
    };

    (@end $arms:tt []) => {{
        let output = $crate::sync::select::Select::new($crate::__select!(@arm $arms)).wait();
        $crate::__select!(@match output $arms)
    }};
    (@end $arms:tt [$wait:ident($($timeout:expr)?) ($late:expr)]) => {{
        let output =
            $crate::sync::select::Select::new($crate::__select!(@arm $arms)).$wait($($timeout)?);
        match output {
            Some(output) => $crate::__select!(@match output $arms),
            None => $late,
        }
    }};

    (@arm []) => { $crate::sync::select::Never };
    (@arm [{ $arm:expr, $result:pat, $body:tt } $($rest:tt)*]) => {
        $crate::sync::select::Or::new($arm, $crate::__select!(@arm [$($rest)*]))
    };

    (@match $output:ident []) => { match $output {} };
    (@match $output:ident [{ $arm:expr, $result:pat, ($body:expr) } $($rest:tt)*]) => {
        match $output {
            $crate::sync::select::Either::Left($result) => $body,
            $crate::sync::select::Either::Right(output) => {
                $crate::__select!(@match output [$($rest)*])
            }
        }
    };
}
