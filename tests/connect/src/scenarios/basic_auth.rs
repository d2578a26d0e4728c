//! The extension that asks for names and passwords: whom it lets pass, what it answers, and what it makes of its files.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{List, OWN};
use crate::http::Request;
use crate::lab::{On, Worker};
use crate::settings;
use crate::transcript::{T, answer_line};

const PACKAGE: &str = "org.apache.kafka.connect.rest.basic.auth.extension";
const USERS: &str = "fred=a:b\nwilma = secret \nbetty:x\\u00e9\\u20ac\n# barney=none\n";

pub(super) fn list(list: &mut List) {
    list.add(OWN, "who_may", |t| with_worker(t, &one_module(), Some(USERS), who_may));
    list.add(OWN, "what_is_open", |t| with_worker(t, &one_module(), Some(USERS), what_is_open));
    list.add(OWN, "no_users", |t| with_worker(t, &one_module(), Some("# nobody\n"), someone_asks));
    for (name, jaas, users) in [
        ("no_file_of_users", one_module(), None),
        ("bad_file_of_users", one_module(), Some("fred=\\u12\n")),
        ("no_option", entry("KafkaConnect", "required"), Some(USERS)),
        ("blank_option", entry("KafkaConnect", "required file=\" \""), Some(USERS)),
        ("no_entry", entry("KafkaClient", "required file=\"<users>\""), Some(USERS)),
        ("optional", entry("KafkaConnect", "optional file=\"<users>\""), Some(USERS)),
        ("no_flag", entry("KafkaConnect", "file=\"<users>\""), Some(USERS)),
        ("no_semicolon", one_module().replace("\";", "\""), Some(USERS)),
        ("not_closed", one_module().replace("};", ""), Some(USERS)),
        ("no_jaas_file", String::new(), Some(USERS)),
        ("empty_jaas_file", "\n".to_owned(), Some(USERS)),
        ("unknown_module", "KafkaConnect { com.example.Nobody required; };".to_owned(), Some(USERS)),
        ("a_module_of_others", one_module().replace("{", "{ com.example.Nobody required;"), Some(USERS)),
        (
            "an_optional_module_of_others",
            one_module().replace("{", "{ com.example.Nobody optional;"),
            Some(USERS),
        ),
        (
            "two_files",
            one_module()
                .replace("{", &format!("{{ {PACKAGE}.PropertyFileLoginModule required file=\"<more>\";")),
            Some(USERS),
        ),
    ] {
        list.add(OWN, name, move |t| with_worker(t, &jaas, users, someone_asks));
    }
}

fn entry(name: &str, rest: &str) -> String {
    format!("{name} {{\n {PACKAGE}.PropertyFileLoginModule {rest};\n}};\n")
}

fn one_module() -> String {
    entry("KafkaConnect", "required file=\"<users>\"")
}

/// Starts a worker with the extension and these files; notes how it ends if it does, else goes on with it.
fn with_worker(t: &mut T<'_>, jaas: &str, users: Option<&str>, then: impl FnOnce(&mut T<'_>, &Worker, &str)) {
    let (lab, name) = (t.lab, t.name("worker"));
    let file = match users {
        Some(users) => t.file("users", users),
        None => t.path("absent").display().to_string(),
    };
    let more = t.file("more", "dino=bone\n");
    if !jaas.is_empty() {
        std::fs::write(lab.jaas_file(&name), jaas.replace("<users>", &file).replace("<more>", &more))
            .unwrap();
    }
    let mut admins = String::new();
    let settings = |address: &str, admin: &str| {
        admins = admin.to_owned();
        let common = settings::worker(lab, On::Standalone, address, admin);
        format!(
            "{common}rest.extension.classes={PACKAGE}.BasicAuthSecurityRestExtension\n\
             admin.listeners=http://{admin}\naccess.control.allow.origin=*\n"
        )
    };
    match lab.launch(&name, On::Standalone, settings, &[]) {
        Err(log) => {
            t.note("lets in", log.lines().next_back().unwrap_or_default());
        }
        Ok(worker) => {
            let health = Request::new("GET", "/health").header("Authorization", &basic("fred:a:b"));
            t.until(|_| (crate::http::send(&worker.address, &health).ok()?.status != 503).then_some(()));
            then(t, &worker, &admins);
            worker.stop();
        }
    }
}

fn basic(who: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(who))
}

/// Notes what becomes of a request, under a name of its own.
fn ask(t: &mut T<'_>, worker: &Worker, label: &str, request: &Request) {
    let answer = crate::http::send(&worker.address, request);
    t.note(label, answer.map_or_else(|error| error.to_string(), |answer| answer_line(&answer)));
}

