use super::*;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

const HOST: &str = "gate.test";

fn for_hosts(hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    CertificateParams::new(hosts).unwrap()
}

/// An authority that can sign, and its own certificate.
fn authority(name: &str) -> (Issuer<'static, KeyPair>, CertificateDer<'static>) {
    let (key, mut params) = (KeyPair::generate().unwrap(), for_hosts(&[]));
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = params.self_signed(&key).unwrap().der().clone();
    (Issuer::new(params, key), own)
}

/// What `openssl req -x509` makes: a certificate for a host that is its own authority.
fn alone(change: impl FnOnce(&mut CertificateParams), hosts: &[&str]) -> CertificateDer<'static> {
    let (key, mut params) = (KeyPair::generate().unwrap(), for_hosts(hosts));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    params.self_signed(&key).unwrap().der().clone()
}

/// What is made of a certificate that the host shows, where those authorities are known.
fn verdict(known: &[CertificateDer<'static>], shown: &CertificateDer<'_>) -> String {
    let provider = Arc::new(ring::default_provider());
    let known = OnceLock::from(Known::of(known.to_vec(), &provider));
    let trust = Trust { provider, known };
    let host = ServerName::try_from(HOST).unwrap();
    match trust.verify_server_cert(shown, &[], &host, &[], UnixTime::now()) {
        Ok(_) => "trusted".to_owned(),
        Err(error) => lost(&error, HOST).0,
    }
}

#[test]
fn a_signed_certificate_is_trusted_or_the_words_say_why_not() {
    let (issuer, known) = authority("of the lab");
    let ((stranger, _), (namesake, _)) = (authority("of others"), authority("of the lab"));
    let signed = |params: CertificateParams, by: &Issuer<'_, KeyPair>| {
        params.signed_by(&KeyPair::generate().unwrap(), by).unwrap().der().clone()
    };
    let known = [known];
    assert_eq!(verdict(&known, &signed(for_hosts(&[HOST]), &issuer)), "trusted");
    let (mut past, mut future) = (for_hosts(&[HOST]), for_hosts(&[HOST]));
    past.not_after = date_time_ymd(2024, 5, 1);
    future.not_before = date_time_ymd(4000, 1, 2);
    let hostile = for_hosts(&["x`\u{1b}[31m.test", "b.test", "*.test.test"]);
    for (shown, why) in [
        (
            signed(for_hosts(&[HOST]), &namesake),
            "shows a certificate of an authority that has the name of one known here, but not its key: name the file with the certificate of its authority as `SSL_CERT_FILE`",
        ),
        (
            signed(for_hosts(&[HOST]), &stranger),
            "shows a certificate of an authority that is not known here: name the file with the certificate of its authority as `SSL_CERT_FILE`",
        ),
        (
            signed(for_hosts(&["a.test", "b.test"]), &issuer),
            "shows a certificate for another host, `a.test`, `b.test`",
        ),
        (
            signed(for_hosts(&[]), &issuer),
            "shows a certificate that names no host (its common name does not count)",
        ),
        (signed(past, &issuer), "shows a certificate that ended at 2024-05-01T00:00:00Z"),
        (signed(future, &issuer), "shows a certificate that begins at 4000-01-02T00:00:00Z"),
    ] {
        assert_eq!(verdict(&known, &shown), format!("no trust: `gate.test` {why}"));
    }
    let told = verdict(&known, &signed(hostile, &issuer));
    assert!(told.contains("for another host") && !told.contains('\u{1b}'), "{told}");
}

#[test]
fn a_certificate_that_is_its_own_authority_is_trusted_where_it_is_known() {
    let own = alone(|_| (), &[HOST]);
    let elsewhere = alone(|_| (), &["other.test"]);
    let ended = alone(|params| params.not_after = date_time_ymd(2024, 5, 1), &[HOST]);
    let known = [own.clone(), elsewhere.clone(), ended.clone()];
    assert_eq!(verdict(&known, &own), "trusted");
    for (shown, why) in [
        (
            &alone(|_| (), &[HOST]),
            "shows a certificate that is its own authority, and not known here: name its file as `SSL_CERT_FILE`",
        ),
        (&elsewhere, "shows a certificate for another host, `other.test`"),
        (&ended, "shows a certificate that ended at 2024-05-01T00:00:00Z"),
    ] {
        assert_eq!(verdict(&known, shown), format!("no trust: `gate.test` {why}"));
    }
}

#[test]
fn without_an_authority_nobody_is_trusted() {
    let (issuer, _) = authority("of the lab");
    let shown = for_hosts(&[HOST]).signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
    let told = verdict(&[], shown.der());
    assert!(
        told.starts_with("no trust: `gate.test` shows a certificate, and none of the authorities"),
        "{told}"
    );
    let told = verdict(&[vec![1, 2, 3].into()], shown.der());
    assert!(told.contains("none of the authorities known here can be read"), "{told}");
}

#[test]
fn what_is_no_matter_of_a_certificate_has_words_too() {
    use rustls::InvalidMessage::InvalidContentType;
    for (error, told) in [
        (
            Error::InvalidMessage(InvalidContentType),
            "no connection: `gate.test` does not answer in TLS: is it an `http://` address?",
        ),
        (
            Error::AlertReceived(AlertDescription::NoApplicationProtocol),
            "no connection: `gate.test` does not speak HTTP/1.1",
        ),
        (
            Error::AlertReceived(AlertDescription::CertificateRequired),
            "no trust: `gate.test` asks for a certificate of the agent, and none can be given",
        ),
        (
            Error::AlertReceived(AlertDescription::ProtocolVersion),
            "no connection: `gate.test` speaks neither TLS 1.2 nor 1.3",
        ),
        (
            Error::AlertReceived(AlertDescription::HandshakeFailure),
            "no connection: `gate.test`: received fatal alert: handshakefailure",
        ),
    ] {
        let wrapped = std::io::Error::other(std::io::Error::other(error));
        assert_eq!(lost(cause(&wrapped).unwrap(), HOST).0, told);
    }
}
