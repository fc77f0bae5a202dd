//! What a round does, all of it a function of its seed: the steps of every person and the faults.

use std::fmt;
use std::time::Duration;

use super::dice::Dice;

pub const PERSONS: usize = 4;
const STEPS: usize = 28;
/// The first person talks so much in one chat that it gets a snapshot.
const TALK: usize = 80;

/// What a person does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    StartChat,
    Say,
    Choose,
    Skip,
    Order,
    Cancel,
    Rename,
    ReadBack,
    /// Sends an earlier command again, under its key.
    Again,
    /// Goes on at the other server.
    Move,
}

/// What a fault hits. There are two servers and two workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Server(usize),
    Worker(usize),
    Postgres,
    Nats,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// kill -9; started again after this long.
    Kill { down: Duration },
    /// kill -STOP for this long.
    Pause { still: Duration },
    /// The same in the middle of a paid call, for longer than a claim lives: somebody else takes over meanwhile.
    PauseInCall { still: Duration },
}

/// A fault, and after how many answered commands it hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub after: usize,
    pub target: Target,
    pub blow: Blow,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub steps: Vec<Vec<Step>>,
    pub faults: Vec<Fault>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(n) => write!(f, "server {n}"),
            Self::Worker(n) => write!(f, "worker {n}"),
            Self::Postgres => f.write_str("postgres"),
            Self::Nats => f.write_str("nats"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { after, target, blow } = self;
        match blow {
            Blow::Kill { down } => write!(f, "{target} killed for {} ms", down.as_millis())?,
            Blow::Pause { still } => write!(f, "{target} paused for {} ms", still.as_millis())?,
            Blow::PauseInCall { still } => {
                write!(f, "{target} paused in a paid call for {} ms", still.as_millis())?;
            }
        }
        write!(f, " after {after} answers")
    }
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let steps: Vec<Vec<Step>> = (0..PERSONS).map(|n| steps(&mut dice, n == 0)).collect();
        let faults = (0..dice.between(1, 3)).map(|_| fault(&mut dice)).collect();
        Self { steps, faults }
    }

    pub fn hits_postgres(&self) -> bool {
        self.faults.iter().any(|fault| fault.target == Target::Postgres)
    }
}

fn steps(dice: &mut Dice, talks: bool) -> Vec<Step> {
    use Step::{Again, Cancel, Choose, Move, Order, ReadBack, Rename, Say, Skip, StartChat};
    const MIX: [Step; 20] = [
        Say, Say, Say, Say, Say, Say, Say, Order, Order, Choose, Choose, Skip, Cancel, Rename, ReadBack,
        ReadBack, Again, Again, Move, StartChat,
    ];
    const TALKING: [Step; 10] = [Say, Say, Say, Say, Say, Say, Say, Say, ReadBack, Again];
    let mut steps = vec![StartChat, Say];
    if talks {
        steps.extend((0..TALK).map(|_| dice.pick(&TALKING)));
    } else {
        steps.extend((0..STEPS).map(|_| dice.pick(&MIX)));
    }
    steps
}

fn fault(dice: &mut Dice) -> Fault {
    use Target::{Nats, Postgres, Server, Worker};
    // Whoever is left goes on: what everybody stands on is hit a little more seldom.
    let target = dice.pick(&[Server(0), Server(1), Worker(0), Worker(1), Nats, Postgres]);
    let blow = match (dice.below(4), target) {
        (0 | 1, _) => Blow::Kill { down: Duration::from_millis(dice.between(100, 1500)) },
        // A claim lives for 8 seconds.
        (2, Worker(_)) => Blow::PauseInCall { still: Duration::from_millis(dice.between(8500, 11_000)) },
        _ => Blow::Pause { still: Duration::from_millis(dice.between(1000, 4000)) },
    };
    Fault { after: usize::try_from(dice.between(4, 110)).unwrap(), target, blow }
}
