//! The generation pipeline and the only money that leaves the house: nothing is paid twice by accident.
//!
//! The generator counts. Another worker is a statement that takes the claim over, as a worker does whose turn comes
//! while this one is paused.

use commands::CreateGeneration;
use domain::credit_ledger::CreditLedger;
use domain::generation_request::GenerationRequest;
use domain::reactions::Role;
use domain::user::AskedBy;
use domain::{Credits, RequestId, UserId};
use testing::{CallState, SIGNUP_CREDITS, World, command_of, eventually};

use crate::asset::uploaded;
use crate::generation_request::{available, order, ordered};

/// Takes the claim of every row over.
const TAKE_OVER: &str = "UPDATE work SET fence = fence + 1, held_until = clock_timestamp() + interval '1 hour' \
     WHERE role = 'generation'";
/// Ends every claim, as time does.
const LAPSE: &str = "UPDATE work SET held_until = clock_timestamp() - interval '1 second'";

async fn has_started(world: &World) -> bool {
    world.number("SELECT count(*) FROM events WHERE event_type = 'AttemptStarted'").await > 0
}

async fn is_completed(world: &World, request: RequestId) -> bool {
    let state = world.log.load::<GenerationRequest>(request).await.unwrap().state;
    matches!(state, GenerationRequest::Completed { .. })
}

