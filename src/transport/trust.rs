//! Whom an encrypted connection trusts, and the words for one that is not trusted.
//!
//! The authorities are those of the system, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name in their place, as
//! everywhere. They are read when the first certificate is shown: most runs never see one. Nothing is trusted unseen,
//! and there is no way to ask for that.

use super::http_client::{Lost, NO_CONNECTION};
use crate::diagnostic::{listed, printable_within};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};
use std::io;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

/// How a loss begins that is one of trust: asking again does not help.
pub const NO_TRUST: &str = "no trust";

/// What is done about an authority that is not known.
const WAY_OUT: &str = "name the file with the certificate of its authority as `SSL_CERT_FILE`";

/// How much of a certificate's names is told.
const NAMES: usize = 200;

/// How encrypted connections are made: one for the whole process.
pub(super) fn config() -> Arc<ClientConfig> {
    static CONFIG: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| Arc::new(configured()));
    CONFIG.clone()
}

fn configured() -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let trust = Trust { provider: provider.clone(), known: OnceLock::new() };
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = versions
        .expect("the provider speaks what is current")
        .dangerous() // what makes a verifier of one's own possible; this one asks the usual one
        .with_custom_certificate_verifier(Arc::new(trust))
        .with_no_client_auth();
    // A server that could choose must not choose what the witness does not speak.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // What one session did is not carried into the connection of another, which may be somebody else's.
    config.resumption = Resumption::disabled();
    config
}

/// The authorities of the system, or those that the environment names; an error says why there are none.
fn native() -> Result<Vec<CertificateDer<'static>>, String> {
    let loaded = rustls_native_certs::load_native_certs();
    if loaded.certs.is_empty() {
        let why = loaded.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(format!("no authority is known here{why}: {WAY_OUT}"));
    }
    Ok(loaded.certs)
}

/// Asks the usual verifier, once there are authorities.
#[derive(Debug)]
struct Trust {
    provider: Arc<CryptoProvider>,
    known: OnceLock<Result<Known, String>>,
}

#[derive(Debug)]
struct Known {
    authorities: Vec<CertificateDer<'static>>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl Known {
    fn of(authorities: Vec<CertificateDer<'static>>, provider: &Arc<CryptoProvider>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        // One that cannot be read is no reason to distrust the others.
        roots.add_parsable_certificates(authorities.iter().cloned());
        let builder = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone());
        let unusable = |_| format!("none of the authorities known here can be read: {WAY_OUT}");
        Ok(Self { authorities, verifier: builder.build().map_err(unusable)? })
    }
}

impl Trust {
    fn known(&self) -> Result<&Known, Error> {
        let known = self.known.get_or_init(|| Known::of(native()?, &self.provider));
        known.as_ref().map_err(|why| Error::General(why.clone()))
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let known = self.known()?;
        match known.verifier.verify_server_cert(shown, between, host, ocsp, now) {
            // `openssl req -x509` makes a certificate that is its own authority. Where it is known itself, that it is the one
            // shown is all there is to ask, beside its time, which was looked at before, and its names.
            Err(error) if is_authority(&error) && known.authorities.iter().any(|one| one == shown) => {
                verify_server_name(&ParsedCertificate::try_from(shown)?, host)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, shown, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, shown, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a certificate was turned down for being that of an authority; the verifier's own error for it is not public here.
fn is_authority(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::Other(other)) if other.to_string() == "CaUsedAsEndEntity")
}

/// An error and what caused it, the innermost last.
pub(super) fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            // Its own `source` leaves out what it was made of.
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

/// The cause that lies in the encryption, where one does.
pub(super) fn cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// A connection that was not made, in words that name the host.
pub(super) fn lost(error: &Error, host: &str) -> Lost {
    let host = printable_within(host, NAMES);
    let (stage, why) = match error {
        Error::InvalidCertificate(error) => (NO_TRUST, format!("`{host}` shows {}", certificate(error))),
        Error::General(why) => (NO_TRUST, format!("`{host}` shows a certificate, and {why}")),
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            (NO_TRUST, format!("`{host}` asks for a certificate of the agent, and none can be given"))
        }
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            (NO_CONNECTION, format!("`{host}` does not speak HTTP/1.1"))
        }
        Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            (NO_CONNECTION, format!("`{host}` speaks neither TLS 1.2 nor 1.3"))
        }
        Error::InvalidMessage(_) => {
            (NO_CONNECTION, format!("`{host}` does not answer in TLS: is it an `http://` address?"))
        }
        other => (NO_CONNECTION, format!("`{host}`: {}", other.to_string().to_lowercase())),
    };
    Lost(format!("{stage}: {why}"))
}

/// What is wrong with a certificate, with the way out where there is one.
fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            format!("a certificate of an authority that is not known here: {WAY_OUT}")
        }
        CertificateError::BadSignature => {
            format!(
                "a certificate of an authority that has the name of one known here, but not its key: {WAY_OUT}"
            )
        }
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "a certificate that names no host (its common name does not count)".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = listed(presented.iter().map(|name| bare(name)));
            format!("a certificate for another host, {}", printable_within(&names, NAMES))
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("a certificate that ended at {}", moment(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("a certificate that begins at {}", moment(*not_before))
        }
        other if is_authority(&Error::InvalidCertificate(other.clone())) => {
            "a certificate that is its own authority, and not known here: name its file as `SSL_CERT_FILE`"
                .to_owned()
        }
        other => format!("a certificate that cannot be trusted: {other}"),
    }
}

/// `gate.test` of `DnsName("gate.test")`.
fn bare(name: &str) -> &str {
    name.split_once("(\"").and_then(|(_, rest)| rest.strip_suffix("\")")).unwrap_or(name)
}

fn moment(time: UnixTime) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(time.as_secs())).to_string()
}

#[cfg(test)]
mod tests;
