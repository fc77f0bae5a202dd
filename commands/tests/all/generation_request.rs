//! Commands to generation requests.

use commands::{AlgorithmRef, CreateGeneration};
use domain::{AlgorithmId, Credits, Prompt, RequestId, UserId};
use testing::{World, command_of};

pub fn order(user_id: UserId, algorithm: AlgorithmId) -> CreateGeneration {
    CreateGeneration {
        user_id,
        conversation_id: None,
        prompt: Prompt::parse("a cat with explosions").unwrap(),
        custom_text: None,
        algorithm: AlgorithmRef::Id(algorithm),
        face: None,
        logo: None,
        regenerated_from: None,
    }
}

/// A user with a request of 2 credits.
pub async fn ordered(world: &World) -> (UserId, RequestId) {
    let (user, algorithm) = (world.user().await, world.algorithm(2).await);
    let created = world.commands.create_generation(command_of(user), order(user, algorithm)).await.unwrap();
    (user, created.value.request_id)
}

pub async fn available(world: &World, user: UserId) -> Credits {
    world.commands.available_credits(user).await.unwrap()
}

mod create_generation {
    use commands::{AlgorithmRef, CommandError, CreateGeneration};
    use domain::credit_ledger::CreditLedgerError;
    use domain::{AlgorithmId, Credits, Prompt};
    use testing::{SIGNUP_CREDITS, World, command_of};
    use uuid::Uuid;

    use super::{available, order, ordered};
    use crate::ask::{is_absent, refused, twice};
    use crate::asset::uploaded;
    use crate::conversation::chatting;

    #[tokio::test]
    async fn happy_the_price_is_held() {
        let world = World::start().await;
        let (user, _) = ordered(&world).await;
        assert_eq!(available(&world, user).await, Credits(SIGNUP_CREDITS - 2));
    }

    #[tokio::test]
    async fn refused_without_credits_without_algorithm_and_without_decency() {
        let world = World::start().await;
        let (user, dear) = (world.user().await, world.algorithm(SIGNUP_CREDITS + 1).await);
        let create = |order| world.commands.create_generation(command_of(user), order);
        let refusal = refused(&world, create(order(user, dear))).await;
        let is_poor = |error: &CommandError| {
            matches!(error, CommandError::CreditLedger(CreditLedgerError::InsufficientCredits { .. }))
        };
        assert!(is_poor(&refusal), "{refusal:?}");
        let nowhere = AlgorithmRef::Id(AlgorithmId(Uuid::from_u128(9)));
        let refusal =
            refused(&world, create(CreateGeneration { algorithm: nowhere, ..order(user, dear) })).await;
        assert!(is_absent(&refusal), "{refusal:?}");
        let prompt = Prompt::parse("an nsfw picture").unwrap();
        let refusal = refused(&world, create(CreateGeneration { prompt, ..order(user, dear) })).await;
        assert!(matches!(refusal, CommandError::ContentRejected { .. }), "{refusal:?}");
    }

    #[tokio::test]
    async fn repeated_one_price_is_held() {
        let world = World::start().await;
        let (user, algorithm) = (world.user().await, world.algorithm(2).await);
        let send = async |context| world.commands.create_generation(context, order(user, algorithm)).await;
        twice(&world, command_of(user), send).await;
        assert_eq!(available(&world, user).await, Credits(SIGNUP_CREDITS - 2));
    }

    #[tokio::test]
    async fn foreign_neither_the_chat_nor_the_face_of_somebody_else() {
        let world = World::start().await;
        let (user, algorithm, other) = (world.user().await, world.algorithm(2).await, chatting(&world).await);
        let face = uploaded(&world, other.0).await.asset_id;
        let create = |order| world.commands.create_generation(command_of(user), order);
        let there = CreateGeneration { conversation_id: Some(other.1), ..order(user, algorithm) };
        refused(&world, create(there)).await;
        let refusal =
            refused(&world, create(CreateGeneration { face: Some(face), ..order(user, algorithm) })).await;
        assert!(is_absent(&refusal), "{refusal:?}");
    }
}

mod regenerate {
    use commands::CommandError;
    use domain::credit_ledger::{CreditLedgerError, GrantReason};
    use domain::generation_request::GenerationRequest;
    use domain::{Credits, RequestId};
    use testing::{SIGNUP_CREDITS, World, command_of};
    use uuid::Uuid;

