//! TLS trust: the system's store and the file in `SSL_CERT_FILE`, with errors that name the certificate's issuer.

use std::{
    fmt,
    path::Path,
    sync::{Arc, OnceLock},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use super::cert_issuer::issuer_name;
use crate::env;

/// Returns the TLS settings of the program. The roots are read at the first handshake.
pub(super) fn config() -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let trust = ServerTrust {
        provider: provider.clone(),
        system: OnceLock::new(),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous() // Required for a custom verifier; this one delegates to the system's and adds the issuer to errors.
        .with_custom_certificate_verifier(Arc::new(trust))
        .with_no_client_auth();
    Ok(config)
}

/// Untrusted certificate. It travels inside the TLS library's error to the code that handles the failed request.
#[derive(Debug)]
pub(super) struct UntrustedCertificate {
    /// Issuer of the presented certificate.
    pub(super) issuer: Option<String>,
    cause: Error,
}

impl fmt::Display for UntrustedCertificate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Error::General(why) => out.write_str(why),
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                out.write_str("its issuer is not trusted on this machine")
            }
            cause => cause.fmt(out),
        }
    }
}

impl std::error::Error for UntrustedCertificate {}

/// System verifier, created at first use, whose errors name the certificate's issuer.
#[derive(Debug)]
struct ServerTrust {
    provider: Arc<CryptoProvider>,
    system: OnceLock<Result<Verifier, Error>>,
}

impl ServerTrust {
    fn system(&self) -> Result<&Verifier, Error> {
        let made = self.system.get_or_init(|| {
            let extra = match env::var(env::SSL_CERT_FILE) {
                Some(file) => extra_roots(Path::new(&file))?,
                None => Vec::new(),
            };
            Verifier::new_with_extra_roots(extra, self.provider.clone())
        });
        made.as_ref().map_err(Clone::clone)
    }
}

impl ServerCertVerifier for ServerTrust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self
            .system()
            .and_then(|system| system.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now));
        verified.map_err(|cause| {
            let issuer = issuer_name(end_entity);
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(UntrustedCertificate {
                issuer,
                cause,
            }))))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.system()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.system()?.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // Called when the handshake starts, before the roots are needed.
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Files in which Linux distributions keep their root certificates (as in Go and OpenSSL).
const SYSTEM_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Returns the certificates of `SSL_CERT_FILE`, which are trusted *in addition to* the system's store.
///
/// On macOS and Windows the system's verifier ignores the variable, so its certificates are added. Elsewhere the
/// verifier reads the variable *instead of* the store, so the store is added: otherwise a file that contains only the
/// company's certificate authority would make every public certificate untrusted.
fn extra_roots(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let named = format!("`{}` (from `{}`)", file.display(), env::SSL_CERT_FILE);
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| Error::General(format!("cannot read {named}: {error}")))?;
    let mut roots = usable_roots(certificates);
    if roots.is_empty() {
        return Err(Error::General(format!("{named} contains no certificate")));
    }
    if let Some(system) = SYSTEM_BUNDLES.iter().find(|path| Path::new(path).is_file()) {
        let system = CertificateDer::pem_file_iter(system).into_iter().flatten().flatten();
        roots.extend(usable_roots(system.collect()));
    }
    Ok(roots)
}

/// Returns the certificates that can be roots. An unusable one would make the verifier fail.
fn usable_roots(certificates: Vec<CertificateDer<'static>>) -> Vec<CertificateDer<'static>> {
    let fits = |certificate: &CertificateDer<'static>| RootCertStore::empty().add(certificate.clone()).is_ok();
    certificates.into_iter().filter(fits).collect()
}
