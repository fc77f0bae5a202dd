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
        let known = world.commands.authenticate("ANN@example.com", "correct horse").await.unwrap();
        assert_eq!(known.actor, Actor::User(done.user_id.0));
        assert!(known.stronger.is_none(), "it was hashed today");
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

mod raise_password_hash {
    use argon2::password_hash::{PasswordHasher, SaltString};
    use argon2::{Algorithm, Argon2, Params, Version};
    use commands::CommandError;
    use domain::user::{User, UserCommand};
    use event_log::clock;
    use testing::{World, command_of};

    use super::{ann, anonymously};

    /// A hash with parameters that were good enough once.
    fn weak(password: &str) -> String {
        let params = Params::new(8192, 1, 1, None).unwrap();
        let salt = SaltString::encode_b64(b"salt of sixteen.").unwrap();
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        weaker.hash_password(password.as_bytes(), &salt).unwrap().to_string()
    }

    #[tokio::test]
    async fn happy_a_login_raises_a_weak_hash_once() {
        let world = World::start().await;
        let user =
            world.commands.register(anonymously(), ann("ann@example.com")).await.unwrap().value.user_id;
        let weaken = UserCommand::ChangePassword { password_hash: weak("correct horse"), at: clock::now() };
        let unit = world.log.unit::<CommandError>(command_of(user)).execute::<User>(user, [weaken]);
        unit.commit().await.unwrap();
        let known = world.commands.authenticate("ann@example.com", "correct horse").await.unwrap();
        let stronger = known.stronger.expect("the hash is weak");
        world.commands.raise_password_hash(command_of(user), user, stronger).await.unwrap();
        let again = world.commands.authenticate("ann@example.com", "correct horse").await.unwrap();
        assert!(again.stronger.is_none(), "it was raised");
    }
}