    use super::{available, order, ordered};
    use crate::ask::{is_absent, refused, twice};

    #[tokio::test]
    async fn happy_it_asks_for_the_same_once_more() {
        let world = World::start().await;
        let own = ordered(&world).await;
        let again = world.commands.regenerate(command_of(own.0), own).await.unwrap().value.request_id;
        let state = world.log.load::<GenerationRequest>(again).await.unwrap().state;
        let job = state.job().unwrap();
        assert_eq!(job.regenerated_from, Some(own.1));
        assert_eq!(job.prompt.known().unwrap().as_str(), "a cat with explosions");
        assert_eq!(available(&world, own.0).await, Credits(SIGNUP_CREDITS - 4));
    }

    #[tokio::test]
    async fn refused_what_was_never_ordered_and_what_cannot_be_paid() {
        let world = World::start().await;
        let user = world.user().await;
        let nothing = (user, RequestId(Uuid::from_u128(9)));
        assert!(is_absent(&refused(&world, world.commands.regenerate(command_of(user), nothing)).await));
        let all = world.algorithm(SIGNUP_CREDITS).await;
        let created = world.commands.create_generation(command_of(user), order(user, all)).await.unwrap();
        let own = (user, created.value.request_id);
        let refusal = refused(&world, world.commands.regenerate(command_of(user), own)).await;
        let is_poor =
            matches!(refusal, CommandError::CreditLedger(CreditLedgerError::InsufficientCredits { .. }));
        assert!(is_poor, "{refusal:?}");
        let grant =
            world.commands.grant_credits(command_of(user), user, Credits(SIGNUP_CREDITS), GrantReason::TopUp);
        grant.await.unwrap();
        assert!(world.commands.regenerate(command_of(user), own).await.is_ok());
    }

    #[tokio::test]
    async fn repeated_it_is_ordered_once() {
        let world = World::start().await;
        let own = ordered(&world).await;
        let send = async |context| world.commands.regenerate(context, own).await;
        twice(&world, command_of(own.0), send).await;
    }

    #[tokio::test]
    async fn foreign_the_order_of_somebody_else_is_not_there() {
        let world = World::start().await;
        let (other, (_, request)) = (world.user().await, ordered(&world).await);
        let regenerate = world.commands.regenerate(command_of(other), (other, request));
        assert!(is_absent(&refused(&world, regenerate).await));
    }
}

mod cancel_generation {
    use domain::{Credits, RequestId};
    use testing::{SIGNUP_CREDITS, World, command_of};
    use uuid::Uuid;

    use super::{available, ordered};
    use crate::ask::{is_absent, refused, twice};

    #[tokio::test]
    async fn happy_the_credits_come_back() {
        let world = World::start().await;
        let own = ordered(&world).await;
        world.commands.cancel_generation(command_of(own.0), own).await.unwrap();
        assert_eq!(available(&world, own.0).await, Credits(SIGNUP_CREDITS));
    }

    #[tokio::test]
    async fn refused_what_was_never_ordered() {
        let world = World::start().await;
        let user = world.user().await;
        let nothing = (user, RequestId(Uuid::from_u128(9)));
        assert!(is_absent(
            &refused(&world, world.commands.cancel_generation(command_of(user), nothing)).await
        ));
    }

    #[tokio::test]
    async fn repeated_the_credits_come_back_once() {
        let world = World::start().await;
        let own = ordered(&world).await;
        let send = async |context| world.commands.cancel_generation(context, own).await;
        twice(&world, command_of(own.0), send).await;
        send(command_of(own.0)).await.unwrap();
        assert_eq!(available(&world, own.0).await, Credits(SIGNUP_CREDITS));
    }

    #[tokio::test]
    async fn foreign_the_order_of_somebody_else_goes_on() {
        let world = World::start().await;
        let (other, own) = (world.user().await, ordered(&world).await);
        let cancel = world.commands.cancel_generation(command_of(other), (other, own.1));
        assert!(is_absent(&refused(&world, cancel).await));
        assert_eq!(available(&world, own.0).await, Credits(SIGNUP_CREDITS - 2));
    }
}
