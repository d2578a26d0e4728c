//! Certificates of X.509 version 1: what `openssl x509 -req` makes of a request when it gets no file of
//! extensions, as many a guide to Kafka has it. webpki reads none, Java accepts them from whoever is signed
//! for by a trusted certificate; so does this.

use der::asn1::{AnyRef, BitStringRef};
use der::{Decode, Encode, Reader, SliceReader};
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use tokio_rustls::rustls::pki_types::{
    CertificateDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer,
};
use tokio_rustls::rustls::{CertificateError, DigitallySignedStruct, Error};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Version;

/// A certificate of version 1.
pub(super) struct VersionOne<'a> {
    parsed: X509Certificate<'a>,
}

impl<'a> VersionOne<'a> {
    /// `None` if it is of another version, or none at all.
    pub(super) fn read(certificate: &'a [u8]) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        (parsed.version() == X509Version::V1).then_some(Self { parsed })
    }

    /// Whether one of `trusted` signed it, and its time has come and is not over.
    pub(super) fn verify(
        &self,
        trusted: &[CertificateDer<'_>],
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), Error> {
        if !trusted.iter().any(|issuer| self.is_signed_by(issuer, algorithms).unwrap_or(false)) {
            return Err(CertificateError::UnknownIssuer.into());
        }
        match super::validity(self.parsed.as_raw()) {
            None => Ok(()),
            Some(_) => Err(CertificateError::Expired.into()),
        }
    }

    fn is_signed_by(&self, issuer: &[u8], algorithms: &WebPkiSupportedAlgorithms) -> Option<bool> {
        let (_, issuer) = X509Certificate::from_der(issuer).ok()?;
        if issuer.subject().as_raw() != self.parsed.issuer().as_raw() {
            return Some(false);
        }
        let key = Key::read(issuer.public_key().raw).ok()?;
        let signed = Signed::read(self.parsed.as_raw()).ok()?;
        let fits = |algorithm: &&&dyn SignatureVerificationAlgorithm| {
            key.fits(**algorithm) && algorithm.signature_alg_id().as_ref() == signed.algorithm
        };
        let verifies = |algorithm: &&dyn SignatureVerificationAlgorithm| {
            algorithm.verify_signature(key.bits, &signed.message, signed.signature).is_ok()
        };
        Some(algorithms.all.iter().filter(fits).any(verifies))
    }

    /// The proof, in TLS 1.2, that the other side has the certificate's key.
    pub(super) fn verify_tls12(
        &self,
        message: &[u8],
        proof: &DigitallySignedStruct,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = Key::read(self.parsed.public_key().raw).map_err(|_| CertificateError::BadEncoding)?;
        let mut fitting = algorithms.mapping.iter().filter(|(scheme, _)| *scheme == proof.scheme);
        let verified = fitting.any(|(_, algorithms)| {
            let mut fitting = algorithms.iter().filter(|algorithm| key.fits(**algorithm));
            fitting.any(|algorithm| algorithm.verify_signature(key.bits, message, proof.signature()).is_ok())
        });
        if verified {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    /// The same in TLS 1.3.
    pub(super) fn verify_tls13(
        &self,
        message: &[u8],
        proof: &DigitallySignedStruct,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(self.parsed.public_key().raw);
        verify_tls13_signature_with_raw_key(message, &key, proof, algorithms)
    }
}

/// `SubjectPublicKeyInfo`: the contents of its algorithm, and the key.
struct Key<'a> {
    algorithm: &'a [u8],
    bits: &'a [u8],
}

impl<'a> Key<'a> {
    fn read(info: &'a [u8]) -> der::Result<Self> {
        SliceReader::new(info)?.sequence(|inner| {
            let (algorithm, bits) = (AnyRef::decode(inner)?, BitStringRef::decode(inner)?);
            Ok(Self { algorithm: algorithm.value(), bits: bits.raw_bytes() })
        })
    }

    fn fits(&self, algorithm: &dyn SignatureVerificationAlgorithm) -> bool {
        algorithm.public_key_alg_id().as_ref() == self.algorithm
    }
}

/// `Certificate`: what is signed, with what, and the signature.
struct Signed<'a> {
    message: Vec<u8>,
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    fn read(certificate: &'a [u8]) -> der::Result<Self> {
        SliceReader::new(certificate)?.sequence(|inner| {
            let (message, algorithm) = (AnyRef::decode(inner)?, AnyRef::decode(inner)?);
            let signature = BitStringRef::decode(inner)?;
            Ok(Self {
                message: message.to_der()?,
                algorithm: algorithm.value(),
                signature: signature.raw_bytes(),
            })
        })
    }
}
