//! A certificate's extensions; of those that it knows, Go refuses what it can't read.

use std::collections::HashSet;

use x509_cert::der::asn1::ObjectIdentifier;

use super::CORRUPT;
use super::alternative_names;
use super::der::{BOOLEAN, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE};
use super::der::{context, explicit, is_object_identifier};
use super::name_constraints;

pub const SUBJECT_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
pub const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
pub const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
pub const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const CRL_DISTRIBUTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");
const POLICIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32");
const POLICY_MAPPINGS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.33");
const AUTHORITY_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
const POLICY_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.36");
const EXT_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const INHIBIT_ANY_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.54");
const AUTHORITY_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.1");

const TWICE: &str = "has one extension twice, which Go refuses: have it issued again";
const CRITICAL: &str = "has a key identifier or authorityInfoAccess that is marked critical, \
    which Go refuses: have it issued again";
const BAD_BASIC_CONSTRAINTS: &str = "has a basicConstraints extension that Go can't read: \
    copy the certificate again, or have it issued again";
const BAD_KEY_USAGE: &str = "has a keyUsage extension that Go can't read: \
    copy the certificate again, or have it issued again";
const BAD_KEY_ID: &str = "has a key identifier extension that Go can't read: \
    copy the certificate again, or have it issued again";
const BAD_NAMES: &str = "has a subjectAltName extension that Go refuses: \
    copy the certificate again, or have it issued again with sound names and addresses";
const BAD_NAME_CONSTRAINTS: &str = "has a nameConstraints extension that Go refuses: \
    copy the certificate again, or have it issued again with sound names and addresses";
const BAD_OTHER: &str = "has an extension that Go can't read: \
    copy the certificate again, or have it issued again";

/// Refuses the list of extensions where Go does.
pub fn check(list: &[u8]) -> Result<(), &'static str> {
    let mut list = Reader::new(list).inner(SEQUENCE).ok_or(CORRUPT)?;
    let mut seen = HashSet::new();
    while !list.is_empty() {
        let extension = Extension::read(&mut list).ok_or(CORRUPT)?;
        if !seen.insert(extension.name) {
            return Err(TWICE);
        }
        extension.check()?;
    }
    Ok(())
}

/// Whether Go reads an extension's value.
type Check = fn(Reader<'_>) -> Option<()>;

struct Extension<'a> {
    name: &'a [u8],
    is_critical: bool,
    value: &'a [u8],
}

impl<'a> Extension<'a> {
    fn read(list: &mut Reader<'a>) -> Option<Self> {
        let mut extension = list.inner(SEQUENCE)?;
        let name = extension.object_identifier()?;
        let is_critical = extension.is_next(BOOLEAN) && extension.boolean()?;
        let value = extension.content(OCTET_STRING)?;
        Some(Self {
            name,
            is_critical,
            value,
        })
    }

    fn check(&self) -> Result<(), &'static str> {
        let is = |id: ObjectIdentifier| id.as_bytes() == self.name;
        let must_not_be_critical = [SUBJECT_KEY_ID, AUTHORITY_KEY_ID, AUTHORITY_INFO];
        if self.is_critical && must_not_be_critical.into_iter().any(is) {
            return Err(CRITICAL);
        }
        let checks: [(ObjectIdentifier, Check, &str); 13] = [
            (KEY_USAGE, key_usage, BAD_KEY_USAGE),
            (BASIC_CONSTRAINTS, basic_constraints, BAD_BASIC_CONSTRAINTS),
            (SUBJECT_ALT_NAME, alternative_names::check, BAD_NAMES),
            (
                NAME_CONSTRAINTS,
                name_constraints::check,
                BAD_NAME_CONSTRAINTS,
            ),
            (CRL_DISTRIBUTION, distribution_points, BAD_OTHER),
            (AUTHORITY_KEY_ID, authority_key_id, BAD_KEY_ID),
            (POLICY_CONSTRAINTS, policy_constraints, BAD_OTHER),
            (EXT_KEY_USAGE, ext_key_usage, BAD_OTHER),
            (SUBJECT_KEY_ID, subject_key_id, BAD_KEY_ID),
            (POLICIES, policies, BAD_OTHER),
            (POLICY_MAPPINGS, policy_mappings, BAD_OTHER),
            (INHIBIT_ANY_POLICY, inhibit_any_policy, BAD_OTHER),
            (AUTHORITY_INFO, authority_info, BAD_OTHER),
        ];
        checks
            .into_iter()
            .find(|(id, ..)| is(*id))
            .map_or(Ok(()), |(_, check, defect)| {
                check(Reader::new(self.value)).ok_or(defect)
            })
    }
}

