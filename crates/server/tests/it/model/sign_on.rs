//! Sign-ons of one person with two phones.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;
use server::platform::clock::{Clock as _, Moment};
use testkit::{App, Scripted, on_each_database};
use uuid::Uuid;

use super::rules::{Person, SignOn, State};
use super::{CASES, World, number, told, try_orders};
use crate::device_facial::count;

#[derive(Debug, Clone)]
enum Step {
    Push,
    /// The phone takes up the challenge, perhaps again.
    Challenge,
    /// It takes up the challenge and answers it.
    Scan {
        is_owner: bool,
    },
    /// It answers the challenge that it was given last.
    AnswerAgain,
    Deny,
    Cancel,
    Redeem,
    Status,
    Pass {
        seconds: i64,
    },
}

/// A step, at which sign-on, by which phone, through which server.
type Order = Vec<(Step, usize, usize, usize)>;

fn orders() -> impl Strategy<Value = Order> {
    let step = prop_oneof![
        4 => Just(Step::Push),
        2 => Just(Step::Challenge),
        4 => any::<bool>().prop_map(|is_owner| Step::Scan { is_owner }),
        2 => Just(Step::AnswerAgain),
        1 => Just(Step::Deny),
        1 => Just(Step::Cancel),
        3 => Just(Step::Redeem),
        2 => Just(Step::Status),
        2 => prop_oneof![Just(1), Just(119), Just(120), Just(300), Just(600), Just(900)].prop_map(|seconds| Step::Pass { seconds }),
    ];
    prop::collection::vec((step, 0..3_usize, 0..2_usize, 0..2_usize), 10..40)
}

fn face(is_owner: bool) -> Vec<Vec<u8>> {
    vec![Scripted::photo(&[if is_owner { 0.1 } else { 0.9 }, 0.5])]
}

/// Someone new lives through these steps.
struct Life<'a> {
    world: &'a World,
    client_id: Uuid,
    /// Each phone at each server.
    phones: [[phone::Phone; 2]; 2],
    person: Person,
    sign_ons: Vec<SignOn>,
}

impl<'a> Life<'a> {
    async fn begin(world: &'a World) -> Self {
        let site = &world.sites[0];
        let email = format!("{}@example.com", Uuid::new_v4());
        let ann = site.paired(&email).await;
        ann.phone.enrol(&face(true)).await.unwrap();
        site.push(ann.client_id).await;
        ann.phone
            .scan(ann.waiting().await, None, &face(true))
            .await
            .unwrap();
        let link = site.enrolment_link(ann.client_id, "login").await;
        let second = site.try_pair(&link).await.unwrap();
        ann.phone.confirm(second.pairing().device_id).await.unwrap();
        site.push(ann.client_id).await;
        second
            .scan(ann.waiting().await, None, &face(true))
            .await
            .unwrap();
        Self {
            world,
            client_id: ann.client_id,
            phones: [world.phones(&ann.phone), world.phones(&second)],
            person: Person::default(),
            sign_ons: Vec::new(),
        }
    }

    fn now(&self) -> Moment {
        self.world.servers[0].clock.now()
    }

    async fn push(&mut self, server: usize) {
        let now = self.now();
        let pushed = self.world.sites[server].try_push(self.client_id).await;
        assert_eq!(pushed.code(), self.person.pass(now));
        if pushed.code() == 0 {
            let waiting = self.phones[0][server].pending(0).await.unwrap();
            let id_of =
                |entry: &serde_json::Value| entry["sign_on_id"].as_str().unwrap().parse().unwrap();
            let known: Vec<Uuid> = self.sign_ons.iter().map(|one| one.id).collect();
            let id = waiting
                .iter()
                .map(id_of)
                .find(|id| !known.contains(id))
                .unwrap();
            self.sign_ons.push(SignOn {
                token: pushed.text("verification_token"),
                id,
                state: State::Pending,
                tries_left: 3,
                expires_at: now + TimeDelta::seconds(600),
                challenge: None,
                given: None,
                session: None,
                is_redeemed: false,
            });
        }
    }

    async fn challenge(&mut self, at: usize, phone: usize, server: usize) {
        let now = self.now();
        let sign_on = &mut self.sign_ons[at];
        let expected = sign_on.take_up(&mut self.person, now);
        let body = json!({ "sign_on_id": sign_on.id });
        let given = self.phones[phone][server]
            .call("/login/challenge", &body)
            .await;
        let nonce = given
            .as_ref()
            .ok()
            .map(|given| given["nonce"].as_str().unwrap().to_owned());
        assert_eq!(told(given), expected);
        let Some(nonce) = nonce else { return };
        match &sign_on.challenge {
            Some((before, _)) => assert_eq!(&nonce, before, "one challenge a try"),
            None => {
                assert_ne!(Some(&nonce), sign_on.given.as_ref(), "a new one each try");
                sign_on.challenge = Some((nonce.clone(), now + TimeDelta::seconds(120)));
            }
        }
        sign_on.given = Some(nonce);
    }

    async fn answer(&mut self, at: usize, is_owner: bool, phone: usize, server: usize) {
        let now = self.now();
        let sign_on = &mut self.sign_ons[at];
        let nonce = sign_on.given.clone();
        let expected = sign_on.answer(&mut self.person, nonce.as_deref(), is_owner, now);
        let answer = json!({
            "sign_on_id": sign_on.id, "nonce": nonce.unwrap_or_else(|| "none".into()), "frames": [{ "part": "frame0" }],
        });
        let phone = &self.phones[phone][server];
        assert_eq!(
            told(
                phone
                    .answer("/login/verify_token", &answer, &face(is_owner))
                    .await
            ),
            expected
        );
        if expected == 0 {
            let status = self.world.sites[server].status(&sign_on.token).await;
            let session = status.text("client_session_token");
            sign_on.session = Some((session, now + TimeDelta::seconds(300)));
        }
    }

