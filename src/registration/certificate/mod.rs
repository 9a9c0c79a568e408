//! A certificate authority: the certificates by which the control plane checks a compute
//! cluster's API server.
//!
//! The control plane's Go client gets them as PEM, text in which each certificate stands between
//! a BEGIN and an END line, and reads it with `CertPool.AppendCertsFromPEM`. That function skips
//! whatever it can't read and says nothing, so everything is checked here: what a person can see
//! was meant is normalised, and the rest is refused, each kind of mistake with its own hint.
//!
//! The text can be anything, a private key included. No error holds a byte of it.

mod base64_text;
mod findings;
mod pem;
mod private_key;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod unreadable;
mod x509;

use std::collections::HashSet;
use std::time::SystemTime;

use anyhow::{Result, bail};

use crate::registration::finding::Finding;
pub use x509::{Certificate, Role};

/// The certificates by which the control plane checks the compute cluster's API server; at least
/// one, each once.
#[derive(Clone, Debug)]
pub struct CertificateAuthority {
    pem: String,
    certificates: Vec<Certificate>,
}

impl CertificateAuthority {
    /// Reads `certificate-authority-data` of a kubeconfig: base64 of PEM, with any ASCII white
    /// space.
    ///
    /// # Errors
    /// As [`CertificateAuthority::from_pem`], and where the text isn't base64.
    pub fn from_base64(text: &str) -> Result<Self> {
        let decoded = base64_text::decode_field(text);
        if decoded.is_err() {
            // Otherwise a private key would be in the bytes, where it is looked for.
            private_key::refuse(text.as_bytes())?;
        }
        unreadable::refuse_placeholder(text)?;
        Self::from_pem(&decoded?)
    }

    /// Reads a PEM file's bytes.
    ///
    /// # Errors
    /// Where the bytes aren't PEM, hold anything but certificates, or hold a certificate that the
    /// control plane would skip.
    pub fn from_pem(bytes: &[u8]) -> Result<Self> {
        private_key::refuse(bytes)?;
        unreadable::refuse_binary(bytes)?;
        let text = String::from_utf8_lossy(bytes);
        unreadable::refuse_placeholder(&text)?;

        let lines = pem::unescape(&text);
        let blocks = pem::blocks(&lines)?;
        if blocks.is_empty() {
            return Err(unreadable::explain(&text));
        }
        let (certificates, duplicates) = certificates(&blocks)?;
        let pem = if !duplicates && pem::is_clean(&text, &blocks) {
            text.into_owned()
        } else {
            certificates.iter().map(|c| pem::encode(c.der())).collect()
        };
        Ok(Self { pem, certificates })
    }

    /// The PEM for the control plane: the input byte for byte where it was clean, else encoded
    /// anew. [`pem`](self) says what clean is; both forms are such that Go reads every
    /// certificate of it.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificates, in the order of the input.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// What is suspicious. `now` only decides about findings and never changes the PEM.
    #[must_use]
    pub fn findings(&self, now: SystemTime) -> Vec<Finding> {
        findings::of(&self.pem, &self.certificates, now)
    }
}

/// The certificates of all blocks, each once, and whether there were duplicates.
fn certificates(blocks: &[pem::Block<'_>]) -> Result<(Vec<Certificate>, bool)> {
    let mut seen = HashSet::new();
    let mut certificates = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let place = format!("block {} of {}", index + 1, blocks.len());
        if let Some(hint) = block.foreign() {
            bail!("{place} is {hint}");
        }
        let Some(der) = block.decode() else {
            bail!(
                "{place} is corrupt: what stands between its BEGIN and END lines is not base64; \
                 copy the certificate again, or remove the block"
            );
        };
        let certificate =
            Certificate::from_der(&der).map_err(|defect| anyhow::anyhow!("{place} {defect}"))?;
        if seen.insert(der) {
            certificates.push(certificate);
        }
    }
    let duplicates = certificates.len() < blocks.len();
    Ok((certificates, duplicates))
}