/// What a picture of 2 credits leaves.
async fn assert_paid_once(world: &World, user: UserId) {
    assert_eq!(available(world, user).await, Credits(SIGNUP_CREDITS - 2));
    let held = world.log.load::<CreditLedger>(user).await.unwrap().state.held();
    assert_eq!(held, Credits::ZERO, "nothing is held any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_drawn_once_and_paid_once() {
    let world = World::with_projections().await;
    let worker = world.work(Role::Generation);
    let (user, request) = ordered(&world).await;
    eventually("the picture is there", async || is_completed(&world, request).await).await;
    worker.stop().await;
    assert_eq!(world.generator.calls().len(), 1);
    assert_paid_once(&world, user).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_overtaken_before_the_call_does_not_call_the_provider() {
    let world = World::with_projections().await;
    let (_, request) = ordered(&world).await;
    eventually("the work is there", async || world.number("SELECT count(*) FROM work").await == 2).await;
    // The next look at the claim waits until the other worker has it.
    world.analyzer.hold();
    let worker = world.work(Role::Generation);
    eventually("the worker reads the wish", async || world.analyzer.is_asked()).await;
    let other = world.begin(TAKE_OVER).await;
    world.analyzer.let_go();
    eventually("the attempt is booked", async || has_started(&world).await).await;
    other.commit().await.unwrap();
    worker.stop().await;
    assert_eq!(world.generator.calls(), [], "whoever lost the claim pays nobody");
    assert!(!is_completed(&world, request).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_overtaken_in_the_middle_of_a_call_stops_at_once() {
    let world = World::with_projections().await;
    world.generator.hold();
    let (_, request) = ordered(&world).await;
    let worker = world.work(Role::Generation);
    eventually("the provider is called", async || world.generator.calls().len() == 1).await;
    world.run(TAKE_OVER).await;
    eventually("the call is given up", async || {
        world.generator.calls().iter().all(|call| call.state == CallState::Abandoned)
    })
    .await;
    world.generator.let_go();
    worker.stop().await;
    assert!(!is_completed(&world, request).await, "the request is the other worker's");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_over_asks_a_provider_that_can_look_up_for_the_same_attempt() {
    let world = World::with_projections().await;
    world.generator.hold();
    world.generator.look_up();
    let (user, request) = ordered(&world).await;
    let first = world.work(Role::Generation);
    eventually("the provider is called", async || world.generator.calls().len() == 1).await;
    first.crash().await;
    world.run(LAPSE).await;
    world.generator.let_go();
    let second = world.work(Role::Generation);
    eventually("the picture is there", async || is_completed(&world, request).await).await;
    second.stop().await;
    let calls = world.generator.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].attempt_id, calls[1].attempt_id, "it is found, not drawn again");
    assert_eq!(world.generator.paid(), 1);
    assert_paid_once(&world, user).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_cannot_be_looked_up_counts_as_paid_and_there_is_one_more_at_most() {
    let world = World::with_projections().await;
    world.generator.hold();
    let (user, request) = ordered(&world).await;
    for calls in 1..=2 {
        let worker = world.work(Role::Generation);
        eventually("the provider is called", async || world.generator.calls().len() == calls).await;
        worker.crash().await;
        world.run(LAPSE).await;
    }
    let last = world.work(Role::Generation);
    eventually("the request is given up", async || {
        let state = world.log.load::<GenerationRequest>(request).await.unwrap().state;
        matches!(state, GenerationRequest::Failed { .. })
    })
    .await;
    last.stop().await;
    let calls = world.generator.calls();
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[0].attempt_id, calls[1].attempt_id);
    assert_eq!(available(&world, user).await, Credits(SIGNUP_CREDITS), "the user pays for no picture");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_cancelled_while_it_is_drawn_leaves_no_picture() {
    let world = World::with_projections().await;
    world.generator.hold();
    let own = ordered(&world).await;
    let worker = world.work(Role::Generation);
    eventually("the provider is called", async || world.generator.calls().len() == 1).await;
    world.commands.cancel_generation(command_of(own.0), own).await.unwrap();
    world.generator.let_go();
    worker.stop().await;
    assert_eq!(world.generator.calls()[0].state, CallState::Answered);
    assert_eq!(world.thumbnails_of(own.0), 0, "nobody will ever ask for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_face_that_was_lost_fails_the_order_and_the_credits_come_back() {
    let world = World::with_projections().await;
    let (user, algorithm) = (world.user().await, world.algorithm(2).await);
    let face = uploaded(&world, user).await;
    world.providers.objects.delete(&face.picture.key).await.unwrap();
    let order = CreateGeneration { face: Some(face.asset_id), ..order(user, algorithm) };
    let created = world.commands.create_generation(command_of(user), order).await.unwrap().value;
    let worker = world.work(Role::Generation);
    eventually("the request is given up", async || {
        let state = world.log.load::<GenerationRequest>(created.request_id).await.unwrap().state;
        matches!(state, GenerationRequest::Failed { .. })
    })
    .await;
    worker.stop().await;
    assert_eq!(world.generator.calls(), [], "nobody pays for a thumbnail without the face");
    assert_eq!(available(&world, user).await, Credits(SIGNUP_CREDITS));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pictures_of_an_erased_person_go_also_where_a_restore_took_their_rows() {
    let world = World::with_projections().await;
    let worker = world.work(Role::Generation);
    let (user, request) = ordered(&world).await;
    let face = uploaded(&world, user).await;
    eventually("the picture is there", async || is_completed(&world, request).await).await;
    worker.stop().await;
    assert_eq!(world.thumbnails_of(user), 1);
    world.run("DELETE FROM objects").await;
    world.commands.erase_person(command_of(user), user, AskedBy::Operator).await.unwrap();
    let cleanup = world.work(Role::Cleanup);
    eventually("nothing of the person is left", async || {
        world.thumbnails_of(user) == 0 && world.providers.objects.get(&face.picture.key).await.is_err()
    })
    .await;
    cleanup.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_whose_worker_died_before_it_could_say_so_goes_with_the_person() {
    let world = World::with_projections().await;
    let (user, request) = ordered(&world).await;
    // Nothing more is appended, so the picture is stored and no event names it.
    world.generator.hold();
    let worker = world.work(Role::Generation);
    eventually("the provider is called", async || world.generator.calls().len() == 1).await;
    world.run("ALTER TABLE events RENAME TO events_away").await;
    world.generator.let_go();
    eventually("the picture is stored", async || world.thumbnails_of(user) == 1).await;
    worker.crash().await;
    world.run("ALTER TABLE events_away RENAME TO events").await;
    assert!(!is_completed(&world, request).await);
    world.commands.erase_person(command_of(user), user, AskedBy::Operator).await.unwrap();
    let cleanup = world.work(Role::Cleanup);
    eventually("nothing of the person is left", async || world.thumbnails_of(user) == 0).await;
    cleanup.stop().await;
}
