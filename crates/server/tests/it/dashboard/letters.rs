//! Letters: what is asked for at the door, who gets one, and what its link does.

use reqwest::StatusCode;
use server::{
    account::{self, Account},
    platform::{
        clock::Clock,
        config::{Settings, SignUp},
    },
};
use testkit::{App, Letter, MailServer, on_each_database};

use super::{Visitor, dev_mail, make_account, signed_in, visitor::PASSWORD};
use crate::device_facial::count;

pub(super) fn mails(app: &App) -> MailServer {
    MailServer::of(&app.app.state.settings)
}

fn open(settings: &mut Settings) {
    MailServer::start(settings);
    settings.accounts.sign_up = SignUp::Open;
}

/// An account whose person reads the mail of its address.
pub(super) async fn confirmed(app: &App, email: &str) -> Account {
    let made = make_account(app, email, false).await;
    account::ask_to_confirm(&app.app.state, &made)
        .await
        .unwrap();
    app.deliver().await;
    let token = mails(app).one().token();
    account::confirm(&app.app.state, &token).await.unwrap();
    made
}

async fn ask(app: &App, path: &str, email: &str) -> super::visitor::Seen {
    Visitor::new(app).post(path, &[("email", email)]).await
}

/// The letters that were sent by now.
pub(super) async fn sent(app: &App) -> Vec<Letter> {
    app.deliver().await;
    mails(app).take()
}

async fn join(app: &App, token: &str, password: &str) -> (StatusCode, Visitor) {
    let visitor = Visitor::new(app);
    let seen = visitor
        .post(
            "/dashboard/join",
            &[("token", token), ("password", password)],
        )
        .await;
    (seen.status, visitor)
}

