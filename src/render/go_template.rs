//! Text for the External Secrets Operator, which takes it for a template of Go's `text/template`.

/// The template of which the operator makes exactly this text.
///
/// Go's lexer looks for the next `{{` and takes everything before it as it is, a `}}` included.
/// Each pair of braces, from the left, becomes an action that prints it; what is between actions
/// then holds no pair, and none can come about where one meets an action, since of a run of braces
/// only the last can be left over, and an action begins with the first.
pub fn literal(text: &str) -> String {
    text.replace("{{", "{{ \"{{\" }}")
}

/// The template of which the operator makes the value of a key that it has read.
pub fn of_key(key: &str) -> String {
    format!("{{{{ .{key} }}}}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Go makes of a template whose actions print strings without escapes; nothing where it has
    /// others. The tests with kubectl ask Go itself.
    fn executed(template: &str) -> Option<String> {
        let Some((before, after)) = template.split_once("{{") else {
            return Some(template.to_owned());
        };
        let (printed, after) = after.strip_prefix(" \"")?.split_once("\" }}")?;
        let is_plain = !printed.contains(['"', '\\', '\n']);
        is_plain.then_some(format!("{before}{printed}{}", executed(after)?))
    }

    #[test]
    fn braces_are_printed_by_actions() {
        assert_eq!(literal("a}} {b}"), "a}} {b}");
        assert_eq!(literal("{{ .x }}"), "{{ \"{{\" }} .x }}");
        assert_eq!(literal("{{{"), "{{ \"{{\" }}{");
        assert_eq!(of_key("AWS_ACCESS_KEY_ID"), "{{ .AWS_ACCESS_KEY_ID }}");
    }

    proptest! {
        #[test]
        fn every_text_arrives(text in any::<String>()) {
            prop_assert_eq!(executed(&literal(&text)), Some(text));
        }

        #[test]
        fn every_text_of_braces_arrives(text in "[{}\"` .x-]{0,12}") {
            prop_assert_eq!(executed(&literal(&text)), Some(text));
        }
    }
}
