//! PEM text as Kafka accepts it, made regular: blocks may stand on one line, with blanks for line ends.

/// One `-----BEGIN label-----` block.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// What it is, for example `CERTIFICATE`.
    pub(super) label: String,
    text: String,
}

impl Block {
    /// A certificate of any of the labels in use.
    pub(super) fn is_certificate(&self) -> bool {
        self.label.ends_with("CERTIFICATE")
    }

    /// A private key, encrypted or not.
    pub(super) fn is_private_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }

    /// A private key that needs a password, in PKCS #8 or the older OpenSSL form.
    pub(super) fn is_encrypted(&self) -> bool {
        self.label == "ENCRYPTED PRIVATE KEY" || self.text.contains("ENCRYPTED")
    }
}

/// All blocks of `text`, in order; text around them is skipped.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((label, body, after)) = next_block(rest) {
        found.push(Block { label: label.to_owned(), text: body.to_owned() });
        rest = after;
    }
    found
}

fn next_block(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find("-----BEGIN ")? + "-----BEGIN ".len();
    let label_end = start + text[start..].find("-----")?;
    let label = &text[start..label_end];
    let body = &text[label_end + 5..];
    let end_mark = format!("-----END {label}-----");
    let end = body.find(&end_mark)?;
    Some((label, &body[..end], &body[end + end_mark.len()..]))
}

/// Writes `blocks` with 64 characters a line, as strict readers want it.
pub(super) fn to_text<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> String {
    let mut out = String::new();
    for block in blocks {
        let code: Vec<u8> = block.text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        out.push_str(&format!("-----BEGIN {}-----\n", block.label));
        for line in code.chunks(64) {
            out.push_str(&String::from_utf8_lossy(line));
            out.push('\n');
        }
        out.push_str(&format!("-----END {}-----\n", block.label));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_becomes_lines() {
        let code = "QUJD".repeat(20);
        let found = blocks(&format!(
            "subject=x -----BEGIN CERTIFICATE----- {code} -----END CERTIFICATE-----\
             -----BEGIN PRIVATE KEY-----\n{code}\n-----END PRIVATE KEY-----"
        ));
        assert_eq!(found.len(), 2);
        assert!(found[0].is_certificate() && found[1].is_private_key() && !found[1].is_encrypted());
        let text = to_text(&found[..1]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!((lines[1].len(), lines[2].len()), (64, 16));
    }

    #[test]
    fn encrypted_keys_are_recognised() {
        let pkcs8 = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----";
        let old =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAA==\n-----END RSA PRIVATE KEY-----";
        assert!(blocks(pkcs8)[0].is_encrypted());
        assert!(blocks(old)[0].is_encrypted());
        assert!(blocks("-----BEGIN CERTIFICATE-----\nAA==\n").is_empty());
    }
}