/// Who is let in.
fn someone_asks(t: &mut T<'_>, worker: &Worker, _: &str) {
    let request = Request::new("GET", "/connectors");
    let asked =
        [("nobody", None), ("fred", Some("fred:a:b")), ("liar", Some("fred:b")), ("dino", Some("dino:bone"))];
    let mut may = Vec::new();
    for (name, who) in asked {
        let request = who.map_or(request.clone(), |who| request.clone().header("Authorization", &basic(who)));
        if crate::http::send(&worker.address, &request).is_ok_and(|answer| answer.status == 200) {
            may.push(name);
        }
    }
    t.note("lets in", format!("{may:?}"));
}

fn who_may(t: &mut T<'_>, worker: &Worker, _: &str) {
    let request = Request::new("GET", "/connectors");
    ask(t, worker, "nobody", &request);
    for who in [
        "fred:a:b",
        "fred:a",
        "fred:",
        "fred",
        ":a:b",
        ":",
        "",
        "Fred:a:b",
        "wilma:secret ",
        "wilma:secret",
        "betty:xé€",
        "# barney:none",
        "barney:none",
        "fred\n:a:b",
    ] {
        ask(t, worker, &format!("<{who}>"), &request.clone().header("Authorization", &basic(who)));
    }
    let good = BASE64_STANDARD.encode("fred:a:b");
    let bare = BASE64_STANDARD.encode("wilma:secret ").trim_end_matches('=').to_owned();
    for value in [
        format!("basic {good}"),
        format!("BASIC {good}"),
        format!("Basic  {good}"),
        format!("Basic\t{good}"),
        format!("Basic{good}"),
        format!("Bearer {good}"),
        format!("Basic {good} more"),
        format!("Basic {good}="),
        format!("Basic {good}!"),
        format!("Basic {bare}"),
        "Basic".to_owned(),
        "Basic /w==".to_owned(),
        "Basic gDp4".to_owned(),
        "Bearer !".to_owned(),
    ] {
        ask(t, worker, &value, &request.clone().header("Authorization", &value));
    }
    let mut twice = request.clone().header("Authorization", &basic("fred:b"));
    twice.headers.push(("Authorization".to_owned(), basic("fred:a:b")));
    ask(t, worker, "wrong, then right", &twice);
    twice.headers.swap(1, 2);
    ask(t, worker, "right, then wrong", &twice);
    for accept in ["*/*", "text/plain", "text/html,application/xml"] {
        ask(t, worker, &format!("accept {accept}"), &request.clone().header("Accept", accept));
    }
}

fn what_is_open(t: &mut T<'_>, worker: &Worker, admin: &str) {
    for (method, path) in [
        ("GET", "/"),
        ("HEAD", "/"),
        ("OPTIONS", "/"),
        ("OPTIONS", "/connectors"),
        ("DELETE", "/"),
        ("GET", "/health"),
        ("GET", "/nothing"),
        ("GET", "/connectors/x/nothing"),
        ("PUT", "/connectors"),
        ("GET", "/admin/loggers"),
        ("GET", "/connector-plugins"),
        ("GET", "/connectors/x/tasks"),
        ("POST", "/connectors/x/restart"),
        ("PUT", "/connectors/x/pause"),
        ("DELETE", "/connectors/x"),
        ("GET", "/connectors/x%2Ftasks"),
    ] {
        t.send_to(&worker.address, Request::new(method, path));
    }
    for (method, path) in [
        ("POST", "/connectors"),
        ("PUT", "/connectors/x/config"),
        ("POST", "/connectors/x/tasks"),
        ("POST", "/connectors/x/tasks/"),
        ("POST", "/connectors/x%20y/tasks"),
        ("POST", "/connectors/x%2Fy/tasks"),
        ("POST", "/connectors/x/tasks?forward=false"),
        ("PUT", "/connectors/x/tasks"),
        ("PUT", "/connectors/x/fence"),
        ("PUT", "/connectors/x/fence/"),
        ("POST", "/connectors/x/fence"),
    ] {
        t.send_to(&worker.address, Request::new(method, path).json("[]"));
    }
    let known = basic("fred:a:b");
    for (method, path) in [("HEAD", "/"), ("OPTIONS", "/"), ("GET", "/nothing"), ("DELETE", "/")] {
        ask(
            t,
            worker,
            &format!("known: {method} {path}"),
            &Request::new(method, path).header("Authorization", &known),
        );
    }
    let preflight = Request::new("OPTIONS", "/connectors").header("Origin", "http://a.example");
    ask(t, worker, "preflight", &preflight.header("Access-Control-Request-Method", "GET"));
    ask(t, worker, "of another origin", &Request::new("GET", "/").header("Origin", "http://a.example"));
    for path in ["/admin/loggers/root", "/", "/nothing"] {
        t.send_to(admin, Request::new("GET", path));
    }
}
