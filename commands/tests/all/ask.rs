//! What the questions share.

use std::fmt::Debug;

use commands::{CommandError, Done};
use event_log::{CommandContext, LogError};
use testing::World;

/// Sends a command three times: the second time has no effect and the first answer, the third time asks for something
/// else under the same id and is refused.
pub async fn twice<T: PartialEq + Debug>(
    world: &World,
    context: CommandContext,
    send: impl AsyncFn(CommandContext) -> Result<Done<T>, CommandError>,
) -> Done<T> {
    let first = send(context.clone()).await.unwrap();
    assert!(!first.replayed);
    let events = world.events().await;
    let again = send(context.clone()).await.unwrap();
    assert!(again.replayed);
    assert_eq!((&again.value, again.position), (&first.value, first.position));
    let other = CommandContext { fingerprint: b"another body".to_vec(), ..context };
    let refused = send(other).await.unwrap_err();
    assert!(matches!(refused, CommandError::Log(LogError::CommandIdReused { .. })), "{refused:?}");
    assert_eq!(world.events().await, events, "it has one effect");
    first
}

/// The refusal of a command that stored nothing.
pub async fn refused<T: Debug>(
    world: &World,
    sent: impl Future<Output = Result<Done<T>, CommandError>>,
) -> CommandError {
    let events = world.events().await;
    let refusal = sent.await.unwrap_err();
    assert_eq!(world.events().await, events, "a refused command stores nothing");
    refusal
}

/// The command names a version that is gone.
pub fn is_stale(refusal: &CommandError) -> bool {
    matches!(refusal, CommandError::Log(LogError::VersionMismatch { .. }))
}

pub fn is_absent(refusal: &CommandError) -> bool {
    matches!(refusal, CommandError::NotFound { .. })
}
