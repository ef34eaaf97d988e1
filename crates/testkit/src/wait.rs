//! Waiting for a condition, with a deadline.

use std::future::Future;
use std::panic::Location;
use std::time::Duration;

/// How often a condition is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// Looks every 10 ms until `condition` yields a value, and returns it.
///
/// # Panics
/// After `deadline`, saying that it waited for `what`, and where. A condition that itself hangs is cut off too.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::time::Duration;
/// let mut asked = 0;
/// let third = testkit::eventually("the third answer", Duration::from_secs(5), async || {
///     asked += 1;
///     (asked == 3).then_some(asked)
/// });
/// assert_eq!(third.await, 3);
/// # }
/// ```
#[track_caller]
pub fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        let waiting = async {
            loop {
                if let Some(value) = condition().await {
                    return value;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        match tokio::time::timeout(deadline, waiting).await {
            Ok(value) => value,
            Err(_) => panic!("waited {deadline:?} in vain for {what} ({caller})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_condition_may_come_true_late() {
        let mut looks = 0;
        let value = eventually("the third look", Duration::from_secs(5), async || {
            looks += 1;
            (looks == 3).then_some("here")
        });
        assert_eq!(value.await, "here");
        assert_eq!(looks, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "waited 30ms in vain for godot (")]
    async fn the_deadline_names_what_was_awaited() {
        eventually("godot", Duration::from_millis(30), async || None::<()>).await;
    }

    #[tokio::test]
    #[should_panic(expected = "in vain for a hanging condition")]
    async fn a_condition_that_hangs_is_cut_off() {
        eventually("a hanging condition", Duration::from_millis(30), async || {
            std::future::pending::<Option<()>>().await
        })
        .await;
    }
}
