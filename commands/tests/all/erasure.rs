//! Erasing a person.

mod erase_person {
    use commands::CommandError;
    use domain::UserId;
    use domain::user::{AskedBy, User, UserError};
    use testing::{World, command_of};
    use uuid::Uuid;

    use crate::ask::{refused, twice};

    #[tokio::test]
    async fn happy_the_words_cannot_be_read_and_the_address_is_free() {
        let world = World::start().await;
        let user = world.user().await;
        let email = async || {
            let state = world.log.load::<User>(user).await.unwrap().state;
            state.profile().and_then(|profile| profile.email.known().cloned())
        };
        let address = email().await.unwrap();
        world.commands.erase_person(command_of(user), user, AskedBy::Operator).await.unwrap();
        assert_eq!(email().await, None);
        assert_eq!(world.commands.user_of_email(&address).await.unwrap(), None);
    }

    #[tokio::test]
    async fn refused_who_was_never_there() {
        let world = World::start().await;
        let nobody = UserId(Uuid::from_u128(9));
        let erase = world.commands.erase_person(command_of(nobody), nobody, AskedBy::Operator);
        let refusal = refused(&world, erase).await;
        assert!(matches!(refusal, CommandError::User(UserError::NotRegistered)), "{refusal:?}");
    }

    #[tokio::test]
    async fn repeated_nobody_is_erased_twice() {
        let world = World::start().await;
        let user = world.user().await;
        let send = async |context| world.commands.erase_person(context, user, AskedBy::Operator).await;
        twice(&world, command_of(user), send).await;
        let events = world.events().await;
        send(command_of(user)).await.unwrap();
        assert_eq!(world.events().await, events);
    }
}
