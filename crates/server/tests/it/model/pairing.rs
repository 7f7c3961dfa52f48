//! Phones of one person: codes, pairing, confirming, unpairing, and the first match on each.

use chrono::TimeDelta;
use phone::Phone;
use proptest::prelude::*;
use serde_json::json;
use server::platform::clock::{Clock as _, Moment};
use testkit::{App, Scripted, on_each_database};
use uuid::Uuid;

use super::{World, told, try_orders};

#[derive(Debug, Clone)]
enum Step {
    /// The site asks for a code.
    Code,
    /// A new phone pairs with one of the latest codes.
    Pair,
    /// A phone accepts another.
    Confirm,
    /// The site does.
    ConfirmBySite,
    /// A phone unpairs another, or itself.
    Unpair,
    /// The site does.
    UnpairBySite,
    /// The person is asked, and a phone answers.
    SignOn,
    Pass {
        seconds: i64,
    },
}

/// A step, by which phone or with which code, at which phone, through which server.
type Order = Vec<(Step, usize, usize, usize)>;

fn orders() -> impl Strategy<Value = Order> {
    let step = prop_oneof![
        3 => Just(Step::Code),
        4 => Just(Step::Pair),
        3 => Just(Step::Confirm),
        1 => Just(Step::ConfirmBySite),
        2 => Just(Step::Unpair),
        1 => Just(Step::UnpairBySite),
        5 => Just(Step::SignOn),
        1 => prop_oneof![Just(1), Just(600)].prop_map(|seconds| Step::Pass { seconds }),
    ];
    prop::collection::vec((step, 0..4_usize, 0..4_usize, 0..2_usize), 10..30)
}

#[derive(Debug, PartialEq, Clone, Copy)]
enum Standing {
    Trusted,
    OnTrial,
    Waiting,
}

struct Paired {
    at: [Phone; 2],
    id: Uuid,
    is_paired: bool,
    is_confirmed: bool,
    is_matched: bool,
}

struct Code {
    link: String,
    until: Moment,
    is_used: bool,
}

struct Life<'a> {
    world: &'a World,
    client_id: Uuid,
    codes: Vec<Code>,
    phones: Vec<Paired>,
}

fn face() -> Vec<Vec<u8>> {
    vec![Scripted::photo(&[0.5, 0.5])]
}

impl<'a> Life<'a> {
    async fn begin(world: &'a World) -> Self {
        let email = format!("{}@example.com", Uuid::new_v4());
        let site = &world.sites[0];
        let client_id = site.client(&email).await;
        // The site vouches for the face, so that phones have nothing to do but to match it.
        let answer = site.upload(&client_id.to_string(), face().remove(0)).await;
        assert_eq!(answer.code(), 0);
        Self {
            world,
            client_id,
            codes: Vec::new(),
            phones: Vec::new(),
        }
    }

    fn now(&self) -> Moment {
        self.world.servers[0].clock.now()
    }

    fn is_trusted(&self, at: usize) -> bool {
        let phone = &self.phones[at];
        phone.is_paired && phone.is_confirmed && phone.is_matched
    }

    fn standing(&self, at: usize) -> Standing {
        let somebody = (0..self.phones.len()).any(|other| self.is_trusted(other));
        if self.is_trusted(at) {
            Standing::Trusted
        } else if self.phones[at].is_confirmed || !somebody {
            Standing::OnTrial
        } else {
            Standing::Waiting
        }
    }

    async fn pair(&mut self, code: usize, server: usize) {
        let now = self.now();
        let Some(last) = self.codes.len().checked_sub(1) else {
            return;
        };
        // A fresh code voids older ones.
        let at = last - code.min(last);
        let code = &mut self.codes[at];
        let is_good = at == last && !code.is_used && code.until > now;
        let link = code
            .link
            .replace(&self.world.servers[0].url, &self.world.servers[server].url);
        let paired = self.world.sites[server].try_pair(&link).await;
        if !is_good {
            return assert_eq!(told(paired.map(|_| ())), 1051);
        }
        code.is_used = true;
        let phone = paired.unwrap();
        self.phones.push(Paired {
            at: self.world.phones(&phone),
            id: phone.pairing().device_id,
            is_paired: true,
            is_confirmed: false,
            is_matched: false,
        });
    }

    /// What a phone that decides about another is answered.
    fn may(&self, by: usize, at: usize, itself: bool) -> u64 {
        if !self.phones[by].is_paired {
            1050
        } else if !(self.is_trusted(by) || itself && by == at) {
            1010
        } else if self.phones[at].is_paired {
            0
        } else {
            1007
        }
    }

    async fn decide_by_site(&mut self, route: &str, at: usize, server: usize) -> bool {
        let which = json!({ "id": self.client_id, "device_id": self.phones[at].id });
        let expected = if self.phones[at].is_paired { 0 } else { 1007 };
        let told = self.world.sites[server].post(route, &which).await;
        assert_eq!(told.code(), expected);
        expected == 0
    }