fn key_usage(mut value: Reader<'_>) -> Option<()> {
    value.bit_string().map(|_| ())
}

fn basic_constraints(mut value: Reader<'_>) -> Option<()> {
    let mut constraints = value.inner(SEQUENCE)?;
    if constraints.is_next(BOOLEAN) {
        constraints.boolean()?;
    }
    if constraints.is_next(INTEGER) {
        let path_length = constraints.integer()?;
        is_non_negative(path_length).then_some(())?;
    }
    Some(())
}

/// Whether an integer isn't negative and is less than 2 to the power of 63.
fn is_non_negative(integer: &[u8]) -> bool {
    integer.len() <= 8 && integer.first().is_some_and(|byte| *byte < 0x80)
}

fn subject_key_id(mut value: Reader<'_>) -> Option<()> {
    value.content(OCTET_STRING).map(|_| ())
}

fn authority_key_id(mut value: Reader<'_>) -> Option<()> {
    value.inner(SEQUENCE)?.optional(context(0)).map(|_| ())
}

fn ext_key_usage(mut value: Reader<'_>) -> Option<()> {
    let mut usages = value.inner(SEQUENCE)?;
    while !usages.is_empty() {
        usages.object_identifier()?;
    }
    Some(())
}

fn policies(mut value: Reader<'_>) -> Option<()> {
    let mut list = value.inner(SEQUENCE)?;
    let mut seen = HashSet::new();
    while !list.is_empty() {
        let policy = list.inner(SEQUENCE)?.content(OBJECT_IDENTIFIER)?;
        let is_sound = is_object_identifier(policy, |_| true) && seen.insert(policy);
        is_sound.then_some(())?;
    }
    Some(())
}

fn policy_mappings(mut value: Reader<'_>) -> Option<()> {
    let mut list = value.inner(SEQUENCE)?;
    while !list.is_empty() {
        let mut mapping = list.inner(SEQUENCE)?;
        mapping.content(OBJECT_IDENTIFIER)?;
        mapping.content(OBJECT_IDENTIFIER)?;
    }
    Some(())
}

fn policy_constraints(mut value: Reader<'_>) -> Option<()> {
    let mut constraints = value.inner(SEQUENCE)?;
    for tag in [context(0), context(1)] {
        if constraints.is_next(tag) {
            let number = constraints.integer_with_tag(tag)?;
            (number.len() <= 8).then_some(())?;
        }
    }
    Some(())
}

fn inhibit_any_policy(mut value: Reader<'_>) -> Option<()> {
    (value.integer()?.len() <= 8).then_some(())
}

fn distribution_points(mut value: Reader<'_>) -> Option<()> {
    let mut list = value.inner(SEQUENCE)?;
    while !list.is_empty() {
        let mut point = list.inner(SEQUENCE)?;
        let Some(name) = point.optional(explicit(0))? else {
            continue;
        };
        let mut names = Reader::new(name).inner(explicit(0))?;
        while names.is_next(context(6)) {
            names.any()?;
        }
    }
    Some(())
}

