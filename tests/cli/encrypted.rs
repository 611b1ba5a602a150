//! Gateways, what is asked beside them, and servers behind the reference gateway, all at `https://` addresses.

use crate::program::{ENOUGH, Ran, heard, ran, start};
use crate::remote::{self, TOKENS, elsewhere, rendered};
use crate::suite::folder;
use mcp_gauntlet::embedded::{GATEWAYS, text};
use mcp_gauntlet::gateway::free_ports;
use mcp_gauntlet::transport::child::Talk;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// An authority of our own.
struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// Its certificate is written into the folder as `NAME.pem`.
    fn new(folder: &Path, name: &str) -> Self {
        let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::default());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let own = params.self_signed(&key).unwrap();
        fs::write(folder.join(name).with_extension("pem"), own.pem()).unwrap();
        Self(Issuer::new(params, key))
    }

    /// Ends the encryption for a host in front of a plain address; gives the port where it does. It would rather speak
    /// HTTP/2, as gateways of today do.
    async fn front(&self, host: &str, behind: SocketAddr, fronts: &mut JoinSet<()>) -> u16 {
        let key = KeyPair::generate().unwrap();
        let shown = CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        let versions = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = versions
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![shown.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let (acceptor, listener) =
            (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let port = listener.local_addr().unwrap().port();
        fronts.spawn(async move {
            let mut passing = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                passing.spawn(pass(acceptor.clone(), stream, behind));
            }
        });
        port
    }
}

/// One connection, until either side has enough. Who is not there yet, or does not trust us, is no matter here.
async fn pass(acceptor: TlsAcceptor, stream: TcpStream, behind: SocketAddr) -> Option<(u64, u64)> {
    let mut outside = acceptor.accept(stream).await.ok()?;
    assert_eq!(outside.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut inside = TcpStream::connect(behind).await.ok()?;
    tokio::io::copy_bidirectional(&mut outside, &mut inside).await.ok()
}

/// The address behind `http://` and before the path.
fn address(url: &str) -> SocketAddr {
    url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap().parse().unwrap()
}

/// Runs the program where the runtime goes on passing bytes.
async fn beside(folder: &Path, words: &[&str], environment: &[(&str, &str)]) -> Ran {
    let owned = |text: &str| text.to_owned();
    let (folder, words) = (folder.to_owned(), words.iter().copied().map(owned).collect::<Vec<_>>());
    let environment: Vec<_> = environment.iter().map(|(name, value)| (owned(name), owned(value))).collect();
    let running = tokio::task::spawn_blocking(move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        ran(&folder, &words, &environment)
    });
    running.await.unwrap()
}