    /// Asks the person, and has one phone answer.
    async fn sign_on(&mut self, at: usize, server: usize) {
        let asked = (0..self.phones.len())
            .any(|at| self.phones[at].is_paired && self.standing(at) != Standing::Waiting);
        let pushed = self.world.sites[server].try_push(self.client_id).await;
        assert_eq!(pushed.code(), if asked { 0 } else { 1012 });
        if !asked {
            return;
        }
        let answers = self.answer(at, server).await;
        let token = pushed.text("verification_token");
        let status = self.world.sites[1 - server].status(&token).await;
        assert_eq!(
            status.data()["status"],
            if answers { "verified" } else { "pending" }
        );
        if answers {
            let phone = &mut self.phones[at];
            (phone.is_confirmed, phone.is_matched) = (true, true);
        } else {
            let body = json!({ "verification_token": token });
            assert_eq!(
                self.world.sites[server]
                    .post("/login/cancel", &body)
                    .await
                    .code(),
                0
            );
        }
    }

    async fn answer(&self, at: usize, server: usize) -> bool {
        let (paired, phone) = (&self.phones[at], &self.phones[at].at[server]);
        if !paired.is_paired {
            assert_eq!(told(phone.pending(0).await), 1050);
            return false;
        }
        let waiting = phone.pending(0).await.unwrap();
        if self.standing(at) == Standing::Waiting {
            assert!(waiting.is_empty());
            return false;
        }
        assert_eq!(waiting.len(), 1);
        let id = waiting[0]["sign_on_id"].as_str().unwrap().parse().unwrap();
        phone.scan(id, None, &face()).await.unwrap();
        true
    }

    async fn take(&mut self, step: Step, by: usize, at: usize, server: usize) {
        match step {
            Step::Code => {
                let link = self.world.sites[server]
                    .enrolment_link(self.client_id, "login")
                    .await;
                let link =
                    link.replace(&self.world.servers[server].url, &self.world.servers[0].url);
                let until = self.now() + TimeDelta::seconds(600);
                return self.codes.push(Code {
                    link,
                    until,
                    is_used: false,
                });
            }
            Step::Pair => return self.pair(by, server).await,
            Step::Pass { seconds } => return self.world.servers[0].clock.advance(seconds),
            _ if self.phones.is_empty() => return,
            _ => {}
        }
        let (by, at) = (by % self.phones.len(), at % self.phones.len());
        let (id, phone) = (self.phones[at].id, &self.phones[by].at[server]);
        match step {
            Step::Confirm => {
                let expected = self.may(by, at, false);
                assert_eq!(told(phone.confirm(id).await), expected);
                self.phones[at].is_confirmed |= expected == 0;
            }
            Step::Unpair => {
                let expected = self.may(by, at, true);
                assert_eq!(told(phone.unpair(id).await), expected);
                self.phones[at].is_paired &= expected != 0;
            }
            Step::ConfirmBySite => {
                let is_done = self
                    .decide_by_site("/client/confirm_device", at, server)
                    .await;
                self.phones[at].is_confirmed |= is_done;
            }
            Step::UnpairBySite => {
                let is_done = self
                    .decide_by_site("/client/revoke_device", at, server)
                    .await;
                self.phones[at].is_paired &= !is_done;
            }
            Step::SignOn => self.sign_on(at, server).await,
            Step::Code | Step::Pair | Step::Pass { .. } => {}
        }
    }

    /// What each phone is told of itself in the end, by both servers.
    async fn end(&self) {
        for (at, paired) in self.phones.iter().enumerate() {
            for phone in &paired.at {
                if !paired.is_paired {
                    assert_eq!(told(phone.device().await), 1050);
                    continue;
                }
                let seen = phone.device().await.unwrap();
                let devices = seen["devices"].as_array().unwrap();
                let this = devices.iter().find(|one| one["this"] == true).unwrap();
                let standing = match self.standing(at) {
                    Standing::Trusted => "trusted",
                    Standing::OnTrial => "on_trial",
                    Standing::Waiting => "waiting",
                };
                assert_eq!(this["standing"], standing);
                let all = self.phones.iter().filter(|one| one.is_paired).count();
                assert_eq!(devices.len(), if self.is_trusted(at) { all } else { 1 });
            }
        }
    }
}

on_each_database! {
    async fn every_order_of_steps_leaves_each_phone_the_standing_that_the_rules_say(app: App) {
        let world = World::new(&app).await;
        try_orders(&orders(), async |order: Order| {
            let mut life = Life::begin(&world).await;
            for (step, by, at, server) in order {
                life.take(step, by, at, server).await;
            }
            life.end().await;
        });
    }
}
