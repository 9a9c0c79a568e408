//! The elliptic curves that Go knows: y² = x³ - 3x + b, in numbers modulo a prime p.

use crypto_bigint::{NonZero, U256, U384, U576};
use x509_cert::der::asn1::ObjectIdentifier;

/// Wide enough for every curve.
type Number = U576;
const WIDE: usize = Number::LIMBS;

/// A curve, by its name in a certificate.
#[derive(Debug)]
pub struct Curve {
    name: ObjectIdentifier,
    /// How many bytes a coordinate has.
    size: usize,
    p: Number,
    b: Number,
}

/// P-224, P-256, P-384 and P-521; the numbers are those of FIPS 186-4.
const CURVES: [Curve; 4] = [
    Curve {
        name: ObjectIdentifier::new_unwrap("1.3.132.0.33"),
        size: 28,
        p: U256::from_be_hex("00000000ffffffffffffffffffffffffffffffff000000000000000000000001")
            .resize::<WIDE>(),
        b: U256::from_be_hex("00000000b4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4")
            .resize::<WIDE>(),
    },
    Curve {
        name: ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
        size: 32,
        p: U256::from_be_hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
            .resize::<WIDE>(),
        b: U256::from_be_hex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b")
            .resize::<WIDE>(),
    },
    Curve {
        name: ObjectIdentifier::new_unwrap("1.3.132.0.34"),
        size: 48,
        p: U384::from_be_hex(
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe\
             ffffffff0000000000000000ffffffff",
        )
        .resize::<WIDE>(),
        b: U384::from_be_hex(
            "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875a\
             c656398d8a2ed19d2a85c8edd3ec2aef",
        )
        .resize::<WIDE>(),
    },
    Curve {
        name: ObjectIdentifier::new_unwrap("1.3.132.0.35"),
        size: 66,
        p: U576::from_be_hex(
            "00000000000001ffffffffffffffffffffffffffffffffffffffffffffffffff\
             ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
             ffffffffffffffff",
        ),
        b: U576::from_be_hex(
            "0000000000000051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3\
             b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1\
             ef451fd46b503f00",
        ),
    },
];

impl Curve {
    /// The curve with an object identifier, of which this is the DER's content.
    pub fn named(name: &[u8]) -> Option<Self> {
        CURVES
            .into_iter()
            .find(|curve| curve.name.as_bytes() == name)
    }

    /// Whether bytes are a point of the curve in the long form: 4, then both coordinates.
    pub fn has_point(&self, bytes: &[u8]) -> bool {
        let Some(coordinates) = bytes.strip_prefix(&[4]) else {
            return false;
        };
        let Some((x, y)) = coordinates.split_at_checked(self.size) else {
            return false;
        };
        y.len() == self.size
            && match (self.coordinate(x), self.coordinate(y)) {
                (Some(x), Some(y)) => self.is_on(&x, &y),
                _ => false,
            }
    }

    /// A number less than p.
    fn coordinate(&self, bytes: &[u8]) -> Option<Number> {
        let mut wide = [0; Number::BYTES];
        let start = wide.len().checked_sub(bytes.len())?;
        wide.get_mut(start..)?.copy_from_slice(bytes);
        let number = Number::from_be_slice(&wide);
        (number < self.p).then_some(number)
    }

    fn is_on(&self, x: &Number, y: &Number) -> bool {
        let Some(p) = NonZero::new(self.p).into_option() else {
            return false;
        };
        // x³ - 3x + b = x (x² - 3) + b
        let right = x
            .square_mod_vartime(&p)
            .sub_mod(&Number::from_u8(3), &p)
            .mul_mod_vartime(x, &p)
            .add_mod(&self.b, &p);
        y.square_mod_vartime(&p) == right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each curve's base point, as FIPS 186-4 gives it.
    const BASE_POINTS: [&str; 4] = [
        "04b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21bd376388\
         b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34",
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
         4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        "04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38\
         5502f25dbf55296c3a545e3872760ab73617de4a96262c6f5d9e98bf9292dc29f8\
         f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        "0400c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d\
         3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd\
         66011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e\
         662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd166\
         50",
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |byte: u8| char::from(byte).to_digit(16).expect("hexadecimal") as u8;
        let (pairs, _) = hex.as_bytes().as_chunks();
        pairs
            .iter()
            .map(|[a, b]| digit(*a) << 4 | digit(*b))
            .collect()
    }

    #[test]
    fn base_points_are_on_their_curves_and_others_are_not() {
        for (curve, point) in CURVES.iter().zip(BASE_POINTS.map(bytes)) {
            assert!(curve.has_point(&point), "{curve:?}");
            for at in 0..point.len() {
                let mut other = point.clone();
                other[at] ^= 1;
                assert!(!curve.has_point(&other), "{curve:?}, byte {at}");
            }
            assert!(!curve.has_point(&point[..point.len() - 1]));
            assert!(!curve.has_point(&[point.as_slice(), &[0]].concat()));
        }
    }

    #[test]
    fn coordinates_are_less_than_the_prime() {
        for curve in &CURVES {
            let p = curve.p.to_be_bytes();
            let p = &p.as_ref()[Number::BYTES - curve.size..];
            assert_eq!(curve.coordinate(p), None);
            let point = [&[4][..], p, p].concat();
            assert!(!curve.has_point(&point));
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for curve in &CURVES {
            for bad in [&[][..], &[0], &[4], &[2; 33], &[4; 500]] {
                assert!(!curve.has_point(bad), "{bad:?}");
            }
        }
    }
}