on_each_database! {
    async fn a_password_that_is_forgotten_is_set_by_a_letter_once(app: App, |settings| MailServer::start(settings)) {
        confirmed(&app, "ann@example.com").await;
        let there = signed_in(&app, "ann@example.com").await;
        assert!(Visitor::new(&app).get("/dashboard/sign-in").await.text.contains("/dashboard/forgot"));
        assert_eq!(ask(&app, "/dashboard/forgot", " Ann@Example.com ").await.status, StatusCode::OK);
        let letters = sent(&app).await;
        assert_eq!((letters.len(), letters[0].to.as_slice()), (1, ["ann@example.com".to_owned()].as_slice()));
        assert!(letters[0].link().starts_with(&format!("{}/dashboard/join?token=al_", app.url)));
        assert_eq!(there.get("/dashboard").await.status, StatusCode::OK, "asking alone changes nothing");
        let token = letters[0].token();
        let (status, ann) = join(&app, &token, "another long password").await;
        assert_eq!((status, ann.get("/dashboard").await.status), (StatusCode::SEE_OTHER, StatusCode::OK));
        assert!(there.get("/dashboard").await.location.contains("sign-in"));
        assert_eq!(join(&app, &token, "a third long password").await.0, StatusCode::GONE);
        // They are told, and what waits in the outbox holds neither a token nor a password.
        let told = sent(&app).await;
        assert!(told[0].text.contains("Subject: A way into your account was changed"), "{}", told[0].text);
        assert_eq!(count(&app, "select count(*) as n from outbox where body like '%al!_%' escape '!'").await, 0);
        ask(&app, "/dashboard/forgot", "ann@example.com").await;
        let late = sent(&app).await[0].token();
        app.clock.advance(3600);
        assert_eq!(join(&app, &late, "a third long password").await.0, StatusCode::GONE, "an hour");
    }

    async fn nobody_learns_from_the_answer_who_has_an_account(app: App, |settings| open(settings)) {
        confirmed(&app, "ann@example.com").await;
        make_account(&app, "unconfirmed@example.com", false).await;
        for path in ["/dashboard/forgot", "/dashboard/sign-up"] {
            let mut answers = Vec::new();
            for email in ["ann@example.com", "nobody@example.com", "unconfirmed@example.com"] {
                drop(app.statements.take());
                let seen = ask(&app, path, email).await;
                answers.push((seen.status, seen.set_cookie, seen.text.replace(email, "EMAIL"), app.statements.take()));
            }
            assert_eq!(answers[0].0, StatusCode::OK);
            assert!(!answers[0].3.is_empty() && !answers[0].3.iter().any(|sql| sql.contains("accounts")), "{:?}", answers[0].3);
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{path}: {answers:?}");
        }
        let letters = sent(&app).await;
        let to = |address: &str| letters.iter().filter(|letter| letter.to == [address]).map(|letter| &letter.text).collect::<Vec<_>>();
        assert_eq!(to("ann@example.com").len(), 2, "another password, and that there is an account");
        assert!(to("ann@example.com").iter().any(|text| text.contains("You have one already")));
        assert!(to("nobody@example.com").iter().all(|text| text.contains("Choose its password")));
        assert!(to("unconfirmed@example.com").iter().all(|text| !text.contains("token=")), "a slip of the pen hands nothing over");
    }

    async fn letters_to_an_address_are_few_whether_it_is_known_or_not(app: App, |settings| { MailServer::start(settings); settings.limits.mail_per_address = 2; }) {
        confirmed(&app, "ann@example.com").await;
        for email in ["ann@example.com", "nobody@example.com"] {
            for _ in 0..2 {
                assert_eq!(ask(&app, "/dashboard/forgot", email).await.status, StatusCode::OK, "{email}");
            }
            let slowed = ask(&app, "/dashboard/forgot", email).await;
            assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS, "{email}");
            assert!(slowed.text.contains("Try again in 3 minutes"), "{}", slowed.text);
        }
        let named = "select count(*) as n from audit_events where detail like '%nobody@%' or detail like '%ann@%'";
        assert_eq!(count(&app, named).await, 0);
        assert_eq!(ask(&app, "/dashboard/forgot", "not an address").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }

    async fn letters_from_one_network_are_few(app: App, |settings| { MailServer::start(settings); settings.limits.mail_per_ip = 3; }) {
        for number in 0..3 {
            assert_eq!(ask(&app, "/dashboard/forgot", &format!("p{number}@example.com")).await.status, StatusCode::OK);
        }
        assert_eq!(ask(&app, "/dashboard/forgot", "p4@example.com").await.status, StatusCode::TOO_MANY_REQUESTS);
    }

    async fn an_account_is_made_by_whoever_reads_the_mail_where_that_is_open(app: App, |settings| open(settings)) {
        make_account(&app, "root@example.com", true).await;
        assert!(Visitor::new(&app).get("/dashboard/sign-in").await.text.contains("/dashboard/sign-up"));
        ask(&app, "/dashboard/sign-up", "ann@example.com").await;
        assert_eq!(count(&app, "select count(*) as n from accounts").await, 1, "asking makes none");
        let token = sent(&app).await[0].token();
        assert_eq!(join(&app, &token, "short").await.0, StatusCode::UNPROCESSABLE_ENTITY);
        let (status, ann) = join(&app, &token, PASSWORD).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let own = ann.get("/dashboard/account").await;
        assert!(own.text.contains("ann@example.com") && !own.text.contains("not confirmed") && !own.text.contains("runs this installation"));
        assert_eq!(join(&app, &token, PASSWORD).await.0, StatusCode::GONE);
        // Two letters, and only one account.
        ask(&app, "/dashboard/sign-up", "bob@example.com").await;
        ask(&app, "/dashboard/sign-up", "bob@example.com").await;
        let letters = sent(&app).await;
        assert_eq!(letters.len(), 2);
        assert_eq!(join(&app, &letters[0].token(), PASSWORD).await.0, StatusCode::SEE_OTHER);
        assert_eq!(join(&app, &letters[1].token(), "a password of somebody else").await.0, StatusCode::CONFLICT);
        signed_in(&app, "bob@example.com").await;
    }

    async fn where_it_is_closed_nobody_makes_an_account(app: App, |settings| MailServer::start(settings)) {
        make_account(&app, "root@example.com", true).await;
        assert!(!Visitor::new(&app).get("/dashboard/sign-in").await.text.contains("sign-up"));
        assert_eq!(Visitor::new(&app).get("/dashboard/sign-up").await.status, StatusCode::NOT_FOUND);
        assert_eq!(ask(&app, "/dashboard/sign-up", "ann@example.com").await.status, StatusCode::NOT_FOUND);
        assert!(sent(&app).await.is_empty());
    }

    async fn an_address_is_confirmed_by_a_letter_and_a_button(app: App, |settings| MailServer::start(settings)) {
        make_account(&app, "ann@example.com", true).await;
        let ann = signed_in(&app, "ann@example.com").await;
        assert!(ann.get("/dashboard/account").await.text.contains("Your address is not confirmed"));
        assert_eq!(ann.post("/dashboard/account/confirm", &[]).await.status, StatusCode::SEE_OTHER);
        let letter = sent(&app).await.remove(0);
        let path = letter.link().replace(&app.url, "");
        // Whoever looks into mail by machine follows links, and sends no forms.
        let page = Visitor::new(&app).get(&path).await;
        assert!(page.text.contains("This is my address") && ann.get("/dashboard/account").await.text.contains("not confirmed"));
        let token = page.hidden("token");
        assert_eq!(join(&app, &token, "a password of somebody else").await.0, StatusCode::GONE, "it sets no password");
        let stranger = Visitor::new(&app);
        assert_eq!(stranger.post("/dashboard/confirm", &[("token", &token)]).await.status, StatusCode::OK);
        assert!(!ann.get("/dashboard/account").await.text.contains("not confirmed"));
        assert_eq!(stranger.post("/dashboard/confirm", &[("token", &token)]).await.status, StatusCode::GONE);
        assert!(stranger.get("/dashboard").await.location.contains("sign-in"), "it signs nobody in");
        assert_eq!(count(&app, "select count(*) as n from audit_events where action = 'address_confirmed'").await, 1);
    }

    async fn owners_invite_by_a_letter_where_they_may_and_are_told_nothing(app: App, |settings| { MailServer::start(settings); settings.accounts.sign_up = SignUp::Invited; }) {
        let site = app.site("a.example").await;
        let path = format!("/dashboard/apps/{}/access", site.site_id);
        let owner = make_account(&app, "owner@example.com", false).await;
        let state = &app.app.state;
        account::give_role(&state.db, &state.keys, (owner.id, site.site_id), (account::Role::Owner, account::By::Administrator), app.clock.now()).await.unwrap();
        confirmed(&app, "known@example.com").await;
        let owner = signed_in(&app, "owner@example.com").await;
        let invite = async |email: &str| {
            let seen = owner.post(&path, &[("email", email), ("role", "operator")]).await;
            let next = owner.get(&seen.location).await.text;
            let notice = next.split("class=\"notice good\"").nth(1).unwrap().split("</p>").next().unwrap().replace(email, "EMAIL");
            (seen.status, notice)
        };
        assert_eq!(invite("known@example.com").await, invite("new@example.com").await);
        let letters = sent(&app).await;
        let to = |address: &str| letters.iter().find(|letter| letter.to == [address]).unwrap();
        assert!(to("known@example.com").text.contains("as operator") && !to("known@example.com").text.contains("token="));
        let (status, new) = join(&app, &to("new@example.com").token(), PASSWORD).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert!(new.get("/dashboard").await.text.contains("a.example"));
        assert_eq!(new.get(&path).await.status, StatusCode::FORBIDDEN, "an operator");
        assert!(!new.get("/dashboard/account").await.text.contains("not confirmed"));
    }

    async fn a_letter_that_is_not_taken_is_sent_again_with_the_same_link(app: App, |settings| MailServer::start(settings)) {
        confirmed(&app, "ann@example.com").await;
        mails(&app).refuse("451 not now");
        ask(&app, "/dashboard/forgot", "ann@example.com").await;
        assert!(sent(&app).await.is_empty());
        let links = "select count(*) as n from account_links where purpose = 'password' and used_at is null";
        assert_eq!(count(&app, links).await, 1);
        // A password that the operator mistyped loses no letter.
        mails(&app).refuse("535 come in first");
        app.clock.advance(60);
        assert!(sent(&app).await.is_empty());
        app.clock.advance(60);
        let letter = sent(&app).await.remove(0);
        assert_eq!(count(&app, links).await, 1, "it is the same");
        assert_eq!(join(&app, &letter.token(), "another long password").await.0, StatusCode::SEE_OTHER);
        drop(sent(&app).await);
        // What is refused for good is not tried again.
        mails(&app).refuse("550 no such mailbox");
        ask(&app, "/dashboard/forgot", "ann@example.com").await;
        assert!(sent(&app).await.is_empty());
        app.clock.advance(3000);
        assert!(sent(&app).await.is_empty());
        assert_eq!(count(&app, "select count(*) as n from outbox where kind = 'mail' and state = 'dead'").await, 1);
    }

    async fn whoever_develops_reads_letters_on_a_page_and_nobody_else(app: App) {
        make_account(&app, "ann@example.com", true).await;
        let ann = signed_in(&app, "ann@example.com").await;
        ann.post("/dashboard/account/confirm", &[]).await;
        app.deliver().await;
        let address = dev_mail(&app);
        let page = Visitor::new(&app).get(&address).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("Confirm your address") && page.text.contains("/dashboard/confirm?token=al_"), "{}", page.text);
        // Whatever is in front of it, and by whatever name: the terminal alone says the key.
        for guess in ["/dev/mail", "/dev/mail?key=", &address[..address.len() - 1]] {
            assert_eq!(Visitor::new(&app).get(guess).await.status, StatusCode::NOT_FOUND, "{guess}");
        }
        for (name, value) in [("host", "evil.example"), ("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=203.0.113.7")] {
            let request = reqwest::Client::new().get(format!("{}{address}", app.url)).header(name, value);
            assert_eq!(request.send().await.unwrap().status(), StatusCode::NOT_FOUND, "{name}");
        }
    }

    async fn a_public_server_without_mail_writes_and_shows_none(app: App, |settings| settings.server.public_url = "https://signin.example".into()) {
        make_account(&app, "ann@example.com", true).await;
        assert_eq!(Visitor::new(&app).get("/dev/mail").await.status, StatusCode::NOT_FOUND);
        let door = Visitor::new(&app).get("/dashboard/sign-in").await.text;
        assert!(door.contains("axiam account reset") && !door.contains("/dashboard/forgot"));
        for path in ["/dashboard/forgot", "/dashboard/sign-up"] {
            assert_eq!(ask(&app, path, "ann@example.com").await.status, StatusCode::NOT_FOUND);
        }
        assert_eq!(count(&app, "select count(*) as n from outbox").await, 0);
    }
}
