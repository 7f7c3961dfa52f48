//! Liveness on recordings of real people and on attacks made from them. The recordings lie beside the
//! repository on some machines only; where they or ffmpeg are missing, that is said.

use lab::attacks::{RecordingError, recordings, run};
use recording::RecordingError::{NoFfmpeg, Unreadable};

use crate::{ENGINE, root};

/// The published table is `axiam face liveness`'s; here a few answers of each kind hold its line, and the weights
/// are fitted anew with each person left out.
#[test]
fn attacks_fail_and_honest_people_pass() {
    let recordings = match recordings(&root().join("../shared/faces/videos")) {
        Ok(recordings) => recordings,
        Err(RecordingError::Unread(error @ (Unreadable { .. } | NoFfmpeg(_)))) => {
            println!("SKIPPED: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let mut trial = run(&ENGINE, &recordings, 2, 1, || ()).unwrap();
    trial.leave_one_out();
    for (species, outcome) in &trial.attacks {
        let left_out = trial
            .passed_left_out(|a| a.species == Some(species))
            .unwrap();
        println!("{species}: {outcome:?}, {left_out} with the person left out");
        assert!(outcome.answers > 0, "{species} was not tried");
        assert!(
            outcome.passed.max(left_out) <= outcome.answers / 5,
            "{species}: {outcome:?}"
        );
    }
    let honest = trial.honest();
    let left_out = trial.passed_left_out(|a| a.species.is_none()).unwrap();
    println!("honest: {honest:?}, {left_out} with the person left out");
    assert!(honest.answers >= 8);
    assert!(honest.passed * 10 >= honest.answers * 9, "{honest:?}");
    assert!(
        left_out * 4 >= honest.answers * 3,
        "{left_out} of {}",
        honest.answers
    );
}