fn authority_info(mut value: Reader<'_>) -> Option<()> {
    let mut list = value.inner(SEQUENCE)?;
    while !list.is_empty() {
        let mut access = list.inner(SEQUENCE)?;
        access.object_identifier()?;
        access.optional(context(6))?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(id: ObjectIdentifier, is_critical: bool, value: &[u8]) -> &'static str {
        let extension = Extension {
            name: id.as_bytes(),
            is_critical,
            value,
        };
        extension.check().err().unwrap_or("accepted")
    }

    #[test]
    fn each_extension_is_looked_into() {
        for (id, good, bad, defect) in [
            (
                KEY_USAGE,
                &[3, 2, 1, 6][..],
                &[3, 2, 2, 6][..],
                BAD_KEY_USAGE,
            ),
            (
                BASIC_CONSTRAINTS,
                &[0x30, 6, 1, 1, 0xff, 2, 1, 0],
                &[0x30, 6, 1, 1, 0xff, 2, 1, 0x80],
                BAD_BASIC_CONSTRAINTS,
            ),
            (
                BASIC_CONSTRAINTS,
                &[0x30, 0],
                &[0x30, 3, 1, 1, 1],
                BAD_BASIC_CONSTRAINTS,
            ),
            (
                SUBJECT_ALT_NAME,
                b"\x30\x03\x82\x01a",
                b"\x30\x03\x82\x01\x80",
                BAD_NAMES,
            ),
            (
                NAME_CONSTRAINTS,
                b"\x30\x07\xa0\x05\x30\x03\x82\x01a",
                &[0x30, 0],
                BAD_NAME_CONSTRAINTS,
            ),
            (
                CRL_DISTRIBUTION,
                b"\x30\x09\x30\x07\xa0\x05\xa0\x03\x86\x01a",
                b"\x30\x09\x30\x07\xa0\x05\xa1\x03\x86\x01a",
                BAD_OTHER,
            ),
            (
                CRL_DISTRIBUTION,
                &[0x30, 2, 0x30, 0],
                &[0x30, 2, 0x31, 0],
                BAD_OTHER,
            ),
            (
                AUTHORITY_KEY_ID,
                &[0x30, 3, 0x80, 1, 1],
                &[0x30, 3, 0x80, 2, 1],
                BAD_KEY_ID,
            ),
            (
                POLICY_CONSTRAINTS,
                &[0x30, 3, 0x80, 1, 0],
                &[0x30, 2, 0x80, 0],
                BAD_OTHER,
            ),
            (
                EXT_KEY_USAGE,
                &[0x30, 3, 6, 1, 0x2a],
                &[0x30, 3, 6, 1, 0xaa],
                BAD_OTHER,
            ),
            (SUBJECT_KEY_ID, &[4, 1, 1], &[3, 1, 0], BAD_KEY_ID),
            (
                POLICIES,
                &[0x30, 5, 0x30, 3, 6, 1, 0x2a],
                &[0x30, 10, 0x30, 3, 6, 1, 0x2a, 0x30, 3, 6, 1, 0x2a],
                BAD_OTHER,
            ),
            (
                POLICY_MAPPINGS,
                &[0x30, 8, 0x30, 6, 6, 1, 0x2a, 6, 1, 0x2b],
                &[0x30, 5, 0x30, 3, 6, 1, 0x2a],
                BAD_OTHER,
            ),
            (INHIBIT_ANY_POLICY, &[2, 1, 0], &[4, 1, 0], BAD_OTHER),
            (
                AUTHORITY_INFO,
                b"\x30\x08\x30\x06\x06\x01\x2a\x86\x01a",
                b"\x30\x08\x30\x06\x06\x01\xaa\x86\x01a",
                BAD_OTHER,
            ),
        ] {
            assert_eq!(verdict(id, false, good), "accepted", "{id}");
            assert_eq!(verdict(id, false, bad), defect, "{id}");
            assert_eq!(verdict(id, false, &[]), defect, "{id}");
        }
    }

    #[test]
    fn some_must_not_be_critical() {
        assert_eq!(verdict(SUBJECT_KEY_ID, true, &[4, 1, 1]), CRITICAL);
        assert_eq!(verdict(AUTHORITY_KEY_ID, true, &[0x30, 0]), CRITICAL);
        assert_eq!(verdict(AUTHORITY_INFO, true, &[0x30, 0]), CRITICAL);
        assert_eq!(verdict(KEY_USAGE, true, &[3, 2, 1, 6]), "accepted");
    }

    #[test]
    fn unknown_ones_are_not_looked_into() {
        let unknown = ObjectIdentifier::new_unwrap("1.2.3.4");
        assert_eq!(verdict(unknown, true, &[0xff]), "accepted");
    }

    #[test]
    fn the_list() {
        let one = b"\x30\x07\x06\x02\x2a\x03\x04\x01a";
        let list = |der: &[u8]| {
            let length = der.len() as u8;
            check(&[&[SEQUENCE, length], der].concat())
        };
        assert_eq!(list(one), Ok(()));
        assert_eq!(list(&one.repeat(2)), Err(TWICE));
        assert_eq!(
            list(b"\x30\x0a\x06\x02\x2a\x03\x01\x01\x00\x04\x01a"),
            Ok(())
        );
        assert_eq!(
            list(b"\x30\x0a\x06\x02\x2a\x03\x01\x01\x02\x04\x01a"),
            Err(CORRUPT)
        );
        assert_eq!(list(b"\x30\x07\x06\x02\x2a\x03\x05\x01a"), Err(CORRUPT));
        assert_eq!(check(b"\x31\x00"), Err(CORRUPT));
    }
}
