//! Commands to sessions.

use commands::SessionTokens;
use testing::{World, command_of};

/// An open session of a new user.
async fn logged_in(world: &World) -> SessionTokens {
    let user = world.user().await;
    let tokens = world.commands.log_in(command_of(user), user).await.unwrap().value;
    world.commands.complete_tokens(&tokens)
}

mod log_in {
    use testing::{World, command_of};

    use super::logged_in;
    use crate::ask::twice;

    #[tokio::test]
    async fn happy_the_session_is_open() {
        let world = World::start().await;
        let tokens = logged_in(&world).await;
        assert!(world.commands.session_is_open(tokens.session_id).await.unwrap());
    }

    #[tokio::test]
    async fn repeated_it_is_the_same_session() {
        let world = World::start().await;
        let user = world.user().await;
        let first =
            twice(&world, command_of(user), async |context| world.commands.log_in(context, user).await);
        assert!(world.commands.session_is_open(first.await.value.session_id).await.unwrap());
    }
}

mod refresh {
    use commands::CommandError;
    use domain::SessionId;
    use testing::{World, command_of};
    use uuid::Uuid;

    use super::logged_in;
    use crate::ask::{refused, twice};

    #[tokio::test]
    async fn happy_the_next_token_is_another_one() {
        let world = World::start().await;
        let tokens = logged_in(&world).await;
        let session = (tokens.session_id, tokens.user_id);
        let next =
            world.commands.refresh(command_of(tokens.user_id), session, tokens.refresh_id).await.unwrap();
        assert_ne!(world.commands.complete_tokens(&next.value).refresh_id, tokens.refresh_id);
        assert!(world.commands.session_is_open(tokens.session_id).await.unwrap());
    }

    #[tokio::test]
    async fn refused_a_session_that_is_not_there_and_one_whose_token_was_used_before() {
        let world = World::start().await;
        let tokens = logged_in(&world).await;
        let user = tokens.user_id;
        let nowhere = (SessionId(Uuid::from_u128(9)), user);
        let refusal =
            refused(&world, world.commands.refresh(command_of(user), nowhere, tokens.refresh_id)).await;
        assert!(matches!(refusal, CommandError::RefreshTokenInvalid), "{refusal:?}");
        let session = (tokens.session_id, user);
        let refresh = || world.commands.refresh(command_of(user), session, tokens.refresh_id);
        refresh().await.unwrap();
        let refusal = refresh().await.unwrap_err();
        assert!(matches!(refusal, CommandError::RefreshTokenReused), "{refusal:?}");
        assert!(!world.commands.session_is_open(tokens.session_id).await.unwrap(), "a stolen token ends it");
    }

    #[tokio::test]
    async fn repeated_it_is_the_same_token() {
        let world = World::start().await;
        let tokens = logged_in(&world).await;
        let session = (tokens.session_id, tokens.user_id);
        let send = async |context| world.commands.refresh(context, session, tokens.refresh_id).await;
        twice(&world, command_of(tokens.user_id), send).await;
        assert!(world.commands.session_is_open(tokens.session_id).await.unwrap());
    }
}

mod log_out {
    use commands::CommandError;
    use domain::SessionId;
    use domain::session::SessionError;
    use testing::{World, command_of};
    use uuid::Uuid;

    use super::logged_in;
    use crate::ask::{refused, twice};

    #[tokio::test]
    async fn happy_the_session_is_closed() {
        let world = World::start().await;
        let tokens = logged_in(&world).await;
        world.commands.log_out(command_of(tokens.user_id), tokens.session_id).await.unwrap();
        assert!(!world.commands.session_is_open(tokens.session_id).await.unwrap());
    }

    #[tokio::test]
    async fn refused_a_session_that_is_not_there() {
        let world = World::start().await;
        let user = world.user().await;
        let nowhere = SessionId(Uuid::from_u128(9));
        let refusal = refused(&world, world.commands.log_out(command_of(user), nowhere)).await;
        assert!(matches!(refusal, CommandError::Session(SessionError::NotStarted)), "{refusal:?}");
    }

    #[tokio::test]
    async fn repeated_it_ends_once() {
        let world = World::start().await;
        let tokens = logged_in(&world).await;
        let send = async |context| world.commands.log_out(context, tokens.session_id).await;
        twice(&world, command_of(tokens.user_id), send).await;
        send(command_of(tokens.user_id)).await.unwrap();
    }
}