    async fn take(&mut self, step: Step, at: usize, phone: usize, server: usize) {
        match step {
            Step::Push => return self.push(server).await,
            Step::Pass { seconds } => {
                self.world.servers[0].clock.advance(seconds);
                return self.world.servers[server].app.sweep().await.unwrap();
            }
            _ if self.sign_ons.is_empty() => return,
            _ => {}
        }
        // The latest ones are the interesting ones.
        let at = self.sign_ons.len() - 1 - at.min(self.sign_ons.len() - 1);
        let now = self.now();
        match step {
            Step::Challenge => self.challenge(at, phone, server).await,
            Step::Scan { is_owner } => {
                self.challenge(at, phone, server).await;
                self.answer(at, is_owner, phone, server).await;
            }
            Step::AnswerAgain => self.answer(at, true, phone, server).await,
            Step::Deny => {
                let sign_on = &mut self.sign_ons[at];
                let expected = sign_on.open(now);
                assert_eq!(
                    told(self.phones[phone][server].deny(sign_on.id, false).await),
                    expected
                );
                if expected == 0 {
                    (sign_on.state, sign_on.challenge) = (State::Denied, None);
                }
            }
            Step::Cancel => {
                let sign_on = &mut self.sign_ons[at];
                let expected = sign_on.open(now);
                let body = json!({ "verification_token": sign_on.token });
                assert_eq!(
                    self.world.sites[server]
                        .post("/login/cancel", &body)
                        .await
                        .code(),
                    expected
                );
                if expected == 0 {
                    (sign_on.state, sign_on.challenge) = (State::Cancelled, None);
                }
            }
            Step::Redeem => {
                let sign_on = &mut self.sign_ons[at];
                let live = sign_on
                    .session
                    .as_ref()
                    .is_some_and(|(_, until)| *until > now);
                let expected = if live && !sign_on.is_redeemed {
                    0
                } else {
                    1040
                };
                let session = sign_on
                    .session
                    .as_ref()
                    .map_or("st_none", |(session, _)| session);
                let redeemed = self.world.sites[server]
                    .redeem(session, self.client_id)
                    .await;
                assert_eq!(redeemed.code(), expected);
                sign_on.is_redeemed |= expected == 0;
            }
            Step::Status => self.status(at, server).await,
            Step::Push | Step::Pass { .. } => {}
        }
    }

    async fn status(&self, at: usize, server: usize) {
        let (sign_on, now) = (&self.sign_ons[at], self.now());
        let status = self.world.sites[server].status(&sign_on.token).await;
        assert_eq!(status.data()["status"], sign_on.status(now));
        let session = sign_on
            .session
            .as_ref()
            .filter(|(_, until)| *until > now && !sign_on.is_redeemed);
        assert_eq!(
            status.data()["client_session_token"].as_str(),
            session.map(|(session, _)| session.as_str())
        );
    }

    /// What both servers and the database say in the end.
    async fn end(&self) {
        let (app, now) = (&self.world.servers[0], self.now());
        for at in 0..self.sign_ons.len() {
            for server in 0..2 {
                self.status(at, server).await;
            }
            let sign_on = &self.sign_ons[at];
            let left = number(
                app,
                "select tries_left as n from sign_ons where id = $1",
                sign_on.id,
            );
            assert_eq!(left.await, sign_on.tries_left);
        }
        let failures = number(
            app,
            "select failures as n from clients where id = $1",
            self.client_id,
        );
        assert_eq!(failures.await, self.person.failures);
        let open = self
            .sign_ons
            .iter()
            .filter(|one| one.open(now) == 0)
            .count();
        assert_eq!(self.phones[1][1].pending(0).await.unwrap().len(), open);
    }
}

on_each_database! {
    async fn every_order_of_steps_is_answered_as_the_rules_say(app: App) {
        let world = World::new(&app).await;
        let (verified, redeemed) = (AtomicI64::new(0), AtomicI64::new(0));
        try_orders(&orders(), async |order: Order| {
            let mut life = Life::begin(&world).await;
            for (step, at, phone, server) in order {
                life.take(step, at, phone, server).await;
            }
            life.end().await;
            for one in &life.sign_ons {
                verified.fetch_add(i64::from(one.state == State::Verified), Relaxed);
                redeemed.fetch_add(i64::from(one.is_redeemed), Relaxed);
            }
        });
        let lines = |action: &str| format!("select count(*) as n from audit_events where action = '{action}'");
        // Two of each life's beginning.
        let begun = 2 * i64::from(CASES);
        assert_eq!(count(&app, &lines("sign_on_verified")).await, begun + verified.into_inner());
        assert_eq!(count(&app, &lines("session_redeemed")).await, redeemed.into_inner());
        let twice = "select count(*) as n from (select sign_on_id from audit_events where action in \
            ('sign_on_verified', 'sign_on_failed', 'sign_on_denied', 'sign_on_cancelled', 'sign_on_expired') \
            group by sign_on_id having count(*) > 1) verdicts";
        assert_eq!(count(&app, twice).await, 0, "one verdict each");
    }
}
