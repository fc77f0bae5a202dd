//! A generator of pictures that keeps a list of its calls, can be held in the middle of one, and can look up what it
//! drew before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use providers::{GeneratedPicture, GenerationJob, ImageGenerator, ProviderError};
use tokio::sync::watch;
use uuid::Uuid;

use crate::picture;

/// The name under which algorithms ask for it.
pub const GENERATOR: &str = "counting";

/// A call that the generator was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    pub attempt_id: Uuid,
    pub state: CallState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// Under way.
    Open,
    Answered,
    /// The caller went away before the answer.
    Abandoned,
}

#[derive(Debug)]
pub struct CountingGenerator {
    calls: Mutex<Vec<Call>>,
    is_held: watch::Sender<bool>,
    can_look_up: AtomicBool,
}

impl Default for CountingGenerator {
    fn default() -> Self {
        Self {
            calls: Mutex::default(),
            is_held: watch::Sender::new(false),
            can_look_up: AtomicBool::new(false),
        }
    }
}

impl CountingGenerator {
    /// From now on no call is answered, until they are let go.
    pub fn hold(&self) {
        self.is_held.send_replace(true);
    }

    pub fn let_go(&self) {
        self.is_held.send_replace(false);
    }

    /// From now on a call with an attempt's id for the second time finds what was drawn for the first.
    pub fn look_up(&self) {
        self.can_look_up.store(true, Ordering::Relaxed);
    }

    /// The calls, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of pictures that are to be paid.
    pub fn paid(&self) -> usize {
        let mut attempts: Vec<Uuid> = self.calls().iter().map(|call| call.attempt_id).collect();
        if self.can_look_up() {
            attempts.sort_unstable();
            attempts.dedup();
        }
        attempts.len()
    }

    fn set(&self, call: usize, state: CallState) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)[call].state = state;
    }
}

/// Marks a call as abandoned unless it is answered.
struct Open<'a> {
    generator: &'a CountingGenerator,
    call: usize,
    state: CallState,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.generator.set(self.call, self.state);
    }
}

#[async_trait]
impl ImageGenerator for CountingGenerator {
    fn name(&self) -> &str {
        GENERATOR
    }

    fn can_look_up(&self) -> bool {
        self.can_look_up.load(Ordering::Relaxed)
    }

    async fn generate(
        &self,
        job: &GenerationJob,
        progress: &(dyn Fn(u8) + Send + Sync),
    ) -> Result<GeneratedPicture, ProviderError> {
        let call = {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.push(Call { attempt_id: job.attempt_id, state: CallState::Open });
            calls.len() - 1
        };
        let mut open = Open { generator: self, call, state: CallState::Abandoned };
        progress(50);
        // The sender is a part of this generator.
        let _ = self.is_held.subscribe().wait_for(|is_held| !is_held).await;
        open.state = CallState::Answered;
        let png: Bytes = picture(job.attempt_id.as_bytes()[0]);
        let provider_generation_id = job.attempt_id.to_string();
        Ok(GeneratedPicture { png, width: 64, height: 64, provider_generation_id })
    }
}
