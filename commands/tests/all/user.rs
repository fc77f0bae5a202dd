//! Commands to accounts.

use commands::RegisterUser;
use domain::user::Role;
use domain::{EmailAddress, UserId, Username};
use event_log::{Actor, CommandContext};
use testing::command_of;
use uuid::Uuid;

fn ann(email: &str) -> RegisterUser {
    RegisterUser {
        email: EmailAddress::parse(email).unwrap(),
        username: Username::parse("ann").unwrap(),
        password: "correct horse".to_owned(),
        role: Role::User,
    }
}

fn anonymously() -> CommandContext {
    CommandContext { actor: Actor::Anonymous, owner: None, ..command_of(UserId(Uuid::nil())) }
}

mod register {
    use commands::{CommandError, RegisterUser};
    use domain::Credits;
    use event_log::{Actor, LogError};
    use testing::{SIGNUP_CREDITS, World};

    use super::{ann, anonymously};
    use crate::ask::{refused, twice};

    #[tokio::test]
    async fn happy_the_account_has_credits_a_session_and_its_password() {
        let world = World::start().await;
        let done = world.commands.register(anonymously(), ann("ann@example.com")).await.unwrap().value;
        assert_eq!(done.credits, Credits(SIGNUP_CREDITS));
        assert!(world.commands.session_is_open(done.session.session_id).await.unwrap());
        let actor = world.commands.authenticate("ANN@example.com", "correct horse").await.unwrap();
        assert_eq!(actor, Actor::User(done.user_id.0));
        let wrong = world.commands.authenticate("ann@example.com", "battery staple").await.unwrap_err();
        assert!(matches!(wrong, CommandError::WrongCredentials), "{wrong:?}");
    }

    #[tokio::test]
    async fn refused_an_address_that_is_taken_and_a_password_that_is_short() {
        let world = World::start().await;
        world.commands.register(anonymously(), ann("ann@example.com")).await.unwrap();
        let again = refused(&world, world.commands.register(anonymously(), ann("Ann@Example.com"))).await;
        assert!(matches!(again, CommandError::Log(LogError::Taken { .. })), "{again:?}");
        let short = RegisterUser { password: "short".to_owned(), ..ann("bob@example.com") };
        let refusal = refused(&world, world.commands.register(anonymously(), short)).await;
        assert!(matches!(refusal, CommandError::PasswordLength { .. }), "{refusal:?}");
    }

    #[tokio::test]
    async fn repeated_it_is_the_same_account() {
        let world = World::start().await;
        let send = async |context| world.commands.register(context, ann("ann@example.com")).await;
        twice(&world, anonymously(), send).await;
    }
}
