//! One round: everything is started, used and hit, comes back and to rest, and is checked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::dice::Dice;
use super::house::{House, InFlight, PATIENCE};
use super::listener::Listener;
use super::load::{Counts, Load};
use super::person::Person;
use super::plan::{Fault, Plan};
use crate::support::checker::{self, Checked, Seen};
use crate::support::told::Told;

/// Commands that each person repeats when all is over.
const REPEATS: usize = 4;

/// What a round did, and found.
pub struct Report {
    counts: Counts,
    faults: Vec<(Fault, InFlight)>,
    /// Calls of the provider.
    calls: usize,
    checked: Checked,
    /// From the last answer and the last recovery until everything had come to rest.
    rest: Duration,
    took: Duration,
}

impl Report {
    /// Faults that hit work in flight.
    pub fn hits(&self) -> usize {
        self.faults.iter().filter(|(_, found)| found.is_hit()).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { commands, sendings, acknowledged, refused, repeated, again } = self.counts;
        write!(
            f,
            "{commands} commands in {sendings} sendings: {acknowledged} acknowledged, {refused} refused, \
             {repeated} repeated for want of an answer, {again} asked again;"
        )?;
        for (fault, InFlight { answers, events, work }) in &self.faults {
            write!(f, " {fault} (in flight: {answers} answers, {events} events, {work} work);")?;
        }
        let Checked { events, reads, snapshots, .. } = self.checked;
        write!(
            f,
            " {} of {} faults hit work in flight; checked {events} events, {reads} reads, {snapshots} \
             snapshots, {} calls each paid once; at rest after {:.1} s, {:.1} s in all",
            self.hits(),
            self.faults.len(),
            self.calls,
            self.rest.as_secs_f64(),
            self.took.as_secs_f64()
        )
    }
}

/// Plays the round of a seed. Panics where an invariant is violated.
pub async fn play(seed: u64) -> Report {
    let started = Instant::now();
    let plan = Plan::of(seed);
    let house = House::build(plan.hits_postgres()).await;
    let told = Told::default();
    let persons = plan.steps.iter().enumerate().map(|(n, steps)| {
        let name = format!("person-{seed}-{n}");
        let dice = Dice::of(seed ^ (n as u64 + 1));
        tokio::spawn(live(house.load.clone(), told.clone(), (name, dice), steps.clone()))
    });
    let persons: Vec<_> = persons.collect();
    let faults = join_all(plan.faults.iter().map(|fault| house.strike(*fault)));
    let (lives, found) = tokio::join!(join_all(persons), faults);
    let lives: Vec<(Person, Listener)> = lives.into_iter().map(Result::unwrap).collect();
    let answered = Instant::now();
    let seen = over(&house, lives).await;
    let rest = answered.elapsed();
    let places = (&house.pool, house.surroundings.nats_url.as_str());
    let calls = house.calls.check(&house.pool).await;
    let checked = checker::check_within(PATIENCE, places, &told, &seen).await;
    Report {
        counts: house.load.counts(),
        faults: plan.faults.into_iter().zip(found).collect(),
        calls,
        checked,
        rest,
        took: started.elapsed(),
    }
}

async fn live(
    load: Arc<Load>,
    told: Told,
    (name, dice): (String, Dice),
    steps: Vec<super::plan::Step>,
) -> (Person, Listener) {
    let mut person = Person::arrive(load.clone(), &told, name, dice.clone()).await;
    let listener = Listener::start(load, person.client.clone(), dice).await;
    person.act(&steps).await;
    (person, listener)
}

/// Everything is back: some commands are asked again, all is read once more, everyone is shown the rest.
async fn over(house: &House, lives: Vec<(Person, Listener)>) -> Vec<Seen> {
    let mut listeners = Vec::new();
    for (mut person, listener) in lives {
        for _ in 0..REPEATS {
            person.again().await;
        }
        person.read_back().await;
        listeners.push((person.client.user_id(), listener));
    }
    checker::at_rest(PATIENCE, &house.pool).await;
    let log = checker::read_log(&house.pool).await;
    let seen = listeners.into_iter().map(|(user, listener)| {
        let shown = |event: &&checker::Stored| event.owner == Some(user) && checker::is_public(event);
        let last = log.iter().rfind(shown).map(|event| event.position);
        listener.seen(last.filter(|last| *last > 0))
    });
    join_all(seen).await
}
