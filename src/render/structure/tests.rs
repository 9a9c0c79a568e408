use super::super::document::{finish, placeholder};
use super::*;

fn text(text: &str) -> Scalar {
    Scalar::String(text.to_owned())
}

fn read(text: &str, values: usize) -> Result<(), Fault> {
    Structure::read(text, values).map(|_| ())
}

#[test]
fn a_finished_text_says_what_its_structure_means() {
    let document = format!(
        "# c\n---\na: {}\n{}: [{}, 1, ~, 2.5, x, {{b: {}}}]\nc: !t {}\nd: -1\n",
        placeholder(0),
        placeholder(1),
        placeholder(2),
        placeholder(3),
        placeholder(4),
    );
    let scalars = [
        text("x: y"),
        text("key"),
        Scalar::Integer(1),
        Scalar::Boolean(true),
        text("\n"),
    ];
    let structure = Structure::read(&document, scalars.len()).unwrap().unwrap();
    let (finished, _) = finish(&document, &scalars).unwrap();
    assert!(structure.is_read_from(&finished, &scalars));
    for (from, to) in [
        ("x: y", "x: z"),
        ("\"key\"", "\"keys\""),
        ("[1, 1", "[1, 2"),
        ("[1, 1", "[1, 1, 1"),
        ("[1,", "[\"1\","),
        (", ~", ", ''"),
        ("2.5", "2.51"),
        ("true", "false"),
        ("true", "\"true\""),
        ("!t ", ""),
        ("!t", "!u"),
        ("d: -1", "d: 1"),
        ("d: -1\n", ""),
        ("d: -1\n", "d: -1\ne: 1\n"),
        ("d: -1\n", "d: -1\n---\na: 1\n"),
        ("d: -1\n", "d: -1\n---\n-\n"),
    ] {
        let other = finished.replacen(from, to, 1);
        assert_ne!(other, finished, "{from}");
        assert!(!structure.is_read_from(&other, &scalars), "{other}");
    }
    assert!(!structure.is_read_from("", &scalars));
}

#[test]
fn only_plain_values_and_short_keys_are_beyond_doubt() {
    let document = format!("{}: {}\n", placeholder(0), placeholder(1));
    let structure = Structure::read(&document, 2).unwrap().unwrap();
    let long = "a".repeat(2000);
    for (key, value, beyond_doubt) in [
        (text("key"), text("no: # 1e3"), true),
        (text("key"), text(&long), true),
        (text(&long), text("value"), false),
        (text("key"), text("a\"b"), false),
        (text("key"), text("a\\b"), false),
        (text("key"), text("a\nb"), false),
        (text("key"), text("ä"), false),
        (text("key"), text("\t"), false),
        (text("key"), Scalar::Integer(-1), false),
        (Scalar::Boolean(true), text("value"), false),
    ] {
        let scalars = [key, value];
        assert_eq!(structure.is_beyond_doubt(&scalars), beyond_doubt);
        let (finished, _) = finish(&document, &scalars).unwrap();
        // A parser sees the same in either case, but for the key that is too long.
        let is_read = structure.is_read_from(&finished, &scalars);
        assert!(is_read || !beyond_doubt, "{finished}");
    }
}

#[test]
fn text_glued_to_a_value_is_found() {
    for document in [
        format!("a: b-{}\n", placeholder(0)),
        format!("a: '{}'\n", placeholder(0)),
        format!("a: |\n  echo {}\n", placeholder(0)),
        format!("a: !t b-{}\n", placeholder(0)),
        format!("[[b-{}]]\n", placeholder(0)),
    ] {
        let part = Err(Fault::PartOfScalar { number: 0 });
        assert_eq!(read(&document, 1), part, "{document}");
    }
}

#[test]
fn quotes_around_a_value_are_a_syntax_error() {
    let document = format!("a: \"{}\"\n", placeholder(0));
    assert!(matches!(
        read(&document, 1),
        Err(Fault::Syntax { line: Some(1) })
    ));
}

#[test]
fn lines_that_kubectl_splits_by_are_found() {
    for document in ["%YAML 1.1\n---\na: b", "--- {a: b}", "a: b\n...\n"] {
        assert!(
            matches!(read(document, 0), Err(Fault::Marker { .. })),
            "{document}"
        );
    }
    assert_eq!(read("--- # c\na: b\n---\n", 0), Ok(()));
    assert_eq!(read("a: b\n---\nc: d\n", 0), Err(Fault::SeveralDocuments));
    assert!(Structure::read("# nothing\n---\n", 0).unwrap().is_none());
}

#[test]
fn a_key_that_a_value_repeats_is_found() {
    let repeats = |document: &str, scalars: &[Scalar]| {
        let structure = Structure::read(document, scalars.len()).unwrap().unwrap();
        structure.check_keys(scalars).is_err()
    };
    let document = format!(
        "x: [{{a: 1, {}: 2, {}: 3}}]\n",
        placeholder(0),
        placeholder(1)
    );
    assert!(repeats(&document, &[text("a"), text("b")]));
    assert!(repeats(&document, &[text("b"), text("b")]));
    assert!(!repeats(&document, &[text("b"), text("c")]));
    let integers = [Scalar::Integer(1), Scalar::Integer(1)];
    assert!(repeats(&document, &integers));
}
