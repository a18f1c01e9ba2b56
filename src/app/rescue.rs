//! A damaged data folder, from the question what can be done to the folder that took its place: each step on a thread, so
//! that the window goes on.

use std::path::{Path, PathBuf};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::model::Trainer;
use crate::store::{self, Diagnosis, Offer, Recovered, Way};
use crate::ui::view;

use super::rows::Wall;

/// How long whoever reads the folder may take to be done with it.
const CLOSED_WAIT: Duration = Duration::from_secs(10);

/// How far it is.
enum Stage {
    /// The folder is being read.
    Reading(Receiver<Result<Diagnosis, String>>),
    /// Somebody has to choose.
    Offered(Diagnosis),
    /// Nothing can be done.
    Hopeless,
    /// What was chosen is being done.
    Recovering(Receiver<Result<Recovered, String>>),
}

/// See the module.
pub struct Rescue {
    dir: PathBuf,
    stage: Stage,
}

impl Drop for Rescue {
    /// What was begun is brought to its end, also when the window closes.
    fn drop(&mut self) {
        if let Stage::Recovering(recovering) = &self.stage {
            let _ = recovering.recv();
        }
    }
}

/// What a thread gave; that it failed if it gave nothing.
fn done<T>(result: &Receiver<Result<T, String>>) -> Option<Result<T, String>> {
    match result.try_recv() {
        Ok(done) => Some(done),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Disconnected) => Some(Err("the thread that was to do it has failed".to_owned())),
    }
}

/// Does something on a thread and wakes the window when it is done.
fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    wake: impl Fn() + Send + 'static,
) -> std::io::Result<Receiver<T>> {
    let (done, result) = bounded(1);
    Builder::new().name("recovery".to_owned()).spawn(move || {
        // The window may be gone.
        let _ = done.send(work());
        wake();
    })?;
    Ok(result)
}

impl Rescue {
    /// Begins to read a damaged folder.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn begin(dir: PathBuf, wake: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let damaged = dir.clone();
        let reading = aside(move || store::diagnose(&damaged).map_err(|e| e.to_string()), wake)?;
        Ok(Self { dir, stage: Stage::Reading(reading) })
    }

    /// Takes what is done; how the recovery went, once it is over.
    pub fn poll(&mut self) -> Option<Result<Recovered, String>> {
        match &self.stage {
            Stage::Reading(reading) => {
                self.stage = match done(reading)? {
                    Ok(found) if !found.offers.is_empty() => Stage::Offered(found),
                    Ok(_) | Err(_) => Stage::Hopeless,
                };
                None
            }
            Stage::Recovering(recovering) => done(recovering),
            Stage::Offered(_) | Stage::Hopeless => None,
        }
    }

    /// What is offered.
    pub fn offers(&self) -> &[Offer] {
        match &self.stage {
            Stage::Offered(found) => &found.offers,
            _ => &[],
        }
    }

    /// Goes the way that was offered at this place; no program may have the folder. False if there is none.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn go(&mut self, index: usize, wake: impl Fn() + Send + 'static) -> std::io::Result<bool> {
        let Some(offer) = self.offers().get(index) else { return Ok(false) };
        let (dir, way) = (self.dir.clone(), offer.way.clone());
        let work = move || match store::wait_closed(&dir, CLOSED_WAIT) {
            true => store::recover::<Trainer>(&dir, &way).map_err(|e| e.to_string()),
            false => Err("something still reads the damaged folder".to_owned()),
        };
        self.stage = Stage::Recovering(aside(work, wake)?);
        Ok(true)
    }

    /// As the window shows it; `saving` says whether what is played now is kept.
    pub fn view(&self, wall: Wall, saving: bool) -> Option<view::Rescue> {
        let Stage::Offered(found) = &self.stage else { return None };
        let offer = |offer: &Offer| view::Offer {
            way: match &offer.way {
                Way::Rebuild => view::Way::Rebuild,
                Way::Bridge => view::Way::Bridge,
                Way::Cut => view::Way::Cut,
                Way::Backup(_) => view::Way::Backup,
                Way::Afresh => view::Way::Afresh,
            },
            keeps: offer.keeps,
            loses: offer.loses,
            until: wall.local(offer.until),
        };
        Some(view::Rescue {
            folder: shown(&self.dir),
            damage: found.damages.first().map(ToString::to_string).unwrap_or_default(),
            damages: found.damages.len(),
            saving,
            offers: found.offers.iter().map(offer).collect(),
        })
    }
}

fn shown(dir: &Path) -> String {
    dir.display().to_string()
}