/// Two addresses of one gateway, with certificates for `localhost` and for another host; and the words for each mistake.
async fn misled(
    authority: &Authority,
    behind: SocketAddr,
    fronts: &mut JoinSet<()>,
) -> (String, [(String, &'static str, &'static str); 3]) {
    let right = format!("https://localhost:{}/mcp", authority.front("localhost", behind, fronts).await);
    let wrong = format!("https://localhost:{}/mcp", authority.front("other.test", behind, fronts).await);
    let told = [
        (
            right.clone(),
            "nothing.pem",
            "no trust: `localhost` shows a certificate, and no authority is known here",
        ),
        (
            right.clone(),
            "another.pem",
            "no trust: `localhost` shows a certificate of an authority that is not known here: name the file with the certificate of its authority as `SSL_CERT_FILE`",
        ),
        (wrong, "authority.pem", "no trust: `localhost` shows a certificate for another host, `other.test`"),
    ];
    (right, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_runs_is_driven_and_examined_where_it_is_trusted() {
    let (folder, listen) = (remote::suite(), elsewhere().to_string());
    let path = folder.path();
    assert_eq!(rendered(path, &listen).code, 0);
    let (gateway, url) = remote::gateway(path).await;
    let (authority, mut fronts) = (Authority::new(path, "authority"), JoinSet::new());
    Authority::new(path, "another");
    let (right, misled) = misled(&authority, address(&url), &mut fronts).await;
    let told = async |verb: &[&str], file: &str| {
        let words = [verb, &["--header", "Authorization: Bearer ${TOKEN}"]].concat();
        beside(path, &words, &[&TOKENS[..], &[("SSL_CERT_FILE", file)]].concat()).await
    };
    let of_lab = ["--listen", &listen, "--bearer", "${LAB_TOKEN}", "--wait", "20s"];
    let run = [&["run", "suite", "--gateway", "reference-process"][..], &of_lab, &["--gateway-url"]].concat();
    let doctor = ["doctor", "--url"];
    let driven = told(&[&run[..], &[&right]].concat(), "authority.pem").await;
    assert_eq!(driven.code, 0, "{}{}", driven.out, driven.err);
    assert!(driven.out.contains("2 passed, 0 failed"), "{}", driven.out);
    for (url, file, why) in &misled {
        let begun = Instant::now();
        let driven = told(&[&run[..], &[url]].concat(), file).await;
        assert_eq!(driven.code, 3, "{}{}", driven.out, driven.err);
        assert!(driven.err.contains(why), "{}", driven.err);
        assert!(driven.err.contains("help: let the gateway show a certificate"), "{}", driven.err);
        assert!(begun.elapsed() < Duration::from_secs(20), "what does not pass is not waited for");
        let examined = told(&[&doctor[..], &[url]].concat(), file).await;
        assert_eq!(examined.code, 3, "{}{}", examined.out, examined.err);
        assert!(examined.out.contains(why), "{}", examined.out);
    }
    let plain = format!("https://{}/mcp", address(&url));
    let examined = told(&[&doctor[..], &[&plain]].concat(), "authority.pem").await;
    assert_eq!(examined.code, 3, "{}{}", examined.out, examined.err);
    let why = "no connection: `127.0.0.1` does not answer in TLS: is it an `http://` address?";
    assert!(examined.out.contains(why), "{}", examined.out);
    gateway.stop(ENOUGH).await;
}

/// What goes over streams, in several requests at once, as raw bytes, by other verbs, and to where approvals are decided.
const OVER_TLS: [&str; 9] = [
    "DENY-01-denied-tool",
    "DENY-06-batch-as-declared",
    "DENY-11-not-strict-json",
    "DENY-13-other-paths-and-verbs",
    "APPR-02-approved-runs-once",
    "APPR-03-rejected",
    "PROTO-02-sessions",
    "TRANS-09-long-answers",
    "TRANS-10-questions-pass",
];

/// Writes a profile like `reference-process`, with an address in front of each at which it is spoken to: for agents, and for
/// those who decide.
async fn hidden(folder: &Path, authority: &Authority, fronts: &mut JoinSet<()>) {
    let (inside, side) = free_ports().unwrap();
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let (inside, side) = (local(inside), local(side));
    let front = format!("https://localhost:{}", authority.front("localhost", inside, fronts).await);
    let desk = format!("https://127.0.0.1:{}", authority.front("127.0.0.1", side, fronts).await);
    let profile = text(GATEWAYS, "reference-process/profile.yaml").unwrap();
    let profile = profile
        .replace("gateway: reference-process", "gateway: g")
        .replace("{line: \"^listening on http://127.0.0.1:\"", &format!("{{http: \"{front}/mcp\""))
        .replace("http://127.0.0.1:{{ port }}", &front)
        .replace("http://127.0.0.1:{{ side_port }}", &desk);
    assert!(!profile.contains("http://") && profile.matches("https://").count() == 4, "{profile}");
    let template = text(GATEWAYS, "reference-process/reference.yaml.j2").unwrap();
    let template = template
        .replace("127.0.0.1:{{ port }}", &inside.to_string())
        .replace("127.0.0.1:{{ side_port }}", &side.to_string());
    fs::create_dir(folder.join("g")).unwrap();
    fs::write(folder.join("g/profile.yaml"), profile).unwrap();
    fs::write(folder.join("g/reference.yaml.j2"), template).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_started_may_speak_nothing_else() {
    let folder = folder(&[]);
    let path = folder.path();
    let (authority, mut fronts) = (Authority::new(path, "authority"), JoinSet::new());
    hidden(path, &authority, &mut fronts).await;
    let only: Vec<&str> = OVER_TLS.iter().flat_map(|name| ["--only", name]).collect();
    let words = [&["run", "--gateway", "./g", "--jobs", "1", "--json", "outcome.json"][..], &only].concat();
    let driven = beside(path, &words, &[("SSL_CERT_FILE", "authority.pem")]).await;
    assert_eq!(driven.code, 0, "{}{}", driven.out, driven.err);
    let outcome: Value =
        serde_json::from_str(&fs::read_to_string(path.join("outcome.json")).unwrap()).unwrap();
    let scenarios = outcome["scenarios"].as_array().unwrap().iter();
    let passed: BTreeSet<_> =
        scenarios.filter(|one| one["status"] == "passed").filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(passed, BTreeSet::from(OVER_TLS));
    let words = ["run", "--gateway", "./g", "--only", OVER_TLS[0]];
    let refused = beside(path, &words, &[("SSL_CERT_FILE", "g/profile.yaml")]).await;
    assert_eq!(refused.code, 3, "{}{}", refused.out, refused.err);
    let why = "gateway `g` cannot be spoken to: no trust: `localhost` shows a certificate, and no authority is known here";
    assert!(refused.err.contains(why), "{}{}", refused.out, refused.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_behind_the_reference_gateway_is_asked_where_it_is_trusted() {
    let folder = folder(&[(
        "policy.json",
        "{\"version\": \"1\", \"default\": \"deny\", \"tools\": {\"list_hosts\": {}}}",
    )]);
    let path = folder.path();
    let (authority, mut fronts) = (Authority::new(path, "authority"), JoinSet::new());
    let mock = start(path, &["mock", "ludus", "--http", "0"], &[], Talk::Words);
    let server = address(&heard(&mock, "listening on ").await);
    let upstream =
        format!("lab=https://localhost:{}/mcp", authority.front("localhost", server, &mut fronts).await);
    let words = ["gateway", "--policy", "policy.json", "--upstream", &upstream, "--http", "0"];
    let trusting = [("SSL_CERT_FILE", "authority.pem")];
    let list = "ok     server behind it  looks like `ludus`";
    let lost = "the upstream cannot be reached: no trust: `localhost` shows a certificate, and no authority is known here";
    for (environment, code, said) in [(&trusting, 0, list), (&[("SSL_CERT_FILE", "policy.json")], 1, lost)] {
        let gateway = start(path, &words, environment, Talk::Words);
        let inside = address(&heard(&gateway, "listening on ").await);
        let url =
            format!("https://127.0.0.1:{}/mcp", authority.front("127.0.0.1", inside, &mut fronts).await);
        let examined = beside(path, &["doctor", "--url", &url], &trusting).await;
        assert_eq!(examined.code, code, "{}{}", examined.out, examined.err);
        assert!(examined.out.contains(said), "{}", examined.out);
        gateway.stop(ENOUGH).await;
    }
    mock.stop(ENOUGH).await;
}
